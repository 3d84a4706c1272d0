/** How long a poll asks to be held. Learns from proxies that cut it, and remembers for a day. */

const LONGEST_S = 20; // below the 25 s of the contract and the 29-30 s at which the shortest proxies cut
const SHORTEST_S = 5;
const MARGIN = 0.8; // of the time after which a proxy has cut
const KEY = "longline.hold";
const REMEMBERED_MS = 24 * 3600_000;

export class Hold {
  #lastCutMs = 0;

  /** What to ask for now. */
  get seconds() {
    const { seconds, until } = read();
    return until > Date.now() ? Math.min(LONGEST_S, Math.max(SHORTEST_S, seconds)) : LONGEST_S;
  }

  /** A poll ended without an answer after this time, and the server was there. Twice alike is a rule. */
  cut(ms) {
    const again = Math.abs(ms - this.#lastCutMs) < ms / 4;
    this.#lastCutMs = ms;
    const seconds = Math.max(SHORTEST_S, Math.floor((ms / 1000) * MARGIN));
    if (again && seconds < this.seconds) write({ seconds, until: Date.now() + REMEMBERED_MS });
    return again;
  }

  kept() {
    this.#lastCutMs = 0;
  }
}

// storage may be forbidden: then each page learns anew
function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function write(value) {
  try {
    localStorage.setItem(KEY, JSON.stringify(value));
  } catch {
    return;
  }
}
