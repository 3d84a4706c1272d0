/** The missions, newest first. A row is what the server says of its mission, never folded from events. */
import { get } from "./api.js";
import { persist } from "./backoff.js";
import { MissionFilter } from "./mission-filter.js";
import { MissionRow } from "./mission-row.js";
import { Refresher } from "./refresher.js";
import { slots } from "./template.js";
import { everySecond } from "./ticker.js";

const PAGE = 50;

export class MissionList {
  #root;
  #slots;
  #filter;
  #rows = new Map();
  #stale = new Set();
  #more = false;
  #loads = 0;
  #refresher = new Refresher(() => this.#refresh());

  constructor(root) {
    this.#root = root;
    this.#slots = slots(root);
    this.#filter = new MissionFilter(this.#slots, () => this.load());
    this.#slots.more.addEventListener("click", () => this.#loadMore());
    everySecond(() => this.#rows.forEach((row) => row.tick()));
  }

  /** The newest missions that fit, instead of what is shown. Returns the cursor of that snapshot. */
  async load() {
    const load = ++this.#loads;
    const page = await persist(() => get(this.#path(`limit=${PAGE}`)));
    if (load !== this.#loads) return page.as_of; // another filter was chosen meanwhile
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

  #path(rest) {
    return `/missions?${[this.#filter.query, rest].filter(Boolean).join("&")}`;
  }

  async #loadMore() {
    const { more } = this.#slots;
    more.disabled = true;
    try {
      this.#add(await persist(() => get(this.#path(`limit=${PAGE}&before=${this.#oldest()}`))));
    } finally {
      more.disabled = false;
    }
  }

  #add(page) {
    page.missions.forEach((mission) => this.#show(mission));
    this.#more = page.more;
    this.#slots.more.hidden = !page.more;
    this.#tellWhetherEmpty();
  }

  async #refresh() {
    for (const id of this.#stale) {
      this.#stale.delete(id); // before the answer: what happens meanwhile makes it stale again
      const beyond = this.#more && id < this.#oldest();
      if (!beyond) await this.#fetch(id);
    }
    this.#tellWhetherEmpty();
  }

  /** The server says whether it is there and still fits. */
  async #fetch(id) {
    try {
      const { missions } = await get(this.#path(`limit=1&before=${id + 1}`));
      if (missions[0]?.id === id) this.#show(missions[0]);
      else this.#remove(id);
    } catch (error) {
      this.#stale.add(id);
      throw error;
    }
  }

  #remove(id) {
    this.#rows.get(id)?.root.remove();
    this.#rows.delete(id);
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
    const none = this.#filter.query ? "none" : "empty";
    this.#root.dataset.state = this.#rows.size ? "some" : none;
  }
}
