/** The terminal output of the mission, apart from what its agents say. */
import { count } from "./quantities.js";
import { stamp } from "./template.js";
import { VirtualList } from "./virtual-list.js";

const ROW_PX = 20;
const LINE_CHARS = 2_000; // of a longer one the rest is in the log
const KEPT = 100_000;

export class LogView {
  #list;
  #slots;
  #lines = [];
  #total = 0;
  #visible = false;

  constructor(slots) {
    this.#list = new VirtualList(slots.lines, ROW_PX, draw);
    this.#slots = slots;
  }

  apply(events) {
    const before = this.#total;
    for (const event of events) if (event.kind === "LOG") this.#lines.push(event) && this.#total++;
    if (this.#total === before) return;
    const full = this.#lines.length > KEPT * 1.1;
    if (full) this.#lines.splice(0, this.#lines.length - KEPT);
    this.#tell();
    if (this.#visible) this.#list.show(this.#lines, { changed: full });
  }

  clear() {
    this.#lines = [];
    this.#total = 0;
    this.#tell();
    this.#list.show(this.#lines);
  }

  #tell() {
    const { count: total, empty, some } = this.#slots;
    total.textContent = count(this.#total);
    empty.hidden = this.#total > 0;
    some.hidden = !this.#total;
  }

  set visible(visible) {
    this.#visible = visible;
    if (visible) this.#list.show(this.#lines, { changed: false });
  }
}

function draw({ name, attempt, data }) {
  const { root, source, text } = stamp("log-line");
  root.dataset.log = name;
  root.dataset.level = (data.level ?? "").toLowerCase();
  root.dataset.attempt = attempt;
  source.textContent = [name, data.level].filter(Boolean).join(" ");
  if (data.logger) source.title = data.logger;
  const rest = data.line.length - LINE_CHARS;
  text.textContent = rest > 0 ? `${data.line.slice(0, LINE_CHARS)} … and ${count(rest)} more characters` : data.line;
  return root;
}
