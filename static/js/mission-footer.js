/** The foot of a mission's page: status, time, tokens, cost. */
import { NONE, cost, count, duration, running } from "./quantities.js";
import { now } from "./server-clock.js";
import { showStatus } from "./status.js";
import { everySecond } from "./ticker.js";

export class MissionFooter {
  #slots;
  #mission = null;

  constructor(slots) {
    this.#slots = slots;
    everySecond(() => this.#tick());
  }

  show(mission) {
    this.#mission = mission;
    const { status, progress, prompt, completion, cost: price } = this.#slots;
    const { usage } = mission;
    showStatus(status, mission.status);
    progress.textContent = `${mission.progress.done}/${mission.progress.total}`;
    prompt.textContent = count(usage.prompt_tokens);
    completion.textContent = count(usage.completion_tokens);
    price.textContent = cost(usage.cost_usd);
    this.#tick();
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
