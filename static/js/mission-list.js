/** The missions, newest first. A row is what the server says of its mission, never folded from events. */
import { Problem, get } from "./api.js";
import { persist } from "./backoff.js";
import { MissionRow } from "./mission-row.js";
import { Refresher } from "./refresher.js";
import { slots } from "./template.js";
import { everySecond } from "./ticker.js";

const PAGE = 50;

export class MissionList {
  #root;
  #slots;
  #rows = new Map();
  #stale = new Set();
  #refresher = new Refresher(() => this.#refresh());

  constructor(root) {
    this.#root = root;
    this.#slots = slots(root);
    this.#slots.more.addEventListener("click", () => this.#loadMore());
    everySecond(() => this.#rows.forEach((row) => row.tick()));
  }

  /** The newest missions, instead of what is shown. Returns the cursor of that snapshot. */
  async load() {
    const page = await persist(() => get(`/missions?limit=${PAGE}`));
    this.#rows.forEach((row) => row.root.remove());
    this.#rows.clear();
    this.#add(page);
    return page.as_of;
  }

  /** Something happened to these missions. */
  changed(ids) {
    ids.forEach((id) => this.#stale.add(id));
    this.#refresher.soon();
  }

  async #loadMore() {
    const { more } = this.#slots;
    more.disabled = true;
    try {
      this.#add(await persist(() => get(`/missions?limit=${PAGE}&before=${this.#oldest()}`)));
    } finally {
      more.disabled = false;
    }
  }

  #add(page) {
    page.missions.forEach((mission) => this.#show(mission));
    this.#slots.more.hidden = !page.more;
    this.#tellWhetherEmpty();
  }

  async #refresh() {
    for (const id of this.#stale) {
      this.#stale.delete(id); // before the answer: what happens meanwhile makes it stale again
      const beyond = !this.#slots.more.hidden && id < this.#oldest();
      if (!beyond) await this.#fetch(id);
    }
    this.#tellWhetherEmpty();
  }

  async #fetch(id) {
    try {
      this.#show(await get(`/missions/${id}`));
    } catch (error) {
      if (!(error instanceof Problem)) {
        this.#stale.add(id);
        throw error;
      }
      this.#rows.get(id)?.root.remove();
      this.#rows.delete(id);
    }
  }

  #show(mission) {
    let row = this.#rows.get(mission.id);
    if (!row) {
      row = new MissionRow(mission.id);
      this.#rows.set(mission.id, row);
      this.#slots.rows.insertBefore(row.root, this.#rowBelow(mission.id));
    }
    row.show(mission);
  }

  #rowBelow(id) {
    return Array.from(this.#slots.rows.children).find((row) => Number(row.dataset.mission) < id) ?? null;
  }

  #oldest() {
    return Math.min(...this.#rows.keys());
  }

  #tellWhetherEmpty() {
    this.#root.dataset.state = this.#rows.size ? "some" : "empty";
  }
}
