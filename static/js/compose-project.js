/** A mission from a registered project: a form drawn from the inputs that it declares. */
import { SchemaForm } from "./schema-form.js";
import { stamp } from "./template.js";

export class ComposeProject {
  #slots = stamp("compose-project");
  #form;
  #given;

  constructor(project, spec, onChange) {
    this.#given = spec;
    const { root, about, title, inputs } = this.#slots;
    about.textContent = [project.description, project.engine].filter(Boolean).join(" · ");
    title.value = spec.title ?? "";
    this.#form = new SchemaForm(project.inputs ?? { type: "object", properties: {} }, spec.inputs);
    inputs.append(this.#form.root);
    root.addEventListener("input", onChange);
  }

  get root() {
    return this.#slots.root;
  }

  /** As far as it is valid. */
  get spec() {
    try {
      return this.read();
    } catch {
      return this.#with(this.#given.inputs);
    }
  }

  /** Throws FieldError. */
  read() {
    return this.#with(this.#form.read());
  }

  at(pointer) {
    if (pointer === "/title") return this.#slots.title;
    return pointer.startsWith("/inputs/") ? this.#form.at(pointer.slice("/inputs".length)) : null;
  }

  #with(inputs) {
    const { title, ...rest } = this.#given;
    const named = this.#slots.title.value;
    return { ...(named && { title: named }), ...rest, inputs };
  }
}
