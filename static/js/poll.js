/**
 * The one open poll: asks for the events after a cursor, for ever, and hands over what comes as pages.
 * Knows how to lose and find the server again. Who runs it is feed.js's business.
 */
import { Problem, Unreachable, get } from "./api.js";
import { pauseMs } from "./backoff.js";
import { Hold } from "./hold.js";
import { onWake } from "./wake.js";

const SUSPICIOUS_MS = 25_000; // a poll that is out for longer will not be answered any more
const TOO_SOON_MS = 500; // "nothing new" that should have been held: do not turn it into a request loop
const CUT_MS = 2_000; // a poll that lived so long was cut by something between us and the server
const JITTER_MS = 300;
export const ALL = "/events";

const PAGE_EVENTS = 1000;

export class Poll {
  #path;
  #cursor;
  #kinds;
  #on;
  #hold = new Hold();
  #failures = 0;
  #probing = true; // ask without waiting: tells at once whether the server is there
  #cutMs = 0; // how long the last poll lived, if it was cut and the server may still be there
  #proxied = 0;
  #poll = null;
  #endPause = null;
  #stopWatching = null;

  /** path: of the feed. kinds(): the kinds to ask for, null for all. on: { page, state, problem }. */
  constructor(path, after, kinds, on) {
    this.#path = path;
    this.#cursor = after;
    this.#kinds = kinds;
    this.#on = on;
  }

  get cursor() {
    return this.#cursor;
  }

  async run() {
    this.#stopWatching = onWake((certain) => this.#wake(certain));
    while (this.#stopWatching) {
      const ms = await this.#turn();
      if (ms > 0 && this.#stopWatching) await this.#pause(ms);
    }
  }

  stop() {
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.again();
  }

  /** What was asked for has changed: ask anew. */
  again() {
    this.#endPause?.();
    this.#poll?.abort();
  }

  /** One poll and what follows from it. Returns the milliseconds until the next. */
  async #turn() {
    const asked = Date.now();
    const held = !this.#probing;
    try {
      const page = await this.#ask(held ? this.#hold.seconds : 0);
      if (!this.#stopWatching) return 0;
      return this.#take(page, held && Date.now() - asked < TOO_SOON_MS);
    } catch (error) {
      return this.#stopWatching ? this.#recover(error, held ? Date.now() - asked : 0) : 0;
    }
  }

  async #ask(wait) {
    const kinds = this.#kinds();
    const poll = new AbortController();
    poll.startedAt = Date.now();
    this.#poll = poll;
    try {
      const page = await getPage(this.#path, this.#cursor, { wait, kinds, signal: poll.signal });
      return { ...page, kinds };
    } catch (error) {
      throw poll.signal.aborted ? new Woken() : error;
    } finally {
      this.#poll = null;
    }
  }

  #take(page, tooSoon) {
    if (this.#path === ALL) checkUnbroken(page, this.#cursor);
    const after = this.#cursor;
    this.#cursor = page.next;
    if (page.reason === "timeout") this.#hold.kept();
    if (this.#cutMs && this.#hold.cut(this.#cutMs)) this.#proxied = this.#cutMs;
    this.#cutMs = 0;
    this.#on.page({ ...page, after });
    if (page.reason === "busy") throw new Unreachable("the server is busy", page.retry_s);
    if (page.reason !== "drain") this.#on.state({ phase: "live", proxied: this.#proxied });
    return this.#next(page, tooSoon && page.next === after);
  }

  #next(page, tooSoon) {
    if (page.reason === "drain") {
      this.#probing = true;
      const ms = this.#failures++ ? pauseMs(this.#failures) : Math.random() * JITTER_MS;
      return this.#retryIn(ms, "the server is restarting");
    }
    if (tooSoon) return pauseMs(this.#failures++);
    this.#failures = 0;
    this.#probing = false;
    return 0;
  }

  #recover(error, heldMs) {
    if (error instanceof Woken) return 0;
    this.#probing = true;
    if (error instanceof Problem) {
      this.#on.problem(error);
      return TOO_SOON_MS;
    }
    if (!(error instanceof Unreachable)) reportError(error);
    if (heldMs > CUT_MS && !error.retryS) {
      this.#cutMs = heldMs; // a proxy's doing, if the next answer comes at once
      return Math.random() * JITTER_MS;
    }
    this.#cutMs = 0;
    return this.#retryIn(pauseMs(this.#failures++, error.retryS), error.message);
  }

  #retryIn(ms, message) {
    this.#on.state({ phase: "reconnecting", retryAt: Date.now() + ms, message });
    return ms;
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
    }).then(() => (this.#endPause = null));
  }
}

/** One page of events after a cursor. Whatever is no answer of ours is Unreachable: ask again. */
export async function getPage(path, after, { wait = 0, kinds = null, signal } = {}) {
  const query = new URLSearchParams({
    after,
    wait,
    limit: PAGE_EVENTS,
    ...(kinds && { kind: kinds.join() }),
    client: Math.random().toString(36).slice(2), // some caches serialise equal URLs
  });
  const page = await get(`${path}?${query}`, { signal });
  const whole = Array.isArray(page.events) && Number.isSafeInteger(page.next) && typeof page.feed === "string";
  if (!whole || page.next < after) throw new Unreachable("an answer that is not ours");
  return page;
}

/** Without a filter, each number from the cursor to `next` is there once. */
function checkUnbroken({ kinds, events, next }, after) {
  if (kinds) return;
  if (events.length !== next - after || events.some(({ seq }, i) => seq !== after + 1 + i)) {
    throw new Unreachable("an event is missing");
  }
}

/** We ended the poll ourselves. */
class Woken extends Error {}
