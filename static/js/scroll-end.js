/** Keeps the end of the page in view, until the reader goes up. */

const NEAR_PX = 48;
// What is being answered stands still: a button that moves away under the pointer is not clicked.
const ANSWERED = "form.question:hover, form.question:focus-within";

export class ScrollEnd {
  #button;
  #growing = false;
  #following = true;

  /** button: takes a reader who has gone up back to the end. */
  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.show());
    addEventListener("scroll", () => this.#growing && this.#look(), { passive: true });
    // what comes into view is laid out only then, and may be taller than was thought
    new ResizeObserver(() => this.#growing && this.#keep()).observe(document.body);
  }

  /** growing: whether there is a live end at all. */
  set growing(growing) {
    this.#growing = growing;
    this.#offer();
  }

  /** Change the page, and follow its end if the reader is there. */
  around(change) {
    change();
    this.#keep();
  }

  show() {
    const page = document.scrollingElement;
    this.#following = true;
    page.scrollTo({ top: page.scrollHeight, behavior: "instant" });
    this.#offer();
  }

  #keep() {
    if (this.#growing && this.#following && !document.querySelector(ANSWERED)) this.show();
    else this.#offer();
  }

  #look() {
    const page = document.scrollingElement;
    this.#following = page.scrollHeight - page.scrollTop - page.clientHeight < NEAR_PX;
    this.#offer();
  }

  #offer() {
    this.#button.hidden = !this.#growing || this.#following;
  }
}
