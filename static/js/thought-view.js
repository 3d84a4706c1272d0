/** A thought of an agent, folded. */
import { GrowingMarkdown } from "./growing-markdown.js";
import { stamp } from "./template.js";

const PREVIEW_CHARS = 100;

export class ThoughtView {
  #slots = stamp("thought");

  constructor({ name, agent, data }) {
    this.#slots.name.textContent = name;
    this.#slots.agent.textContent = agent ?? "";
    this.#slots.preview.textContent = data.text.slice(0, 2 * PREVIEW_CHARS).replace(/[*_`#>]/g, "").trim().slice(0, PREVIEW_CHARS);
    new GrowingMarkdown(this.#slots.text, data.text);
  }

  get root() {
    return this.#slots.root;
  }
}
