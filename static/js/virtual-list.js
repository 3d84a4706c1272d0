/** A list of any length in a box that scrolls: only the rows in view are elements. */

const BEYOND = 12; // rows above and below, so that scrolling meets no gap
const NEAR_PX = 24;

export class VirtualList {
  #root;
  #rowPx;
  #draw;
  #space = document.createElement("div");
  #rows = new Map();
  #items = [];
  #frame = 0;

  /** root: the box. rowPx: the height of each row. draw(item, index): its element. */
  constructor(root, rowPx, draw) {
    this.#root = root;
    this.#rowPx = rowPx;
    this.#draw = draw;
    this.#space.className = "virtual";
    this.#space.setAttribute("role", "list");
    root.append(this.#space);
    root.addEventListener("scroll", () => this.#soon(), { passive: true });
    root.addEventListener("keydown", (event) => this.#move(event));
    new ResizeObserver(() => this.#soon()).observe(root);
  }

  /** Show these, and follow the end if the reader was there. changed: rows that stay are drawn anew. */
  show(items, { changed = true, follow = true } = {}) {
    const atEnd = follow && this.#isAtEnd();
    this.#items = items;
    this.#space.style.height = `${items.length * this.#rowPx}px`;
    if (changed) this.#clear();
    if (atEnd) this.#root.scrollTop = this.#root.scrollHeight;
    this.#render();
  }

  /** Bring a row into view and focus it. */
  reveal(index) {
    this.#root.scrollTop = Math.max(0, (index - 3) * this.#rowPx);
    this.#render();
    this.#rows.get(index)?.querySelector("button")?.focus({ preventScroll: true });
  }

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#root;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => this.#render());
  }

  #render() {
    this.#frame = 0;
    const { scrollTop, clientHeight } = this.#root;
    if (!clientHeight) return; // not on view
    const from = Math.max(0, Math.floor(scrollTop / this.#rowPx) - BEYOND);
    const to = Math.min(this.#items.length, Math.ceil((scrollTop + clientHeight) / this.#rowPx) + BEYOND);
    for (const [index, row] of this.#rows) {
      if (index >= from && index < to) continue;
      row.remove();
      this.#rows.delete(index);
    }
    for (let index = from; index < to; index++) if (!this.#rows.has(index)) this.#add(index);
  }

  #add(index) {
    const row = this.#draw(this.#items[index], index);
    row.style.top = `${index * this.#rowPx}px`;
    row.setAttribute("role", "listitem");
    row.setAttribute("aria-setsize", this.#items.length);
    row.setAttribute("aria-posinset", index + 1);
    row.dataset.index = index;
    this.#rows.set(index, row);
    this.#space.append(row);
  }

  #clear() {
    this.#rows.forEach((row) => row.remove());
    this.#rows.clear();
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("[data-index]");
    if (!step || !row) return;
    event.preventDefault();
    const next = Number(row.dataset.index) + step;
    const top = next * this.#rowPx;
    if (top < this.#root.scrollTop) this.#root.scrollTop = top;
    const below = top + this.#rowPx - this.#root.clientHeight;
    if (below > this.#root.scrollTop) this.#root.scrollTop = below;
    this.#render();
    this.#rows.get(next)?.querySelector("button")?.focus({ preventScroll: true });
  }
}
