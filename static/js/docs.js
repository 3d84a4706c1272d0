/** The API's document, to read. Knows OpenAPI as far as ours goes: operations, parameters, answers, values. */
import { get } from "./api.js";
import { slots, stamp } from "./template.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

class Reference {
  #document;

  constructor(document) {
    this.#document = document;
  }

  show(page) {
    const { info, tags, components } = this.#document;
    page.version.textContent = `Version ${info.version}`;
    page.about.textContent = info.description;
    for (const tag of tags) this.#tag(page, tag);
    for (const [name, schema] of Object.entries(components.schemas)) page.values.append(value(name, schema));
  }

  #tag(page, { name, description }) {
    const section = stamp("tag");
    section.name.textContent = name;
    section.name.id = name.toLowerCase();
    section.text.textContent = description;
    section.root.append(...this.#operations(name));
    page.operations.append(section.root);
    page.contents.append(link(`#${section.name.id}`, name));
  }

  *#operations(tag) {
    for (const [path, item] of Object.entries(this.#document.paths)) {
      for (const method of METHODS) {
        if (item[method]?.tags.includes(tag)) yield this.#operation(method, path, item[method]);
      }
    }
  }

  #operation(method, path, operation) {
    const made = stamp("operation");
    made.root.id = operation.operationId;
    made.method.textContent = method.toUpperCase();
    made.path.textContent = path;
    made.summary.textContent = operation.summary;
    made.text.textContent = operation.description ?? "";
    const body = operation.requestBody?.content ?? {};
    made.parts.append(
      ...part("Parameters", (operation.parameters ?? []).map(parameter)),
      ...part("Body", Object.entries(body).map(([type, content]) => row(type, named(content.schema), example(content)))),
      ...part("Answers", Object.entries(operation.responses).map(([status, told]) => answer(status, told))),
    );
    return made.root;
  }
}

function part(name, rows) {
  if (rows.length === 0) return [];
  const made = stamp("part");
  made.name.textContent = name;
  made.rows.append(...rows);
  return [made.root];
}

function parameter({ name, in: place, required, description = "", schema }) {
  return row(name, [place, required && "required", short(schema), description].filter(Boolean).join(" · "));
}

function answer(status, { description, content = {} }) {
  const [type, first] = Object.entries(content)[0] ?? ["", {}];
  return row(status, [description, type, named(first.schema)].filter(Boolean).join(" · "), example(first));
}

function row(term, text, shown) {
  const made = stamp("row");
  made.term.textContent = term;
  made.text.textContent = text;
  made.example.hidden = shown === undefined;
  if (shown !== undefined) made.example.textContent = JSON.stringify(shown, null, 2);
  return made.root;
}

function value(name, schema) {
  const made = stamp("value");
  made.root.id = `value-${name}`;
  made.name.textContent = name;
  made.schema.textContent = JSON.stringify(schema, null, 2);
  return made.root;
}

function example(content) {
  return content.example ?? Object.values(content.examples ?? {})[0]?.value;
}

/** The name of a value that is described below, if it has one. */
function named(schema = {}) {
  const parts = [schema, ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  return parts.map((one) => one.$ref?.split("/").at(-1)).filter(Boolean).join(" or ");
}

function short({ type, enum: values, minimum, maximum, pattern }) {
  if (values) return values.join(", ");
  if (minimum !== undefined) return `${type} ${minimum} … ${maximum}`;
  return pattern ?? type;
}

function link(href, text) {
  const made = document.createElement("a");
  made.href = href;
  made.textContent = text;
  return made;
}

new Reference(await get("/openapi.json")).show(slots(document));
if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
