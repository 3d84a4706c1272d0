/** Fields drawn from a JSON Schema, and the object that they hold. What has no field of its own is JSON. */
import { FieldError } from "./field-error.js";

const LONG_TEXT = 200;
const INPUT_TYPES = { date: "date", email: "email", uri: "url", time: "time" };

export class SchemaForm {
  root = document.createElement("div");
  #fields = new Map(); // pointer: { element, read }
  #object;

  /** value: what stands in it at first; the schema's defaults where it says nothing. */
  constructor(schema, value = {}) {
    this.root.className = "fields";
    const object = schema.type === "object" || schema.properties;
    this.#object = object ? this.#properties(this.root, schema, value, "") : this.#one(this.root, "Answer", schema, value, "", true);
  }

  /** The object. Throws FieldError. */
  read() {
    return this.#object();
  }

  /** All that stands in the fields, valid or not. */
  get text() {
    return JSON.stringify([...this.#fields.values()].map(({ element }) => (element.type === "checkbox" ? element.checked : element.value)));
  }

  /** The field that a JSON pointer means. */
  at(pointer) {
    for (let path = pointer; path; path = path.slice(0, path.lastIndexOf("/"))) {
      if (this.#fields.has(path)) return this.#fields.get(path).element;
    }
    return null;
  }

  #properties(parent, { properties = {}, required = [] }, value, pointer) {
    const reads = Object.entries(properties).map(([name, schema]) => {
      const path = `${pointer}/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`;
      const start = value?.[name] ?? schema.default;
      return [name, this.#one(parent, schema.title ?? name, schema, start, path, required.includes(name))];
    });
    return () => {
      const read = reads.map(([name, get]) => [name, get()]).filter(([, found]) => found !== undefined);
      return Object.fromEntries(read);
    };
  }

  #one(parent, name, schema, value, pointer, required) {
    if (schema.type === "object" && schema.properties) {
      const group = document.createElement("fieldset");
      const legend = document.createElement("legend");
      legend.textContent = name;
      group.append(legend);
      parent.append(group);
      return this.#properties(group, schema, value, pointer);
    }
    const { element, read } = fieldOf(schema, value);
    element.required = required && element.type !== "checkbox";
    this.#fields.set(pointer, { element });
    parent.append(labelled(element, name, schema.description, required));
    return () => checked(element, read, required);
  }
}

function checked(element, read, required) {
  const value = read();
  if (value === undefined && required) throw new FieldError(element, "This is needed.");
  return value;
}

function labelled(element, name, description, required) {
  const label = document.createElement("label");
  const text = document.createElement("span");
  text.textContent = required ? name : `${name} (optional)`;
  if (element.type === "checkbox") {
    label.className = "option";
    text.textContent = name;
    label.append(element, text);
  } else label.append(text, element);
  if (description) {
    const hint = document.createElement("span");
    hint.className = "hint";
    hint.textContent = description;
    label.append(hint);
  }
  return label;
}

/** The element for a value of this schema, and how its value is read: undefined for none. */
function fieldOf(schema, value) {
  if (schema.enum) return choice(schema.enum, value);
  if (schema.type === "boolean") return checkbox(value);
  if (schema.type === "integer" || schema.type === "number") return number(schema, value);
  if (schema.type === "array" && schema.items?.type === "string" && !schema.items.enum) return listOfLines(value);
  if (schema.type === "string") return text(schema, value);
  return json(value);
}

function choice(options, value) {
  const element = document.createElement("select");
  element.append(new Option("", ""), ...options.map((option, i) => new Option(String(option), i, false, option === value)));
  return { element, read: () => (element.value === "" ? undefined : options[element.value]) };
}

function checkbox(value) {
  const element = input("checkbox");
  element.checked = value === true;
  return { element, read: () => element.checked };
}

function number({ type, minimum, maximum }, value) {
  const element = input("number", value);
  element.step = type === "integer" ? 1 : "any";
  if (minimum !== undefined) element.min = minimum;
  if (maximum !== undefined) element.max = maximum;
  const read = () => {
    if (element.validity.badInput) throw new FieldError(element, "This is no number.");
    return element.value === "" ? undefined : Number(element.value);
  };
  return { element, read };
}

function text({ format, maxLength, minLength }, value) {
  const long = maxLength > LONG_TEXT || String(value ?? "").includes("\n");
  const element = long ? area(value) : input(INPUT_TYPES[format] ?? "text", value);
  const read = () => (element.value === "" && minLength !== 0 ? undefined : element.value);
  return { element, read };
}

function listOfLines(value) {
  const element = area((value ?? []).join("\n"));
  element.placeholder = "One on each line";
  const read = () => {
    const lines = element.value.split("\n").filter((line) => line.trim());
    return lines.length ? lines : undefined;
  };
  return { element, read };
}

function json(value) {
  const element = area(value === undefined ? "" : JSON.stringify(value, null, 2));
  element.className = "code";
  const read = () => {
    if (!element.value.trim()) return undefined;
    try {
      return JSON.parse(element.value);
    } catch (error) {
      throw new FieldError(element, `This is not JSON: ${error.message}`);
    }
  };
  return { element, read };
}

function input(type, value) {
  const element = document.createElement("input");
  element.type = type;
  if (value !== undefined && value !== null) element.value = value;
  element.autocomplete = "off";
  return element;
}

function area(value) {
  const element = document.createElement("textarea");
  element.rows = 3;
  element.value = value ?? "";
  return element;
}
