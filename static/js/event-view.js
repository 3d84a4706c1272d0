/** Puts each event of a mission in its place. The transcript is a fold of the log, and of nothing else. */
import { OutputView } from "./output-view.js";
import { RequestCard } from "./request-card.js";
import { hasEnded } from "./status.js";
import { TaskView } from "./task-view.js";

export class EventView {
  #sections;
  #outline;
  #result;
  #plan = [];
  #inputs = {};
  #tasks = new Map();
  #requests = new Map();
  #interruption = ""; // why the last attempt ended before its end

  /** sections, outline, result: the elements that take the tasks, the links to them, the final output. */
  constructor({ sections, outline, result }) {
    this.#sections = sections;
    this.#outline = outline;
    this.#result = result;
  }

  /** Forget all, and show the tasks that are to come. spec: the mission's. */
  begin({ plan = [], inputs = {} }) {
    this.#plan = plan;
    this.#inputs = inputs;
    this.#tasks.clear();
    this.#requests.clear();
    for (const part of [this.#sections, this.#outline, this.#result]) part.replaceChildren();
    plan.forEach(({ name }) => this.#task(name));
  }

  set ended(ended) {
    this.#sections.dataset.ended = ended;
  }

  apply(event) {
    switch (event.kind) {
      case "STATUS":
        return this.#status(event);
      case "OUTPUT":
        return event.name === "final" ? this.#final(event) : this.#place(event).output(event);
      case "HUMAN_INPUT_REQUEST":
        return this.#asked(event);
      case "HUMAN_RESPONSE":
        return this.#requests.get(event.data.request)?.answered(event);
      case "STREAM":
      case "ACTION":
        return this.#place(event).call(event);
      case "USAGE": // the sums are in the footer
        return event.call && this.#place(event).call(event);
      case "THOUGHT":
        return this.#place(event).thought(event);
      case "ERROR":
        return this.#error(event);
    }
  }

  #status(event) {
    const [subject, status] = event.name.split(".");
    if (subject === "task") this.#place(event).status(status);
    if (subject !== "mission") return;
    const requeued = status === "queued" && event.attempt > 0;
    if (requeued) this.#interruption = event.data.reason ?? "";
    if (requeued) this.#tasks.forEach((task) => task.interrupt());
    if (hasEnded(status)) this.#tasks.forEach((task) => task.end());
  }

  #error(event) {
    if (event.call || event.name === "mission") return; // the call's own card tells it; the page's top
    this.#place(event).error(event);
    if (event.data.restart) this.#tasks.forEach((task) => task.status("pending"));
  }

  #asked(event) {
    const card = new RequestCard(event.data);
    this.#requests.set(event.data.id, card);
    this.#place(event).add(card.root);
  }

  #final(event) {
    this.#result.replaceChildren(new OutputView(event).root);
  }

  #place(event) {
    const task = this.#task(event.task ?? "");
    task.enter(event.attempt, this.#interruption);
    task.by(event.agent);
    return task;
  }

  /** The task's view. What belongs to no task has one of its own, above all others. */
  #task(name) {
    let task = this.#tasks.get(name);
    if (!task) {
      task = new TaskView(name, this.#plan.find((step) => step.name === name), this.#inputs);
      this.#tasks.set(name, task);
      if (name === "") this.#sections.prepend(task.root);
      else {
        this.#sections.append(task.root);
        this.#outline.append(task.link);
      }
    }
    return task;
  }
}
