/** One mission in the list. */
import { NONE, age, count, duration, moment, running } from "./quantities.js";
import { now } from "./server-clock.js";
import { showStatus } from "./status.js";
import { stamp } from "./template.js";

export class MissionRow {
  #slots;
  #mission = null;

  constructor(id) {
    this.#slots = stamp("mission-row");
    this.root.dataset.mission = id;
    this.#slots.title.href = `/m/${id}`;
  }

  get root() {
    return this.#slots.root;
  }

  show(mission) {
    this.#mission = mission;
    const { status, title, engine, progress, bar, tokens, created } = this.#slots;
    showStatus(status, mission.status);
    title.textContent = mission.title;
    engine.textContent = mission.attempt > 1 ? `${mission.engine}, attempt ${mission.attempt}` : mission.engine;
    progress.textContent = `${mission.progress.done}/${mission.progress.total}`;
    bar.max = Math.max(1, mission.progress.total);
    bar.value = mission.progress.done;
    tokens.textContent = count(mission.usage.prompt_tokens + mission.usage.completion_tokens);
    created.title = moment(mission.created_at);
    this.tick();
  }

  tick() {
    const { created_at, started_at, ended_at } = this.#mission;
    this.#slots.created.textContent = age(now() - Date.parse(created_at));
    this.#slots.duration.textContent = this.#duration(started_at, ended_at);
  }

  #duration(started, ended) {
    if (!started) return NONE;
    if (ended) return duration(Date.parse(ended) - Date.parse(started));
    return running(now() - Date.parse(started));
  }
}
