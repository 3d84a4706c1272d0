/** Keeps the end of the page in view, for a reader who is there. */

const NEAR_PX = 48;

export class ScrollEnd {
  #button;
  #growing = false;

  /** button: takes a reader who has gone up back to the end. */
  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.show());
    addEventListener("scroll", () => this.#offer(), { passive: true });
  }

  /** growing: whether there is a live end at all. */
  set growing(growing) {
    this.#growing = growing;
    this.#offer();
  }

  /** Change the page, and follow its end if the reader was there. */
  around(change) {
    const follow = this.#growing && this.#isNear();
    change();
    if (follow) this.show();
    this.#offer();
  }

  show() {
    const page = document.scrollingElement;
    page.scrollTo({ top: page.scrollHeight, behavior: "instant" });
  }

  #isNear() {
    const page = document.scrollingElement;
    return page.scrollHeight - page.scrollTop - page.clientHeight < NEAR_PX;
  }

  #offer() {
    this.#button.hidden = !this.#growing || this.#isNear();
  }
}
