/** What the mission was asked to do, as JSON. */
import { copyOnClick } from "./copy.js";

export class SpecView {
  #slots;

  constructor(slots, id) {
    this.#slots = slots;
    copyOnClick(slots.copySpec, () => slots.json.textContent);
    slots.reuse.href = `/new?from=${id}`;
  }

  show({ spec }) {
    this.#slots.json.textContent = JSON.stringify(spec, null, 2);
  }

  apply() {}

  clear() {}

  set visible(_) {}
}
