/** One task: its status, and what happened in it, in order. */
import { CallView } from "./call-view.js";
import { ErrorLine } from "./error-line.js";
import { OutputView } from "./output-view.js";
import { ThoughtView } from "./thought-view.js";
import { ToolCard } from "./tool-card.js";
import { showStatus } from "./status.js";
import { stamp } from "./template.js";

const PLACEHOLDER = /\{([A-Za-z_][A-Za-z0-9_-]*)\}/g;

// What is off screen is laid out, painted and watched by the chunk: with each entry by itself, the
// browser looks at thousands of them in each frame.
const CHUNK_ENTRIES = 12;
const ENTRY_PX = 120; // about: of one that was never in view

// What a task's STATUS events are called, where the word differs from theirs
const WORDS = { started: "running" };

export class TaskView {
  #slots = stamp("task");
  #link = stamp("task-link");
  #calls = new Map();
  #chunk = null;
  #attempt = 0;
  #lastCall = null;
  #agents = new Set(); // who works or worked on it

  /** step: the task in the mission's plan, if it is there. inputs: what fills its placeholders. */
  constructor(name, step, inputs) {
    const { root, title, agent, brief } = this.#slots;
    root.dataset.task = name;
    root.id = `task-${name}`;
    title.textContent = name || "Mission";
    agent.textContent = this.#link.agent.textContent = step?.agent ?? "";
    if (step?.agent) this.#agents.add(step.agent);
    brief.textContent = (step?.description ?? "").replace(PLACEHOLDER, (whole, key) => inputs[key] ?? whole);
    this.#link.title.textContent = name;
    this.#link.title.href = `#${encodeURIComponent(root.id)}`;
    this.status(name ? "pending" : "");
  }

  get root() {
    return this.#slots.root;
  }

  get link() {
    return this.#link.root;
  }

  /** name: of its STATUS event, without the `task.`. */
  status(name) {
    const status = WORDS[name] ?? name;
    // an attempt that goes on skips the tasks that an earlier one completed: they stay completed
    if (status === "skipped" && this.root.dataset.status === "completed") return;
    this.root.dataset.status = status;
    showStatus(this.#slots.status, status);
    showStatus(this.#link.status, status);
    if (status === "completed" || status === "failed") this.#endCalls();
  }

  /** The attempt that what follows belongs to. why: the reason that there is another one. */
  enter(attempt, why) {
    if (attempt <= this.#attempt) return;
    if (this.#slots.entries.hasChildNodes()) {
      this.#endCalls();
      const line = stamp("attempt");
      line.root.dataset.attemptLine = attempt;
      line.number.textContent = attempt;
      line.why.textContent = why;
      this.add(line.root);
    }
    this.#attempt = attempt;
  }

  /** The mission is over: what has not begun by now never will. */
  end() {
    this.interrupt();
    if (this.root.dataset.status === "pending") this.status("skipped");
  }

  /** The attempt is over: what has not ended by now never will. */
  interrupt() {
    this.#endCalls();
    if (this.root.dataset.status === "running") this.status("interrupted");
  }

  add(element) {
    if (!this.#chunk || this.#chunk.childElementCount >= CHUNK_ENTRIES) this.#beginChunk();
    this.#chunk.append(element);
    this.#chunk.style.containIntrinsicBlockSize = `auto ${this.#chunk.childElementCount * ENTRY_PX}px`;
  }

  /** This agent has a part in it: its own, or one that it was handed. */
  by(agent) {
    if (!agent || this.#agents.has(agent)) return;
    this.#agents.add(agent);
    this.#link.agent.textContent = [...this.#agents].join(", ");
  }

  /** Anything that belongs to one call of a model or a tool. */
  call(event) {
    const ofTool = event.kind === "ACTION" && !event.name.startsWith("llm.");
    this.#callOf(event, ofTool ? ToolCard : CallView).apply(event);
  }

  thought(event) {
    this.add(new ThoughtView(event).root);
  }

  output(event) {
    this.add(new OutputView(event, { seen: this.#lastCall?.text }).root);
  }

  error(event) {
    this.add(new ErrorLine(event).root);
  }

  #beginChunk() {
    this.#chunk = document.createElement("div");
    this.#chunk.className = "chunk";
    this.#slots.entries.append(this.#chunk);
  }

  #callOf(event, View) {
    const key = `${View.name} ${event.attempt} ${event.call ?? event.seq}`;
    let call = this.#calls.get(key);
    if (!call) {
      call = new View(event);
      this.#calls.set(key, call);
      this.add(call.root);
    }
    if (call.text) this.#lastCall = call;
    return call;
  }

  #endCalls() {
    this.#calls.forEach((call) => call.interrupt());
  }
}
