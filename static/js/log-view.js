/** The terminal output of the mission, apart from what its agents say. */
import { stamp } from "./template.js";

export class LogView {
  #lines;
  #count;
  #total = 0;

  constructor({ lines, count }) {
    this.#lines = lines;
    this.#count = count;
  }

  apply({ kind, name, attempt, data }) {
    if (kind !== "LOG") return;
    const { root, source, text } = stamp("log-line");
    root.dataset.log = name;
    root.dataset.level = data.level ?? "";
    root.dataset.attempt = attempt;
    source.textContent = [name, data.level].filter(Boolean).join(" ");
    if (data.logger) source.title = data.logger;
    text.textContent = data.line;
    this.#lines.append(root);
    this.#count.textContent = ++this.#total;
  }

  clear() {
    this.#lines.replaceChildren();
    this.#count.textContent = this.#total = 0;
  }
}
