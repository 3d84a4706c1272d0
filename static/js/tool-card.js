/** One call of a tool, or of memory, knowledge or a colleague: folded, with arguments and output. */
import { duration } from "./quantities.js";
import { stamp } from "./template.js";

const ENDS = { finished: "done", failed: "failed", blocked: "blocked", completed: "done" };
const PREVIEW_CHARS = 80;

export class ToolCard {
  #slots = stamp("tool");
  #startedAt;

  constructor(event) {
    const { root, name, agent } = this.#slots;
    root.dataset.tool = event.data.tool ?? event.name;
    root.dataset.call = event.call ?? "";
    root.dataset.attempt = event.attempt;
    name.textContent = root.dataset.tool;
    agent.textContent = event.agent ?? "";
    this.#startedAt = Date.parse(event.at);
  }

  get root() {
    return this.#slots.root;
  }

  apply({ name, at, data }) {
    if (data.args !== undefined) this.#show("args", data.args);
    if (data.output !== undefined) this.#show("output", data.output);
    const refusal = data.error ?? data.reason;
    if (refusal) this.#show("error", refusal);
    const state = ENDS[name.split(".")[1]];
    if (state) this.#end(state, duration(data.duration_ms ?? Date.parse(at) - this.#startedAt));
  }

  interrupt() {
    if (this.root.dataset.state === "open") this.#end("interrupted", "");
  }

  #show(part, value) {
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    this.#slots[part].textContent = text;
    this.#slots[part].parentElement.hidden = false;
    if (part === "args") {
      this.#slots.preview.textContent = JSON.stringify(value).slice(0, PREVIEW_CHARS);
    }
  }

  #end(state, took) {
    this.root.dataset.state = state;
    this.#slots.took.textContent = [state === "done" ? "" : state, took].filter(Boolean).join(", ");
  }
}
