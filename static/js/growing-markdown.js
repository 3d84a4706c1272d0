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
// a line of this length, or nested so deep, is no prose either: what reads markdown takes the square of its
// length, or overflows its stack
const NO_PROSE = /^(?:[^\n]{4000,}| *(?:(?:>|[-*+] |\d{1,9}[.)] ) *){30}[^\n]*)/m;
const FENCES = /^ {0,3}(?:`{3}|~{3})/gm;
const FENCE = /^ {0,3}(`{3,}|~{3,})[^\n]*\n/;
const NO_PROSE_CHARS = 4_000; // of such a line in one block: a longer one takes long to lay out
const MARKER = "data-markdown";

export class GrowingMarkdown {
  #root;
  #source = "";
  #drawn = 0; // how much of the source is on the page
  #tail = ""; // the block that may still grow
  #block = null;
  #line = null; // a line that is no prose, and has not ended yet
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
    this.#block = this.#line = null;
    this.#draw();
  }

  #draw() {
    const added = this.#source.slice(this.#drawn);
    this.#drawn = this.#source.length;
    if (this.#plain) return this.#plain.append(added);
    const text = added.replaceAll("\r", "");
    for (let at = 0; at < text.length; at += PIECE_CHARS) this.#grow(text.slice(at, at + PIECE_CHARS));
  }

  #grow(text) {
    if (this.#line) text = this.#growLine(text);
    this.#tail += text;
    const odd = NO_PROSE.exec(this.#tail);
    if (!odd || isCode(this.#tail.slice(0, odd.index))) return this.#growBlocks();
    const rest = this.#tail.slice(odd.index);
    this.#tail = this.#tail.slice(0, odd.index);
    if (this.#tail) this.#growBlocks();
    else this.#block?.remove(); // it was drawn as prose before it became too long
    this.#beginLine();
    this.#grow(rest);
  }

  #beginLine() {
    const root = this.#newBlock();
    root.className = "no-prose";
    this.#line = new GrowingText(root, { unbroken: NO_PROSE_CHARS });
    this.#block = null;
    this.#tail = "";
  }

  /** Returns what is behind the line's end. */
  #growLine(text) {
    const end = text.indexOf("\n");
    this.#line.append(end < 0 ? text : text.slice(0, end));
    if (end < 0) return "";
    this.#line = null;
    return text.slice(end);
  }

  #growBlocks() {
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

/** Whether a fence is open at the end of this. */
const isCode = (text) => (text.match(FENCES) ?? []).length % 2 === 1;

const KEY = "longline.plain";

export const isPlain = () => localStorage.getItem(KEY) === "1";

/** Show all markdown on the page as it was written, or as it is meant; and remember it. */
export function showPlain(plain) {
  localStorage.setItem(KEY, plain ? "1" : "0");
  document.querySelectorAll(`[${MARKER}]`).forEach(({ markdown }) => markdown.show(plain));
}
