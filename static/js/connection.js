/** The feed's state, in a word of the footer; and whether the server is still the one that made this page. */
import { running } from "./quantities.js";
import { now } from "./server-clock.js";
import { everySecond } from "./ticker.js";
import { checkForUpgrade } from "./upgrade.js";

const WORDS = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting",
  closed: "ended",
  refused: "stopped",
};

export class Connection {
  #root;
  #word;
  #more;
  #state = { phase: "connecting" };
  #lastEventAt = null;

  constructor({ root, word, more }) {
    this.#root = root;
    this.#word = word;
    this.#more = more;
    everySecond(() => this.#tell());
  }

  show(state) {
    if (this.#state.phase === "reconnecting" && state.phase === "live") checkForUpgrade();
    this.#state = state;
    this.#root.title = state.message ?? "";
    if (this.#root.dataset.connection !== state.phase) {
      this.#root.dataset.connection = state.phase;
      this.#word.textContent = WORDS[state.phase];
    }
    this.#tell();
  }

  /** These have come; they may have happened long ago. */
  heard(events) {
    this.#lastEventAt = Date.parse(events.at(-1).at);
  }

  // Apart from the word, which is a live region: a count-down is not to be read out.
  #tell() {
    this.#more.textContent = this.#details();
  }

  #details() {
    const { phase, retryAt, message, proxied } = this.#state;
    if (phase === "refused") return `: ${message}`;
    if (phase === "reconnecting") {
      const left = (retryAt ?? 0) - Date.now();
      return left > 500 ? ` in ${running(left + 999)}` : "";
    }
    if (phase !== "live") return "";
    const held = proxied ? `, through a proxy that cuts after ${running(proxied)}` : "";
    const last = this.#lastEventAt ? `, last event ${ago(now() - this.#lastEventAt)}` : "";
    return last + held;
  }
}

const ago = (ms) => (ms < 1_000 ? "just now" : `${running(ms)} ago`);
