/** The foot of a mission's page: status, time, tokens, cost; the same sums stand beside the text. */
import { NONE, cost, count, duration, running } from "./quantities.js";
import { now } from "./server-clock.js";
import { showStatus } from "./status.js";
import { everySecond } from "./ticker.js";

export class MissionFooter {
  #slots;
  #side;
  #mission = null;

  constructor(slots, { sidePrompt, sideCached, sideCompletion, sideCost }) {
    this.#slots = slots;
    this.#side = { sidePrompt, sideCached, sideCompletion, sideCost };
    everySecond(() => this.#tick());
  }

  show(mission) {
    this.#mission = mission;
    const { status, progress, tokens, cost: price } = this.#slots;
    const { usage } = mission;
    showStatus(status, mission.status);
    progress.textContent = `${mission.progress.done}/${mission.progress.total}`;
    tokens.textContent = count(usage.prompt_tokens + usage.completion_tokens);
    price.textContent = cost(usage.cost_usd);
    this.#showSide(usage);
    this.#tick();
  }

  #showSide(usage) {
    const { sidePrompt, sideCached, sideCompletion, sideCost } = this.#side;
    sidePrompt.textContent = count(usage.prompt_tokens);
    sideCached.textContent = count(usage.cached_tokens);
    sideCompletion.textContent = count(usage.completion_tokens);
    sideCost.textContent = usage.cost_usd == null ? "no price known" : cost(usage.cost_usd);
  }

  #tick() {
    if (this.#mission) this.#slots.elapsed.textContent = elapsed(this.#mission);
  }
}

function elapsed({ started_at, ended_at }) {
  if (!started_at) return NONE;
  if (ended_at) return duration(Date.parse(ended_at) - Date.parse(started_at));
  return running(now() - Date.parse(started_at));
}
