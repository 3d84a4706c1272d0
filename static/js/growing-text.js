/** Text that grows at its end, however long it gets. textContent of its root is the text, exactly. */

// A block is laid out anew when its text grows, and a text node is copied: keep both short.
const BLOCK_CHARS = 4_000;
const PIECES = /[^]{1,4000}/gu; // never half of a character
const UNBROKEN_CHARS = 64_000; // a line that is longer is shown as two

export class GrowingText {
  #root;
  #block = null;
  #blockChars = 0;
  #node = null;
  #unbroken;

  /** unbroken: how many characters without a line's end may stand in one block. */
  constructor(root, { unbroken = UNBROKEN_CHARS } = {}) {
    this.#root = root;
    this.#unbroken = unbroken;
  }

  append(text) {
    for (const [piece] of text.matchAll(PIECES)) this.#append(piece);
  }

  #append(text) {
    if (this.#blockChars >= this.#unbroken) this.#block = null;
    if (this.#block && this.#blockChars > BLOCK_CHARS) {
      const end = text.indexOf("\n") + 1; // only there does a new block look like the same text
      this.#write(text.slice(0, end || text.length));
      if (!end) return;
      this.#block = null;
      text = text.slice(end);
    }
    if (text) this.#write(text);
  }

  #write(text) {
    if (!this.#block) {
      this.#block = document.createElement("div");
      this.#root.append(this.#block);
      this.#blockChars = 0;
      this.#node = null;
    }
    if (!this.#node || this.#node.length > BLOCK_CHARS) {
      this.#node = document.createTextNode("");
      this.#block.append(this.#node);
    }
    this.#node.appendData(text);
    this.#blockChars += text.length;
  }
}
