/**
 * A lock over all pages of this browser where there are no Web Locks: a lease in localStorage. For a moment
 * two may hold it, or none; so it is only for what that does no harm to.
 */

const RENEW_MS = 400;
const LEASE_MS = 1_500;
const SETTLE_MS = 60; // who wrote last is who stands there then

export class LeaseLock {
  #key;
  #id = Math.random().toString(36).slice(2);
  #steal;
  #signal;

  constructor(name, { steal, signal }) {
    this.#key = `${name}.lease`;
    this.#steal = steal;
    this.#signal = signal;
  }

  /** As navigator.locks.request: rejects with an AbortError when another one has taken the lock, or by the signal. */
  async hold(hold) {
    while (!(await this.#take())) await this.#change();
    const over = new AbortController();
    const lost = this.#keep(over.signal);
    try {
      return await Promise.race([hold(), lost]);
    } finally {
      over.abort();
      if (this.#isOurs) localStorage.removeItem(this.#key);
    }
  }

  get #isOurs() {
    return read(this.#key).id === this.#id;
  }

  async #take() {
    this.#signal?.throwIfAborted();
    if (!this.#steal && read(this.#key).until > Date.now()) return false;
    this.#steal = false;
    this.#write();
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return this.#isOurs;
  }

  /** Until the lease may be free. */
  #change() {
    return new Promise((resolve) => {
      const timer = setTimeout(done, RENEW_MS);
      addEventListener("storage", done);
      function done() {
        clearTimeout(timer);
        removeEventListener("storage", done);
        resolve();
      }
    });
  }

  /** Rejects when it is another one's. */
  #keep(over) {
    return new Promise((_, reject) => {
      const timer = setInterval(() => {
        if (this.#isOurs) return this.#write();
        clearInterval(timer);
        reject(new DOMException("another page has the lease", "AbortError"));
      }, RENEW_MS);
      over.addEventListener("abort", () => clearInterval(timer));
    });
  }

  #write() {
    localStorage.setItem(this.#key, JSON.stringify({ id: this.#id, until: Date.now() + LEASE_MS }));
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}
