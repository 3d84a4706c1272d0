/**
 * The long-poll client: the events after a cursor, each handed over exactly once and in order.
 * Knows how to lose and find the server again; knows nothing of what the events mean.
 *
 *     const feed = new Feed("/missions/7/events", {
 *       numbered: "mseq",
 *       onEvents: (events) => …,        // new ones, oldest first
 *       onReset: async () => …,         // forget all; may return the cursor to go on from
 *       onState: ({ phase, retryAt, message }) => …,
 *     });
 *     feed.start();
 *
 * phase: connecting; live; reconnecting, at retryAt (ms of Date.now) or just now when it is null;
 * closed, the mission has ended and all of it was handed over; refused, with the server's message.
 */
import { Problem, Unreachable, get } from "./api.js";
import { pauseMs } from "./backoff.js";
import { onWake } from "./wake.js";

const WAIT_S = 20; // below the 25 s of the contract and the 29-30 s at which the shortest proxies cut
const SUSPICIOUS_MS = 25_000; // a poll that is out for longer will not be answered any more
const TOO_SOON_MS = 500; // "nothing new" that should have been held: do not turn it into a request loop
const DRAIN_JITTER_MS = 300;
const PAGE_EVENTS = 1000;

export class Feed {
  #path;
  #query;
  #numbered;
  #onEvents;
  #onReset;
  #onState;
  #cursor; // what the next poll asks after
  #applied; // seq of the last event handed over; the cursor also passes rows of others
  #expected; // the number that the next event must have; null when any may
  #feed = null;
  #failures = 0;
  #probing = true; // ask without waiting: tells at once whether the server is there
  #poll = null;
  #endPause = null;
  #stopWatching = null;

  /** numbered: "mseq" or "seq", which has no holes in this feed; null for one with a filter. */
  constructor(path, { after = 0, query = {}, numbered = null, onEvents, onReset, onState }) {
    this.#path = path;
    this.#query = query;
    this.#numbered = numbered;
    this.#onEvents = onEvents;
    this.#onReset = onReset;
    this.#onState = onState;
    this.#goTo(after);
  }

  get cursor() {
    return this.#cursor;
  }

  async start() {
    this.#stopWatching = onWake((certain) => this.#wake(certain));
    this.#onState({ phase: "connecting" });
    while (this.#stopWatching) {
      const ms = await this.#turn();
      if (ms > 0 && this.#stopWatching) await this.#pause(ms);
    }
  }

  stop() {
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#poll?.abort();
    this.#endPause?.();
  }

  /** One poll and what follows from it. Returns the milliseconds until the next. */
  async #turn() {
    try {
      const asked = Date.now();
      const held = !this.#probing;
      const page = await this.#ask();
      return await this.#take(page, held && Date.now() - asked < TOO_SOON_MS);
    } catch (error) {
      return this.#recover(error);
    }
  }

  async #ask() {
    const query = new URLSearchParams({
      after: this.#cursor,
      wait: this.#probing ? 0 : WAIT_S,
      limit: PAGE_EVENTS,
      ...this.#query,
      client: Math.random().toString(36).slice(2), // some caches serialise equal URLs
    });
    const poll = new AbortController();
    poll.startedAt = Date.now();
    this.#poll = poll;
    try {
      return await get(`${this.#path}?${query}`, { signal: poll.signal });
    } catch (error) {
      throw poll.signal.aborted ? new Woken() : error;
    } finally {
      this.#poll = null;
    }
  }

  async #take(page, tooSoon) {
    if (!isPage(page) || page.next < this.#cursor) throw new Unreachable("an answer that is not ours");
    if (this.#feed !== null && page.feed !== this.#feed) return this.#reset(page.oldest);
    this.#feed = page.feed;

    const fresh = page.events.filter((event) => event.seq > this.#applied);
    const whole = this.#unbroken(fresh);
    if (whole.length) this.#handOver(whole);
    if (whole.length < fresh.length) {
      this.#cursor = this.#applied;
      throw new Unreachable("an event is missing");
    }

    const moved = page.next > this.#cursor;
    this.#cursor = page.next;
    return this.#next(page, tooSoon && !moved);
  }

  #next(page, tooSoon) {
    if (page.closed) {
      this.#onState({ phase: "closed" });
      this.stop();
      return 0;
    }
    if (page.reason === "busy") throw new Unreachable("the server is busy", page.retry_s);
    this.#onState({ phase: "live" });
    if (page.reason === "drain") {
      this.#probing = true;
      return this.#failures++ ? pauseMs(this.#failures) : Math.random() * DRAIN_JITTER_MS;
    }
    if (tooSoon) return pauseMs(this.#failures++);
    this.#failures = 0;
    this.#probing = false;
    return 0;
  }

  /** The events up to the first hole. */
  #unbroken(events) {
    if (!this.#numbered) return events;
    let expected = this.#expected ?? events[0]?.[this.#numbered];
    const hole = events.findIndex((event) => event[this.#numbered] !== expected++);
    return hole < 0 ? events : events.slice(0, hole);
  }

  #handOver(events) {
    const last = events.at(-1);
    this.#applied = last.seq;
    if (this.#numbered) this.#expected = last[this.#numbered] + 1;
    try {
      this.#onEvents(events);
    } catch (error) {
      reportError(error); // a view that stumbles must not stop the feed
    }
  }

  #recover(error) {
    if (error instanceof Woken) return 0;
    if (error instanceof Problem) return this.#refused(error);
    if (!(error instanceof Unreachable)) reportError(error);
    this.#probing = true;
    const ms = pauseMs(this.#failures++, error.retryS);
    this.#onState({ phase: "reconnecting", retryAt: Date.now() + ms, message: error.message });
    return ms;
  }

  #refused(problem) {
    if (problem.code === "cursor_ahead" || problem.code === "cursor_expired") {
      return this.#reset(problem.body.oldest);
    }
    this.#onState({ phase: "refused", message: problem.message });
    this.stop();
    return 0;
  }

  /** It is another log now, or its beginning is gone: what was handed over no longer counts. */
  async #reset(oldest = 1) {
    const after = await this.#onReset();
    this.#feed = null;
    this.#probing = true;
    this.#goTo(after ?? Math.max(0, oldest - 1));
    return this.#failures++ ? pauseMs(this.#failures) : 0;
  }

  #goTo(after) {
    this.#cursor = this.#applied = after;
    this.#expected = after === 0 ? 1 : null;
  }

  #wake(certain) {
    this.#endPause?.();
    const poll = this.#poll;
    if (poll && (certain || Date.now() - poll.startedAt > SUSPICIOUS_MS)) {
      this.#probing = true;
      poll.abort();
    }
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    }).then(() => {
      this.#endPause = null;
      if (this.#failures && this.#stopWatching) this.#onState({ phase: "reconnecting", retryAt: null });
    });
  }
}

/** We ended the poll ourselves. */
class Woken extends Error {}

function isPage(page) {
  return Array.isArray(page.events) && Number.isSafeInteger(page.next) && typeof page.feed === "string";
}
