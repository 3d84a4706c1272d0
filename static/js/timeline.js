/** The waterfall: tasks, agents, calls and waits over time, growing while the mission runs. */
import { duration, running } from "./quantities.js";
import { now } from "./server-clock.js";
import { Spans } from "./spans.js";
import { stamp } from "./template.js";
import { everySecond } from "./ticker.js";
import { VirtualList } from "./virtual-list.js";

const ROW_PX = 24;
const TICKS_MOST = 6;
const ROUND_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 43_200, 86_400];
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
    axis.replaceChildren(...ticks(total));
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

/** Marks at round times. */
function ticks(total) {
  const step = 1000 * (ROUND_S.find((s) => s * 1000 * TICKS_MOST >= total) ?? total / 1000 / TICKS_MOST);
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, i) => tick(i * step, (i * step) / Math.max(1, total)));
}

function tick(ms, at) {
  const mark = document.createElement("span");
  mark.textContent = ms % 1000 ? duration(ms) : running(ms);
  mark.style.insetInlineStart = `${at * 100}%`;
  return mark;
}
