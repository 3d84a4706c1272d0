/** One key for one thing that the user wants done, however often it is sent. */

export class OnceKey {
  #body = null;
  #key = null;

  /** The key for this body: the last one, if the body is still the same and not yet done. */
  for(body) {
    const text = JSON.stringify(body);
    if (text !== this.#body) {
      this.#body = text;
      this.#key = randomKey();
    }
    return this.#key;
  }

  /** It was done: the same body again is meant as a second one. */
  done() {
    this.#body = null;
  }
}

// crypto.randomUUID is missing on plain http, where a page on a local network lives
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
