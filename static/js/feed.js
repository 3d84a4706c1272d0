/**
 * The events of one mission, or of all, each handed over exactly once and in order. See docs/page.md.
 *
 *     const feed = new Feed({
 *       mission: 7,                     // left out: all missions
 *       kinds: ["STATUS", "OUTPUT"],    // left out: all
 *       after: 0,                       // the last event that you have
 *       onEvents: (events) => …,        // new ones, oldest first
 *       onReset: async () => …,         // forget all; may return the cursor to go on from
 *       onState: ({ phase, retryAt, message, proxied }) => …,
 *     });
 *     feed.start();
 *
 * What has happened so far each feed fetches for itself. What happens then, one of them (the leader)
 * polls for all feeds of all tabs and passes on. A feed that missed something sees it by the cursor,
 * and fetches that as well; so who leads, and for how long, decides nothing but who does the asking.
 *
 * phase: connecting; live; reconnecting, at retryAt (ms of Date.now) or just now when it is null;
 * closed, the mission has ended and all of it was handed over; refused, with the server's message.
 */
import { Problem, Unreachable } from "./api.js";
import { pauseMs } from "./backoff.js";
import { Crew } from "./feed-crew.js";
import { ALL, Poll, getPage } from "./poll.js";

const ENDS = new Set(["mission.completed", "mission.failed", "mission.cancelled"]);

export class Feed {
  #mission;
  #kinds;
  #on;
  #cursor; // all up to here was handed over or is not for us
  #applied; // seq of the last event handed over
  #expected; // the mseq that the next event must have; null when any may
  #name = null; // of the log: another one means that all numbers begin anew
  #ahead = 0; // how far others are
  #failures = 0;
  #catching = false;
  #stopped = false;
  #crew = null;
  #solo = null; // our own poll, for who may read this mission and no other

  constructor({ mission = null, kinds = null, after = 0, onEvents, onReset, onState = () => {} }) {
    this.#mission = mission;
    this.#kinds = kinds;
    this.#on = { events: onEvents, reset: onReset, state: onState };
    this.#goTo(after);
  }

  get cursor() {
    return this.#cursor;
  }

  async start() {
    this.#on.state({ phase: "connecting" });
    await this.#catchUp();
  }

  stop() {
    this.#stopped = true;
    this.#crew?.leave();
    this.#solo?.stop();
  }

  /** Fetch what there is; from then on the crew tells. */
  async #catchUp() {
    if (this.#catching) return;
    this.#catching = true;
    for (let behind = true; behind && !this.#stopped; ) {
      try {
        behind = await this.#fetch();
        this.#failures = 0;
      } catch (error) {
        await this.#recover(error);
      }
    }
    this.#catching = false;
    if (!this.#stopped) this.#join();
  }

  /** The next page. Returns whether there is more. */
  async #fetch() {
    const announced = this.#ahead;
    const page = await getPage(this.#path, this.#cursor, { kinds: this.#kinds });
    if (this.#isOther(page.feed)) return this.#reset(page.oldest);
    this.#name = page.feed;
    this.#take(page.events, page.next);
    if (page.closed) this.#close();
    return page.more || this.#ahead > Math.max(announced, this.#cursor);
  }

  async #recover(error) {
    if (error instanceof Problem) {
      const lost = error.code === "cursor_ahead" || error.code === "cursor_expired";
      if (lost) return this.#reset(error.body.oldest);
      return this.#refused(error);
    }
    if (!(error instanceof Unreachable)) reportError(error);
    const ms = pauseMs(this.#failures++, error.retryS);
    this.#on.state({ phase: "reconnecting", retryAt: Date.now() + ms, message: error.message });
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  get #path() {
    return this.#mission === null ? ALL : `/missions/${this.#mission}/events`;
  }

  #join() {
    if (this.#solo) return;
    this.#crew ??= new Crew(this.#kinds, () => this.#cursor, {
      page: (page) => this.#hear(page),
      state: (state) => this.#stopped || this.#catching || this.#on.state(state),
      lost: (oldest) => this.#begin(oldest),
      refused: (problem) => this.#refused(problem),
    });
    this.#crew.join();
  }

