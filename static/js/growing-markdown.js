/**
 * Markdown that grows at its end. Blocks that are complete are never drawn again, so that what is being
 * read stays where it is; only the last one is drawn anew as it grows.
 */
import { GrowingText } from "./growing-text.js";
import { blocks, draw } from "./markdown.js";
import { paintLater } from "./paint.js";

const PIECE_CHARS = 8_000;
// one block of this length is no prose: it stays plain text, for marking it up would take its time
const BLOCK_CHARS = 16_000;
const FENCE = /^ {0,3}(`{3,}|~{3,})[^\n]*\n/;
const MARKER = "data-markdown";

export class GrowingMarkdown {
  #root;
  #source = "";
  #drawn = 0; // how much of the source is on the page
  #tail = ""; // the block that may still grow
  #block = null;
  #plain = null;

  constructor(root, text = "") {
    this.#root = root;
    root.setAttribute(MARKER, "");
    root.markdown = this;
    this.#plain = isPlain() ? new GrowingText(root) : null;
    if (text) {
      this.#source = text;
      this.#draw();
    }
  }

  get source() {
    return this.#source;
  }

  append(text) {
    this.#source += text;
    paintLater(this, () => this.#draw());
  }

  /** As it was written, or as it is meant. */
  show(plain) {
    this.#root.replaceChildren();
    this.#plain = plain ? new GrowingText(this.#root) : null;
    this.#drawn = 0;
    this.#tail = "";
    this.#block = null;
    this.#draw();
  }

  #draw() {
    const added = this.#source.slice(this.#drawn);
    this.#drawn = this.#source.length;
    if (this.#plain) return this.#plain.append(added);
    for (let at = 0; at < added.length; at += PIECE_CHARS) this.#grow(added.slice(at, at + PIECE_CHARS));
  }

  #grow(text) {
    this.#tail += text.replaceAll("\r", "");
    const tokens = blocks(this.#tail);
    let last = tokens.length - 1;
    while (last > 0 && !tokens[last].raw.trim()) last--; // space may yet turn out to be inside of the block
    if (last > 0) this.#finish(tokens.slice(0, last));
    const finished = tokens.slice(0, Math.max(0, last)).reduce((length, { raw }) => length + raw.length, 0);
    this.#tail = this.#tail.slice(finished);
    if (!this.#tail) return;
    draw((this.#block ??= this.#newBlock()), tokens.slice(last));
    if (this.#tail.length > BLOCK_CHARS) this.#giveUp();
  }

  /** These blocks will not change any more. */
  #finish(tokens) {
    draw((this.#block ??= this.#newBlock()), tokens);
    this.#block = null;
  }

  #giveUp() {
    const [fence = ""] = FENCE.exec(this.#tail) ?? [];
    if (!fence) this.#block.textContent = this.#tail;
    this.#block = null;
    this.#tail = fence; // code goes on as code
  }

  #newBlock() {
    const block = document.createElement("div");
    this.#root.append(block);
    return block;
  }
}

const KEY = "longline.plain";

export const isPlain = () => localStorage.getItem(KEY) === "1";

/** Show all markdown on the page as it was written, or as it is meant; and remember it. */
export function showPlain(plain) {
  localStorage.setItem(KEY, plain ? "1" : "0");
  document.querySelectorAll(`[${MARKER}]`).forEach(({ markdown }) => markdown.show(plain));
}
