/** One call of a model: its text as it comes, and what it took. */
import { GrowingMarkdown } from "./growing-markdown.js";
import { GrowingText } from "./growing-text.js";
import { count, duration } from "./quantities.js";
import { stamp } from "./template.js";

export class CallView {
  #slots = stamp("call");
  #streams;
  #startedAt;
  #took = "";
  #tokens = "";

  constructor(event) {
    const { root, agent, text, args } = this.#slots;
    root.dataset.call = event.call;
    root.dataset.attempt = event.attempt;
    agent.textContent = event.agent ?? "";
    this.#startedAt = Date.parse(event.at);
    this.#streams = { text: new GrowingMarkdown(text), tool_args: new GrowingText(args) };
  }

  get root() {
    return this.#slots.root;
  }

  /** What the model has said so far. */
  get text() {
    return this.#streams.text.source;
  }

  apply({ kind, name, at, data }) {
    if (kind === "STREAM") this.#stream(name, data.delta);
    else if (kind === "USAGE") this.#usage(data);
    else this.#action(name, at, data);
  }

  interrupt() {
    if (this.root.dataset.state === "open") this.#end("interrupted", "interrupted");
  }

  #stream(name, delta) {
    this.#streams[name]?.append(delta);
    if (name === "tool_args") this.#slots.fold.hidden = false;
  }

  #action(name, at, data) {
    if (data.model) this.#slots.model.textContent = data.model;
    if (name === "llm.failed") this.#end("failed", data.error ?? "failed");
    if (name === "llm.finished") this.#end("done", duration(data.duration_ms ?? Date.parse(at) - this.#startedAt));
  }

  #usage(data) {
    this.#tokens = `${count(data.prompt_tokens)} + ${count(data.completion_tokens)} tokens`;
    this.#tellWhatItTook();
  }

  #end(state, took) {
    this.root.dataset.state = state;
    this.#took = took;
    this.#tellWhatItTook();
  }

  #tellWhatItTook() {
    this.#slots.took.textContent = [this.#tokens, this.#took].filter(Boolean).join(", ");
  }
}
