/** The feed's state, in a word of the footer. */
import { running } from "./quantities.js";
import { everySecond } from "./ticker.js";

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
  #retryAt = null;
  #reason = "";

  constructor({ root, word, more }) {
    this.#root = root;
    this.#word = word;
    this.#more = more;
    everySecond(() => this.#countDown());
  }

  show({ phase, retryAt = null, message = "" }) {
    this.#retryAt = retryAt;
    this.#reason = phase === "refused" ? `: ${message}` : "";
    this.#root.title = message;
    if (this.#root.dataset.connection !== phase) {
      this.#root.dataset.connection = phase;
      this.#word.textContent = WORDS[phase];
    }
    this.#countDown();
  }

  // Apart from the word, which is a live region: a count-down is not to be read out.
  #countDown() {
    const left = this.#retryAt === null ? 0 : this.#retryAt - Date.now();
    this.#more.textContent = left > 500 ? ` in ${running(left + 999)}` : this.#reason;
  }
}
