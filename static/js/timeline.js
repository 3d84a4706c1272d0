/** The waterfall: tasks, agents, calls and waits over time, growing while the mission runs. */
import { duration } from "./quantities.js";
import { now } from "./server-clock.js";
import { Spans } from "./spans.js";
import { stamp } from "./template.js";
import { everySecond } from "./ticker.js";
import { VirtualList } from "./virtual-list.js";

const ROW_PX = 24;
const TICKS = 5;
const LEAST_PERCENT = 0.2;

export class Timeline {
  #spans = new Spans();
  #slots;
  #list;
  #onPick;
  #live = true;
  #visible = false;

  /** onPick(seq): a span was clicked; seq is the event that began it. */
  constructor(slots, onPick) {
    this.#slots = slots;
    this.#onPick = onPick;
    this.#list = new VirtualList(slots.rows, ROW_PX, (span) => this.#row(span));
    everySecond(() => this.#visible && this.#live && this.#show());
  }

  apply(events) {
    events.forEach((event) => this.#spans.add(event));
    if (this.#visible) this.#show();
  }

  clear() {
    this.#spans = new Spans();
    if (this.#visible) this.#show();
  }

  set live(live) {
    this.#live = live;
    if (this.#visible) this.#show();
  }

  set visible(visible) {
    this.#visible = visible;
    if (visible) this.#show();
  }

  get #until() {
    return this.#live ? Math.max(now(), this.#spans.until) : this.#spans.until;
  }

  #show() {
    const { axis, empty } = this.#slots;
    const { all, from } = this.#spans;
    empty.hidden = all.length > 0;
    const total = from === null ? 0 : this.#until - from;
    axis.replaceChildren(...Array.from({ length: TICKS }, (_, i) => tick((total * i) / TICKS)));
    this.#list.show(all);
  }

  #row(span) {
    const { root, label, bar, took } = stamp("span-row");
    const { from } = this.#spans;
    const whole = Math.max(1, this.#until - from);
    const until = span.until ?? this.#until;
    root.dataset.span = span.kind;
    root.dataset.state = span.state;
    label.textContent = span.label;
    label.style.paddingInlineStart = `${span.depth * 16}px`;
    bar.style.marginInlineStart = `${((span.from - from) / whole) * 100}%`;
    bar.style.width = `${Math.max(LEAST_PERCENT, ((until - span.from) / whole) * 100)}%`;
    took.textContent = duration(until - span.from);
    const button = root.querySelector("button");
    button.title = `${span.kind}, ${span.state}`;
    button.addEventListener("click", () => this.#onPick(span.seq));
    return root;
  }
}

function tick(ms) {
  const mark = document.createElement("span");
  mark.textContent = duration(ms);
  return mark;
}
