/** Tokens and cost as plots, and the same numbers as tables. */
import uPlot from "../vendor/uplot_1_6_32/uPlot.esm.js";
import { NONE, clock, cost, count } from "./quantities.js";
import { stamp } from "./template.js";
import { UsageSums } from "./usage-sums.js";

const HEIGHT_PX = 220;
const NARROW_PX = 280;

export class UsageView {
  #slots;
  #sums = new UsageSums();
  #plots = [];
  #visible = false;

  constructor(slots) {
    this.#slots = slots;
    new ResizeObserver(() => this.#fit()).observe(slots.tokens);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#visible && this.#draw());
  }

  apply(events) {
    const news = events.filter((event) => this.#sums.add(event)).length > 0;
    if (news && this.#visible) this.#draw();
  }

  clear() {
    this.#sums = new UsageSums();
    if (this.#visible) this.#draw();
  }

  set visible(visible) {
    this.#visible = visible;
    if (visible) this.#draw();
  }

  #draw() {
    const { tokens, money, agents, models, empty, some, moneyPart } = this.#slots;
    const [times, prompts, completions, costs] = this.#sums.series;
    empty.hidden = times.length > 1;
    some.hidden = times.length < 2;
    moneyPart.hidden = costs.every((value) => value === null);
    this.#plots.forEach((plot) => plot.destroy());
    this.#plots = [];
    if (times.length < 2) return;
    this.#plots.push(lines(tokens, [times, prompts, completions], ["read", "written"], count));
    if (!moneyPart.hidden) this.#plots.push(lines(money, [times, costs], ["dollars"], cost));
    const groups = [[agents, this.#sums.agents], [models, this.#sums.models]]; // prettier-ignore
    for (const [part, sums] of groups) this.#group(part, [...sums.values()]);
  }

  #group(part, sums) {
    const [plot, body] = [part.querySelector("[data-plot]"), part.querySelector("tbody")];
    this.#plots.push(bars(plot, sums));
    body.replaceChildren(...sums.map(tableRow));
  }

  #fit() {
    for (const plot of this.#plots) plot.setSize({ width: widthOf(plot.root.parentElement), height: HEIGHT_PX });
  }
}

function tableRow(sum) {
  const { root, name, calls, prompt, completion, cost: price } = stamp("usage-row");
  name.textContent = sum.name;
  calls.textContent = count(sum.calls);
  prompt.textContent = count(sum.prompt);
  completion.textContent = count(sum.completion);
  price.textContent = cost(sum.cost);
  return root;
}

const widthOf = (element) => Math.max(NARROW_PX, element.clientWidth);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function axes(format, more = {}) {
  const shared = { stroke: colour("--text-2"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return [{ ...shared, values: (_, times) => times.map((s) => clock(s * 1000)), space: 80, ...more }, { ...shared, size: 72, values: (_, values) => values.map(format) }];
}

function lines(root, data, labels, format) {
  const colours = [colour("--running"), colour("--completed")];
  const paths = uPlot.paths.stepped({ align: 1 });
  const value = (_, raw) => format(raw);
  const series = labels.map((label, i) => ({ label, stroke: colours[i], width: 2, paths, value, points: { show: data[0].length < 30 } }));
  const options = { width: widthOf(root), height: HEIGHT_PX, series: [{ label: "at", value: (_, s) => (s == null ? NONE : clock(s * 1000)) }, ...series], axes: axes(format), cursor: { drag: { x: false } } };
  return new uPlot(options, data, root);
}

/** Tokens of each name: what was written stands on what was read. */
function bars(root, sums) {
  const paths = uPlot.paths.bars({ size: [0.6, 64] });
  const data = [sums.map((_, i) => i), sums.map(({ prompt, completion }) => prompt + completion), sums.map(({ prompt }) => prompt)];
  const series = ["written", "read"].map((label, i) => ({ label, paths, fill: colour(["--completed", "--running"][i]), width: 0, points: { show: false } }));
  const name = (_, splits) => splits.map((i) => (sums[i]?.name ?? "").slice(0, 16));
  return new uPlot(
    {
      width: widthOf(root), height: HEIGHT_PX, series: [{}, ...series], legend: { show: false }, cursor: { show: false },
      scales: { x: { time: false, range: [-0.6, sums.length - 0.4] }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      axes: axes(count, { values: name, splits: () => data[0], grid: { show: false } }),
    }, // prettier-ignore
    data,
    root,
  );
}
