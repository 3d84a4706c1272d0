/** What began and ended when, as the log tells it. Folds events; draws nothing. */

const ENDS = {
  finished: "done", completed: "done", failed: "failed", blocked: "blocked", skipped: "skipped",
  answered: "done", expired: "expired", cancelled: "cancelled",
}; // prettier-ignore
const DEPTHS = { task: 0, agent: 1 };
const MISSION_ENDS = new Set(["queued", "completed", "failed", "cancelled"]);

export class Spans {
  all = []; // in the order in which they began
  from = null; // ms
  until = null;
  #open = new Map();

  add(event) {
    const at = Date.parse(event.at);
    this.from ??= at;
    this.until = Math.max(this.until ?? at, at);
    const [subject, word] = event.name.split(".");
    if (event.kind === "STATUS" && subject === "mission") return MISSION_ENDS.has(word) && this.#interrupt(at, event);
    if (event.kind === "STATUS") return this.#turn(subject, word, nameOf(event, subject), event, at);
    if (event.kind === "ACTION") return this.#turn(kindOf(subject), word, event.call ?? event.seq, event, at);
    if (event.kind === "HUMAN_INPUT_REQUEST") return this.#begin("human", event.data.id, event, at);
    if (event.kind === "HUMAN_RESPONSE") return this.#end("human", event.data.request, ENDS[event.name], event, at);
  }

  #turn(kind, word, key, event, at) {
    if (word === "started") return this.#begin(kind, key, event, at);
    if (ENDS[word]) this.#end(kind, key, ENDS[word], event, at);
  }

  #begin(kind, key, event, from) {
    const depth = DEPTHS[kind] ?? (event.task ? 2 : 0);
    const span = { kind, label: labelOf(kind, event), depth, from, until: null, state: "open", seq: event.seq };
    this.#open.set(`${kind} ${event.attempt} ${key}`, span);
    this.all.push(span);
  }

  #end(kind, key, state, event, at) {
    const id = `${kind} ${event.attempt} ${key}`;
    const span = this.#open.get(id);
    if (!span) return;
    this.#open.delete(id);
    Object.assign(span, { until: at, state });
  }

  /** The attempt is over: what has not ended by now never will. */
  #interrupt(at, { attempt }) {
    if (!attempt) return;
    this.#open.forEach((span) => Object.assign(span, { until: at, state: "interrupted" }));
    this.#open.clear();
  }
}

const kindOf = (subject) => (subject === "llm" ? "model" : "tool");
const nameOf = (event, subject) => (subject === "task" ? event.task : `${event.task} ${event.agent}`);

function labelOf(kind, { task, agent, name, data }) {
  if (kind === "task") return task ?? "task";
  if (kind === "agent") return agent ?? "agent";
  if (kind === "human") return data.prompt;
  return kind === "model" ? (data.model ?? "model") : (data.tool ?? name.split(".")[0]);
}
