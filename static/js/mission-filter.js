/** Which missions the list shows. It stands in the address, so that it can be kept and sent. */
import { get } from "./api.js";
import { persist } from "./backoff.js";

const FIELDS = ["engine", "project", "q"];
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
    this.#offerProjects().catch(() => null); // then there are none to choose
  }

  /** As GET /missions takes it; "" for all. */
  get query() {
    const statuses = this.#chips.filter(isOn).map((chip) => chip.dataset.status);
    const given = [["status", statuses.join()], ...FIELDS.map((name) => [name, this.#form.elements[name].value.trim()])];
    return new URLSearchParams(given.filter(([, value]) => value)).toString();
  }

  #read() {
    const given = new URLSearchParams(location.search);
    const statuses = (given.get("status") ?? "").split(",");
    for (const chip of this.#chips) press(chip, statuses.includes(chip.dataset.status));
    this.#offer([given.get("project") ?? ""]); // one that is registered no longer is still asked for
    for (const name of FIELDS) this.#form.elements[name].value = given.get(name) ?? "";
  }

  async #offerProjects() {
    const { projects } = await persist(() => get("/projects"));
    this.#offer(projects.map(({ name }) => name));
  }

  #offer(names) {
    const { project } = this.#form.elements;
    const known = new Set(Array.from(project.options, ({ value }) => value));
    project.append(...names.filter((name) => !known.has(name)).map((name) => new Option(name, name)));
    project.parentElement.hidden = project.options.length < 2;
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
