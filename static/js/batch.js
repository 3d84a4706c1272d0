/** Gathers events and applies them at most once a frame; in a hidden tab, which has no frames, by a timer. */

const NO_FRAME_MS = 250;

export class Batch {
  #apply;
  #waiting = [];
  #frame = 0;
  #timer = 0;

  constructor(apply) {
    this.#apply = apply;
  }

  add(events) {
    if (!this.#waiting.length) {
      this.#frame = requestAnimationFrame(() => this.#run());
      this.#timer = setTimeout(() => this.#run(), NO_FRAME_MS);
    }
    this.#waiting = this.#waiting.concat(events);
  }

  /** What was gathered no longer counts. */
  clear() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  #run() {
    const events = this.#waiting;
    this.clear();
    this.#apply(events);
  }
}
