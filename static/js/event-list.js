/** The raw log: every event as it is, with filters; one of them in full. */
import { copyOnClick } from "./copy.js";
import { clockMs, count } from "./quantities.js";
import { slots, stamp } from "./template.js";
import { VirtualList } from "./virtual-list.js";

const ROW_PX = 24;
const PREVIEW_CHARS = 200;

export class EventList {
  #slots;
  #store;
  #path;
  #list;
  #shown = [];
  #visible = false;
  #looked = 0; // how many of the store's events have gone through the filter
  #agents = new Set();
  #picked = null; // seq of the event that is shown in full

  constructor(root, store, path) {
    this.#slots = slots(root);
    this.#store = store;
    this.#path = path;
    const { rows, kind, agent, text, curl, close, curlEvent, whole } = this.#slots;
    this.#list = new VirtualList(rows, ROW_PX, (event) => this.#row(event));
    for (const field of [kind, agent, text]) field.addEventListener("input", () => this.#refilter());
    copyOnClick(curl, () => this.#curl());
    copyOnClick(curlEvent, () => whole.textContent);
    close.addEventListener("click", () => (this.#slots.detail.hidden = true));
  }

  /** dropped: the store has let go of its oldest. */
  apply(events, dropped) {
    events.forEach(({ agent }) => agent && this.#addAgent(agent));
    if (dropped) this.#looked = 0;
    if (this.#visible) this.#filter(dropped);
  }

  clear() {
    this.#refilter();
  }

  set visible(visible) {
    this.#visible = visible;
    if (visible) this.#filter(this.#looked === 0);
  }

  /** Show one event, whatever the filters say. */
  reveal(seq) {
    const { kind, agent, text } = this.#slots;
    kind.value = agent.value = text.value = "";
    this.#refilter();
    const index = this.#shown.findIndex((event) => event.seq === seq);
    if (index < 0) return;
    this.#list.reveal(index);
    this.#open(this.#shown[index]);
  }

  #refilter() {
    this.#looked = 0;
    if (this.#visible) this.#filter(true);
  }

  #filter(anew) {
    const fits = this.#test();
    const { events, dropped } = this.#store;
    if (anew) this.#shown = [];
    for (; this.#looked < events.length; this.#looked++) {
      if (fits(events[this.#looked])) this.#shown.push(events[this.#looked]);
    }
    this.#list.show(this.#shown, { changed: anew });
    const before = dropped ? `; the ${count(dropped)} oldest are only in the log` : "";
    this.#slots.total.textContent = `${count(this.#shown.length)} of ${count(events.length)}${before}`;
  }

  #test() {
    const kind = this.#slots.kind.value;
    const agent = this.#slots.agent.value;
    const text = this.#slots.text.value.toLowerCase();
    return (event) =>
      (!kind || event.kind === kind) &&
      (!agent || event.agent === agent) &&
      (!text || JSON.stringify(event).toLowerCase().includes(text));
  }

  #row(event) {
    const { root, seq, at, kind, name, agent, preview } = stamp("event-row");
    root.dataset.kind = event.kind;
    root.dataset.seq = event.seq;
    if (event.seq === this.#picked) root.ariaCurrent = "true";
    seq.textContent = event.seq;
    at.textContent = clockMs(event.at);
    kind.textContent = event.kind;
    name.textContent = event.name;
    agent.textContent = [event.task, event.agent].filter(Boolean).join(" / ");
    preview.textContent = previewOf(event.data);
    root.querySelector("button").addEventListener("click", () => this.#open(event));
    return root;
  }

  #open(event) {
    const { detail, whole, heading, rows } = this.#slots;
    this.#picked = event.seq;
    for (const row of rows.querySelectorAll("[data-seq]")) row.ariaCurrent = Number(row.dataset.seq) === event.seq ? "true" : null;
    heading.textContent = `Event ${event.seq}`;
    whole.textContent = JSON.stringify(event, null, 2);
    detail.hidden = false;
  }

  #curl() {
    const kind = this.#slots.kind.value;
    const query = `after=0&wait=0&limit=1000${kind ? `&kind=${kind}` : ""}`;
    return `curl -s "${location.origin}${this.#path}?${query}" -H "Authorization: Bearer $LONGLINE_TOKEN"`;
  }

  #addAgent(name) {
    if (this.#agents.has(name)) return;
    this.#agents.add(name);
    this.#slots.agent.append(new Option(name, name));
  }
}

function previewOf(data) {
  const text = data.delta ?? data.line ?? data.text ?? data.message ?? data.prompt;
  return (typeof text === "string" ? text.slice(0, PREVIEW_CHARS) : JSON.stringify(data).slice(0, PREVIEW_CHARS)).replace(/\s+/g, " ");
}
