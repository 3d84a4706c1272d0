/**
 * All feeds of this browser, in whatever tab: one leads and holds the poll, the others listen.
 * The leader is who has the lock. A tab that closes gives it up at once; one that hangs or is frozen
 * does not answer, and is relieved within two seconds.
 */
import { holdLock } from "./locks.js";
import { ALL, Poll } from "./poll.js";

const NAME = "longline.feed";
const ASK_MS = 450;
const UNANSWERED = 4; // in a row: then the leader is gone without a word

export class Crew {
  #kinds;
  #cursor;
  #on;
  #id = Math.random().toString(36).slice(2);
  #channel = null;
  #poll = null;
  #wanted = new Map(); // of the feeds that the leader knows of: their kinds
  #state = { phase: "live" };
  #unanswered = 0;
  #timer = 0;
  #queued = false;
  #frozen = false;
  #left = new AbortController();
  #waiting = null; // ends our turn in the lock's queue
  #endLead = null;

  /** kinds: ours, null for all. cursor(): where to go on from. on: { page, state, lost, refused }. */
  constructor(kinds, cursor, on) {
    this.#kinds = kinds;
    this.#cursor = cursor;
    this.#on = on;
  }

  /** Be part of it. Again: say how we stand. */
  join() {
    if (this.#channel) return this.#on.state(this.#state);
    this.#channel = new BroadcastChannel(NAME);
    this.#channel.addEventListener("message", ({ data }) => this.#hear(data));
    this.#timer = setInterval(() => this.#ask(), ASK_MS);
    this.#say({ what: "ask", kinds: this.#kinds });
    const { signal } = this.#left;
    addEventListener("pagehide", (event) => (event.persisted ? this.#freeze() : this.leave()), { signal });
    addEventListener("pageshow", () => this.#thaw(), { signal });
    document.addEventListener("freeze", () => this.#freeze(), { signal }); // these two do not bubble
    document.addEventListener("resume", () => this.#thaw(), { signal });
    this.#queue();
    this.#on.state(this.#state);
  }

  leave() {
    if (!this.#channel) return;
    this.#say({ what: "leave" });
    this.#left.abort();
    clearInterval(this.#timer);
    this.#waiting?.abort();
    this.#resign();
    this.#channel.close();
    this.#channel = null;
  }

  #queue() {
    if (this.#queued || this.#frozen || !this.#channel) return;
    this.#queued = true;
    this.#waiting = new AbortController();
    const lead = () => {
      this.#queued = false;
      return this.#lead();
    };
    holdLock(NAME, lead, { signal: this.#waiting.signal }).catch((error) => this.#lostLock(error));
  }

  /** Nothing runs here until we are thawed: neither lead nor stand in the way of who could. */
  #freeze() {
    this.#frozen = true;
    this.#waiting?.abort();
    this.#resign();
  }

  #thaw() {
    this.#frozen = false;
    this.#queue();
  }

  #steal() {
    this.#unanswered = 0;
    holdLock(NAME, () => this.#lead(), { steal: true }).catch((error) => this.#lostLock(error));
  }

  // Somebody found us dead. We are not: back into the queue.
  #lostLock(error) {
    if (error.name !== "AbortError") reportError(error);
    this.#queued = false;
    this.#resign();
    setTimeout(() => this.#queue(), ASK_MS);
  }

  #resign() {
    this.#poll?.stop();
    this.#poll = null;
    this.#endLead?.();
    this.#endLead = null;
  }

  /** Hold the poll for all, until we resign. */
  async #lead() {
    if (!this.#channel || this.#poll) return;
    const over = new Promise((resolve) => (this.#endLead = resolve));
    this.#wanted = new Map([[this.#id, this.#kinds]]);
    this.#poll = new Poll(ALL, this.#cursor(), () => this.#union(), {
      page: (page) => this.#pass(page),
      state: (state) => this.#tell(state),
      problem: (problem) => this.#refused(problem),
    });
    this.#say({ what: "lead" });
    this.#poll.run();
    await over;
    this.#queue();
  }

  #pass({ feed, after, next, kinds, events }) {
    const page = { what: "page", feed, after, next, kinds, events };
    this.#say(page);
    this.#on.page(page);
  }

  #tell(state) {
    const news = JSON.stringify(state) !== JSON.stringify(this.#state);
    this.#state = state;
    if (news) this.#say({ what: "state", state });
    this.#on.state(state);
  }

  #refused(problem) {
    const lost = problem.code === "cursor_ahead" || problem.code === "cursor_expired";
    const word = lost ? { what: "lost", oldest: problem.body.oldest } : { what: "refused", code: problem.code, message: problem.message };
    this.#say(word);
    this.#obey(word);
  }

  #obey({ what, oldest, code, message }) {
    if (what === "lost") this.#on.lost(oldest);
    if (what === "refused") this.#on.refused({ code, message });
  }

  #hear(word) {
    if (this.#poll) return this.#serve(word);
    const { what, state, cursor } = word;
    if (what === "ask" || what === "leave") return;
    this.#unanswered = 0;
    if (what === "page") this.#on.page(word);
    if (what === "lead") this.#say({ what: "ask", kinds: this.#kinds });
    // nothing of which we knew: so what there is between our cursor and theirs, we fetch
    if (what === "here") this.#on.page({ feed: word.feed, after: Infinity, next: cursor, kinds: null, events: [] });
    if (state) this.#show(state);
    this.#obey(word);
  }

  #show(state) {
    this.#state = state;
    this.#on.state(state);
  }

  #serve({ what, from, kinds }) {
    if (what === "leave") this.#wanted.delete(from);
    if (what !== "ask") return;
    this.#say({ what: "here", feed: null, cursor: this.#poll.cursor, state: this.#state });
    if (this.#wanted.has(from)) return;
    const before = this.#union();
    this.#wanted.set(from, kinds);
    if (String(before) !== String(this.#union())) this.#poll.again();
  }

  /** The kinds that somebody wants; null for all. */
  #union() {
    const wanted = [...this.#wanted.values()];
    return wanted.includes(null) ? null : [...new Set(wanted.flat())].sort();
  }

  #ask() {
    if (this.#poll || this.#frozen) return;
    if (this.#unanswered++ >= UNANSWERED) return this.#steal();
    this.#say({ what: "ask", kinds: this.#kinds });
  }

  #say(word) {
    this.#channel?.postMessage({ from: this.#id, ...word });
  }
}
