/** Text that grows at its end, however long it gets. textContent of its root is the text, exactly. */

// A block is laid out anew when its text grows, and a text node is copied: keep both short.
const BLOCK_CHARS = 4_000;

export class GrowingText {
  #root;
  #block = null;
  #blockChars = 0;
  #node = null;

  constructor(root) {
    this.#root = root;
  }

  append(text) {
    if (this.#blockChars > BLOCK_CHARS) {
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
