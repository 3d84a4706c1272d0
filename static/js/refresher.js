/** Fetches again what has changed: soon, not for each change, and until it has worked. */
import { Unreachable } from "./api.js";
import { pauseMs } from "./backoff.js";

const APART_MS = 250;

export class Refresher {
  #fetch;
  #wanted = false;
  #busy = false;

  /** fetch: async; may be done again at any time. Its Problems are its own to handle. */
  constructor(fetch) {
    this.#fetch = fetch;
  }

  async soon() {
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    for (let failures = 0; this.#wanted; ) {
      this.#wanted = false;
      let pause = APART_MS;
      try {
        await this.#fetch();
        failures = 0;
      } catch (error) {
        if (!(error instanceof Unreachable)) reportError(error);
        else {
          this.#wanted = true;
          pause = pauseMs(failures++, error.retryS);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.#busy = false;
  }
}
