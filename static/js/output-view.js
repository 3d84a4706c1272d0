/** What a task or the mission came to. */
import { GrowingMarkdown } from "./growing-markdown.js";
import { bytes } from "./quantities.js";
import { stamp } from "./template.js";

const TITLES = { task: "Result", final: "Result of the mission", file: "File" };

export class OutputView {
  #slots = stamp("output");

  /** seen: the text that the reader has just seen; the same text again is folded. */
  constructor({ name, data }, { seen = "" } = {}) {
    const { root, title, text, json } = this.#slots;
    root.dataset.output = name;
    title.textContent = TITLES[name] ?? name;
    if (data.file) text.append(...described(data.file));
    else new GrowingMarkdown(text, data.text ?? "");
    if (data.json != null) json.textContent = JSON.stringify(data.json, null, 2);
    json.hidden = data.json == null;
    root.open = !(data.text && seen.trimEnd().endsWith(data.text.trim()));
  }

  get root() {
    return this.#slots.root;
  }
}

function described(file) {
  if (typeof file === "string") return [file];
  const link = document.createElement("a");
  link.textContent = link.download = file.name;
  link.href = `/files/${file.id}`;
  return [link, ` ${bytes(file.bytes)}`];
}