  /** A page that the leader has got: ours to take if it continues what we have. */
  #hear({ feed, after, next, kinds, events }) {
    if (this.#stopped) return;
    if (this.#isOther(feed)) return this.#begin();
    this.#ahead = Math.max(this.#ahead, next);
    if (this.#catching || next <= this.#cursor) return;
    if (after > this.#cursor || !covers(kinds, this.#kinds)) return this.#catchUp();
    try {
      this.#take(events.filter((event) => this.#isOurs(event)), next);
    } catch {
      this.#catchUp();
    }
  }

  #isOurs({ mission, kind }) {
    return (this.#mission === null || mission === this.#mission) && (!this.#kinds || this.#kinds.includes(kind));
  }

  #isOther(feed) {
    return this.#name !== null && feed !== null && feed !== this.#name;
  }

  #take(events, next) {
    const fresh = events.filter((event) => event.seq > this.#applied);
    const whole = this.#unbroken(fresh);
    if (whole.length) this.#handOver(whole);
    if (whole.length < fresh.length) {
      this.#cursor = this.#applied;
      throw new Unreachable("an event is missing");
    }
    this.#cursor = Math.max(this.#cursor, next);
    if (this.#mission !== null && ENDS.has(fresh.at(-1)?.name)) this.#close();
  }

  /** The events up to the first hole. */
  #unbroken(events) {
    if (this.#mission === null || this.#kinds) return events;
    let expected = this.#expected ?? events[0]?.mseq;
    const hole = events.findIndex((event) => event.mseq !== expected++);
    return hole < 0 ? events : events.slice(0, hole);
  }

  #handOver(events) {
    const last = events.at(-1);
    this.#applied = last.seq;
    this.#expected = last.mseq + 1;
    try {
      this.#on.events(events);
    } catch (error) {
      reportError(error); // a view that stumbles must not stop the feed
    }
  }

  #close() {
    if (this.#stopped) return;
    this.stop();
    this.#on.state({ phase: "closed" });
  }

  #refused({ code, message }) {
    if (code === "forbidden" && this.#crew && this.#mission !== null) return this.#goSolo();
    this.stop();
    this.#on.state({ phase: "refused", message });
  }

  /** Who was given a link to one mission may not read the feed of all. */
  #goSolo() {
    this.#crew.leave();
    this.#crew = null;
    this.#solo = new Poll(this.#path, this.#cursor, () => this.#kinds, {
      page: (page) => this.#hear(page),
      state: (state) => this.#stopped || this.#on.state(state),
      problem: (problem) => this.#refused(problem),
    });
    this.#solo.run();
  }

  /** It is another log now, or its beginning is gone. */
  async #begin(oldest) {
    if (this.#catching || this.#stopped) return;
    this.#catching = true;
    await this.#reset(oldest);
    this.#catching = false;
    await this.#catchUp();
  }

  /** What was handed over no longer counts. Returns that there is more to fetch. */
  async #reset(oldest = 1) {
    this.#crew?.leave();
    this.#solo?.stop();
    this.#crew = this.#solo = null;
    this.#on.state({ phase: "connecting" });
    if (this.#failures++) await new Promise((resolve) => setTimeout(resolve, pauseMs(this.#failures)));
    const after = await this.#on.reset();
    this.#name = null;
    this.#ahead = 0;
    this.#goTo(after ?? Math.max(0, oldest - 1));
    return true;
  }

  #goTo(after) {
    this.#cursor = this.#applied = after;
    this.#expected = after === 0 ? 1 : null;
  }
}

function covers(theirs, ours) {
  return theirs === null || (ours !== null && ours.every((kind) => theirs.includes(kind)));
}
