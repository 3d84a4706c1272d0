/** Tabs as ARIA means them: arrow keys move between them, and the address says which one is open. */

const BESIDE_PX = 64; // of the tab before it, so that one sees that there are more

export class Tabs {
  #tabs;
  #onShow;

  /** list: role=tablist, its tabs with data-view. onShow(view, before). */
  constructor(list, onShow) {
    this.#tabs = [...list.querySelectorAll("[role=tab]")];
    this.#onShow = onShow;
    list.addEventListener("keydown", (event) => this.#key(event));
    for (const tab of this.#tabs) tab.addEventListener("click", () => this.show(tab.dataset.view));
  }

  get current() {
    return this.#tabs.find((tab) => tab.ariaSelected === "true")?.dataset.view;
  }

  /** Open what the address names, else the first. */
  start() {
    const view = new URLSearchParams(location.search).get("view");
    const known = this.#tabs.some((tab) => tab.dataset.view === view);
    this.#open(known ? view : this.#tabs[0].dataset.view);
  }

  show(view) {
    const address = new URL(location);
    if (view === this.#tabs[0].dataset.view) address.searchParams.delete("view");
    else address.searchParams.set("view", view);
    address.hash = "";
    history.replaceState(null, "", address);
    this.#open(view);
  }

  #open(view) {
    const before = this.current;
    for (const tab of this.#tabs) {
      const chosen = tab.dataset.view === view;
      tab.ariaSelected = String(chosen);
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen) tab.parentElement.scrollLeft = tab.offsetLeft - BESIDE_PX; // on a phone not all fit
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
    }
    this.#onShow(view, before);
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = this.#tabs.indexOf(event.target);
    const tab = this.#tabs.at((at + step) % this.#tabs.length);
    tab.focus();
    this.show(tab.dataset.view);
  }
}
