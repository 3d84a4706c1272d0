/** Which missions the list shows. It stands in the address, so that it can be kept and sent. */

const APART_MS = 200; // between key presses that are one search

export class MissionFilter {
  #chips;
  #form;
  #onChange;
  #timer = 0;

  constructor({ chips, filters, clear }, onChange) {
    this.#chips = [...chips.children];
    this.#form = filters;
    this.#onChange = onChange;
    for (const chip of this.#chips) chip.addEventListener("click", () => this.#toggle(chip));
    filters.addEventListener("input", () => this.#soon());
    filters.addEventListener("submit", (event) => event.preventDefault());
    clear.addEventListener("click", () => this.#clear());
    addEventListener("popstate", () => this.#restore());
    this.#read();
  }

  /** As GET /missions takes it; "" for all. */
  get query() {
    const statuses = this.#chips.filter(isOn).map((chip) => chip.dataset.status);
    const { engine, q } = this.#form.elements;
    const given = { status: statuses.join(), engine: engine.value, q: q.value.trim() };
    return new URLSearchParams(Object.entries(given).filter(([, value]) => value)).toString();
  }

  #read() {
    const given = new URLSearchParams(location.search);
    const statuses = (given.get("status") ?? "").split(",");
    for (const chip of this.#chips) press(chip, statuses.includes(chip.dataset.status));
    for (const name of ["engine", "q"]) this.#form.elements[name].value = given.get(name) ?? "";
  }

  #restore() {
    this.#read();
    this.#onChange();
  }

  #toggle(chip) {
    press(chip, !isOn(chip));
    this.#change();
  }

  #clear() {
    this.#chips.forEach((chip) => press(chip, false));
    this.#form.reset();
    this.#change();
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#change(), APART_MS);
  }

  #change() {
    const { query } = this;
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    this.#onChange();
  }
}

const isOn = (chip) => chip.ariaPressed === "true";
const press = (chip, on) => (chip.ariaPressed = String(on));
