/** An error in its place in the transcript. */
import { stamp } from "./template.js";

export class ErrorLine {
  #slots = stamp("error");

  constructor({ name, data }) {
    this.#slots.root.dataset.error = data.code ?? name;
    this.#slots.code.textContent = data.code ?? name;
    this.#slots.message.textContent = data.message ?? "";
  }

  get root() {
    return this.#slots.root;
  }
}
