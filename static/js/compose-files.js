/** The files that go with a new mission: dropped, or chosen. */
import { bytes } from "./quantities.js";
import { stamp } from "./template.js";

export class ComposeFiles {
  #list;
  #files = new Map();
  #onChange;

  constructor({ drop, picker, fileList }, onChange) {
    this.#list = fileList;
    this.#onChange = onChange;
    picker.addEventListener("change", () => {
      this.#add(picker.files);
      picker.value = "";
    });
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.dataset.over = "";
    });
    for (const end of ["dragleave", "drop"]) drop.addEventListener(end, () => delete drop.dataset.over);
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#add(event.dataTransfer.files);
    });
  }

  get names() {
    return [...this.#files.keys()];
  }

  /** The body that carries a spec and the files. */
  with(spec) {
    if (!this.#files.size) return spec;
    const form = new FormData();
    form.append("mission", JSON.stringify(spec));
    this.#files.forEach((file) => form.append("file", file));
    return form;
  }

  #add(files) {
    for (const file of files) this.#files.set(file.name, file);
    this.#draw();
  }

  #draw() {
    this.#list.replaceChildren(...[...this.#files.values()].map((file) => this.#row(file)));
    this.#onChange();
  }

  #row(file) {
    const { root, name, size, remove } = stamp("compose-file");
    name.textContent = file.name;
    size.textContent = bytes(file.size);
    remove.addEventListener("click", () => {
      this.#files.delete(file.name);
      this.#draw();
    });
    return root;
  }
}
