/** One mission in the list. */
import { post } from "./api.js";
import { age, cost, count, duration, moment, running } from "./quantities.js";
import { now } from "./server-clock.js";
import { hasEnded, showStatus } from "./status.js";
import { stamp } from "./template.js";

export class MissionRow {
  #slots;
  #mission = null;

  constructor(id) {
    this.#slots = stamp("mission-row");
    this.root.dataset.mission = id;
    this.#slots.title.href = `/m/${id}`;
    this.#slots.action.addEventListener("click", () => this.#act());
  }

  get root() {
    return this.#slots.root;
  }

  show(mission) {
    this.#mission = mission;
    const { status, title, engine, progress, bar, tokens, created, cost: price } = this.#slots;
    showStatus(status, mission.status);
    title.textContent = mission.title;
    const again = mission.attempt > 1 ? `attempt ${mission.attempt}` : "";
    engine.textContent = [mission.spec.project, mission.engine, again].filter(Boolean).join(", ");
    progress.textContent = `${mission.progress.done}/${mission.progress.total}`;
    bar.max = Math.max(1, mission.progress.total);
    bar.value = mission.progress.done;
    tokens.textContent = count(mission.usage.prompt_tokens + mission.usage.completion_tokens);
    price.textContent = mission.usage.cost_usd == null ? "" : cost(mission.usage.cost_usd);
    this.#offer(mission);
    created.title = moment(mission.created_at);
    this.tick();
  }

  tick() {
    const { created_at, started_at, ended_at } = this.#mission;
    this.#slots.created.textContent = age(now() - Date.parse(created_at));
    this.#slots.duration.textContent = this.#duration(started_at, ended_at);
  }

  #offer({ status, title }) {
    const { action } = this.#slots;
    action.textContent = hasEnded(status) ? "Run again" : "Cancel";
    action.setAttribute("aria-label", `${action.textContent}: ${title}`);
    action.disabled = false;
  }

  async #act() {
    const { action } = this.#slots;
    action.disabled = true; // until the row is shown anew
    const { id, status } = this.#mission;
    try {
      await post(`/missions/${id}/${hasEnded(status) ? "retry" : "cancel"}`, {});
      if (hasEnded(status)) action.disabled = false;
    } catch (error) {
      action.textContent = `Failed: ${error.message}`;
      action.disabled = false;
    }
  }

  #duration(started, ended) {
    if (!started) return ""; // css/missions.css says so
    if (ended) return duration(Date.parse(ended) - Date.parse(started));
    return running(now() - Date.parse(started));
  }
}
