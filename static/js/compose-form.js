/** Agents and a plan as fields. Each is bound to its place in the spec by a JSON pointer. */
import { slots, stamp } from "./template.js";
import { readPointer, writePointer } from "./pointer.js";

const PLACEHOLDER = /\{([A-Za-z_][A-Za-z0-9_-]*)\}/g;
const NEW_AGENT = { name: "", role: "", goal: "", backstory: "" };
const NEEDED = new Set(["name", "role", "goal", "backstory", "description", "expected_output", "agent"]);

export class ComposeForm {
  root = document.createElement("div");
  #spec;
  #offer;
  #onChange;
  #parts;

  /** spec: is kept and changed. offer: {models, tools}. */
  constructor(spec, offer, onChange) {
    this.#spec = structuredClone(spec);
    this.#offer = offer;
    this.#onChange = onChange;
    this.#draw();
  }

  get spec() {
    return this.#spec;
  }

  read() {
    return this.#spec;
  }

  /** The field that a JSON pointer means, or the nearest around it. */
  at(pointer) {
    for (let path = pointer; path; path = path.slice(0, path.lastIndexOf("/"))) {
      const field = this.root.querySelector(`[data-pointer="${CSS.escape(path)}"]`);
      if (field) return field;
    }
    return null;
  }

  #draw() {
    const { root, ...parts } = stamp("compose-mission");
    this.#parts = parts;
    this.root.replaceChildren(root);
    this.#bind(root, "");
    this.#items("agents", "compose-agent", parts.agents, (item, i) => this.#tools(slots(item).tools, `/agents/${i}/tools`));
    this.#items("plan", "compose-task", parts.plan, () => {});
    parts.addAgent.addEventListener("click", () => this.#add("agents", { ...NEW_AGENT }));
    parts.addTask.addEventListener("click", () => this.#add("plan", this.#newTask()));
    this.#inputs();
  }

  #newTask() {
    return { name: "", description: "", expected_output: "", agent: this.#list("agents")[0]?.name ?? "" };
  }

  #list(part) {
    return Array.isArray(this.#spec[part]) ? this.#spec[part] : [];
  }

  #items(part, template, root, finish) {
    this.#list(part).forEach((_, i) => {
      const { root: item, remove } = stamp(template);
      this.#bind(item, `/${part}/${i}/`);
      finish(item, i);
      remove.addEventListener("click", () => {
        this.#spec[part].splice(i, 1);
        this.#redraw();
      });
      root.append(item);
    });
  }

  #add(part, item) {
    this.#spec[part] = [...this.#list(part), item];
    this.#redraw();
    this.at(`/${part}/${this.#spec[part].length - 1}/name`)?.focus();
  }

  #redraw() {
    this.#draw();
    this.#onChange();
  }

  #bind(root, prefix) {
    for (const field of root.querySelectorAll("[data-at]")) {
      if (field.dataset.pointer) continue;
      const pointer = (field.dataset.pointer = prefix + field.dataset.at);
      if (field.dataset.choices) this.#choices(field);
      show(field, readPointer(this.#spec, pointer));
      field.addEventListener("input", () => this.#take(pointer, read(field)));
      // the names of agents are choices elsewhere: known when it has been typed
      if (/^\/agents\/\d+\/name$/.test(pointer)) field.addEventListener("change", () => this.#redraw());
    }
  }

  #choices(select) {
    const agents = select.dataset.choices === "agents";
    const names = agents ? this.#list("agents").map(({ name }) => name) : this.#offer.models;
    const value = readPointer(this.#spec, select.dataset.pointer);
    const all = new Set([...names, ...(value ? [value] : [])]);
    select.replaceChildren(new Option(agents ? "" : "the usual one", ""), ...[...all].map((name) => new Option(name, name)));
  }

  #take(pointer, value) {
    writePointer(this.#spec, pointer, value);
    this.#inputs();
    this.#onChange();
  }

  #tools(root, pointer) {
    const given = readPointer(this.#spec, pointer) ?? [];
    const named = new Map(given.map((tool) => [tool.name ?? tool, tool.approve === true]));
    root.dataset.pointer = pointer;
    root.tabIndex = -1;
    for (const tool of new Set([...this.#offer.tools, ...named.keys()])) {
      const { root: choice, use, approve, name } = stamp("compose-tool");
      name.textContent = use.value = tool;
      use.checked = named.has(tool);
      approve.checked = named.get(tool) === true;
      approve.addEventListener("input", () => (use.checked ||= approve.checked));
      use.addEventListener("input", () => (approve.checked &&= use.checked));
      root.append(choice);
    }
    root.addEventListener("input", () => this.#take(pointer, readTools(root)));
  }

  /** A field for each placeholder that some text has. */
  #inputs() {
    const { inputs, inputsPart } = this.#parts;
    const texts = JSON.stringify([this.#spec.agents, this.#spec.plan]);
    const names = new Set([...Object.keys(this.#spec.inputs ?? {}), ...[...texts.matchAll(PLACEHOLDER)].map(([, name]) => name)]);
    inputsPart.hidden = !names.size;
    const shown = [...inputs.children].map((label) => label.dataset.name);
    if (shown.join("\n") === [...names].join("\n")) return;
    inputs.replaceChildren(...[...names].map((name) => this.#input(name)));
  }

  #input(key) {
    const { root, name, value } = stamp("compose-input");
    const pointer = `/inputs/${key}`;
    root.dataset.name = name.textContent = key;
    value.dataset.pointer = pointer;
    value.value = readPointer(this.#spec, pointer) ?? "";
    value.addEventListener("input", () => this.#take(pointer, value.value || undefined));
    return root;
  }
}

function readTools(root) {
  const chosen = [...root.children].map((choice) => slots(choice)).filter(({ use }) => use.checked);
  const tools = chosen.map(({ use, approve }) => (approve.checked ? { name: use.value, approve: true } : use.value));
  return tools.length ? tools : undefined;
}

function show(field, value) {
  if (field.type === "checkbox") field.checked = value === true;
  else if (field.dataset.as === "names") field.value = Array.isArray(value) ? value.join(", ") || "none" : "";
  else field.value = value ?? (field.tagName === "SELECT" ? (field.options[0]?.value ?? "") : "");
}

/** The field's value for the spec; undefined leaves it out. */
function read(field) {
  if (field.type === "checkbox") return field.checked || undefined;
  if (field.dataset.as === "number") return field.value === "" ? undefined : Number(field.value);
  if (field.dataset.as === "names") return readNames(field.value.trim());
  return field.value === "" && !NEEDED.has(field.dataset.at) ? undefined : field.value;
}

function readNames(text) {
  if (!text) return undefined;
  return text === "none" ? [] : text.split(",").map((name) => name.trim()).filter(Boolean);
}
