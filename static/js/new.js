/** The page `/new`: a mission as a form, and the same as JSON beside it, kept in step. */
import { Problem, get, post } from "./api.js";
import { persist } from "./backoff.js";
import { ComposeFiles } from "./compose-files.js";
import { ComposeForm } from "./compose-form.js";
import { ComposeProject } from "./compose-project.js";
import { copyOnClick } from "./copy.js";
import { example } from "./example.js";
import { FieldError, clearFaults, tellAt } from "./field-error.js";
import { OnceKey } from "./idempotency.js";
import { showProblem } from "./problem-list.js";
import { slots } from "./template.js";

const TRIES = 6; // with their pauses about as long as a server's restart
const EMPTY = {
  title: "",
  agents: [{ name: "writer", role: "", goal: "", backstory: "" }],
  plan: [{ name: "draft", description: "", expected_output: "", agent: "writer" }],
};

class Composer {
  #slots = slots(document.getElementById("compose"));
  #files;
  #form = null; // of the spec that is composed: a ComposeForm or a ComposeProject
  #offer = { models: [], tools: [], projects: [] };
  #once = new OnceKey();

  async start() {
    const { form, json, curl, example: fill, project } = this.#slots;
    this.#files = new ComposeFiles(this.#slots, () => this.#changed());
    form.addEventListener("submit", (event) => this.#submit(event));
    json.addEventListener("input", () => this.#takeJson());
    project.addEventListener("change", () => this.#show(project.value ? { project: project.value, inputs: {} } : EMPTY));
    fill.addEventListener("click", async () => this.#show(await example("")));
    copyOnClick(curl, () => this.#curl());
    try {
      await this.#load();
    } finally {
      document.getElementById("compose").inert = false; // from here on nothing is drawn over what somebody writes
    }
  }

  async #load() {
    const [offer, { projects }] = await Promise.all(["/offers", "/projects"].map((path) => persist(() => get(path))));
    this.#offer = { ...offer, projects: projects.filter(({ available }) => available) };
    const { project, projectPart } = this.#slots;
    project.append(...this.#offer.projects.map(({ name }) => new Option(name, name)));
    projectPart.hidden = !this.#offer.projects.length;
    const from = Number(new URLSearchParams(location.search).get("from"));
    this.#show(from ? withoutDefaults((await get(`/missions/${from}`)).spec) : EMPTY);
  }

  /** Draw the form for a spec; the JSON follows, unless it is where the spec comes from. */
  #show(spec, { json = true } = {}) {
    const { fields, project } = this.#slots;
    const known = this.#offer.projects.find(({ name }) => name === spec.project);
    project.value = known ? known.name : "";
    this.#form = known ? new ComposeProject(known, spec, () => this.#changed()) : new ComposeForm(spec, this.#offer, () => this.#changed());
    fields.replaceChildren(this.#form.root);
    if (json) this.#changed();
  }

  /** The form has changed. */
  #changed() {
    const { json, jsonFault } = this.#slots;
    jsonFault.hidden = true;
    json.value = JSON.stringify(this.#form.spec, null, 2);
  }

  /** The JSON has changed. */
  #takeJson() {
    const { json, jsonFault } = this.#slots;
    try {
      const spec = JSON.parse(json.value);
      if (typeof spec !== "object" || spec === null || Array.isArray(spec)) throw new Error("it has to be an object");
      this.#show(spec, { json: false });
      jsonFault.hidden = true;
    } catch (error) {
      jsonFault.textContent = `This is not a mission: ${error.message}`;
      jsonFault.hidden = false;
    }
  }

  async #submit(event) {
    event.preventDefault();
    const { form, problems, jsonFault } = this.#slots;
    const button = form.querySelector("[type=submit]");
    clearFaults(form);
    showProblem(problems, null);
    if (!jsonFault.hidden) return jsonFault.scrollIntoView();
    button.disabled = true;
    try {
      const spec = this.#form.read();
      const key = this.#once.for([spec, this.#files.names]);
      const mission = await persist(() => post("/missions", this.#files.with(spec), { key }), { tries: TRIES });
      this.#once.done();
      location.assign(`/m/${mission.id}`);
    } catch (error) {
      this.#tell(error);
      button.disabled = false;
    }
  }

  /** What is wrong, at the fields that the server names; what has no field, in a list. */
  #tell(error) {
    if (error instanceof FieldError) {
      tellAt(error.field, error.message);
      return error.field.focus();
    }
    const rest = [];
    let first = null;
    for (const fault of error.body?.errors ?? []) {
      const field = this.#form.at(fault.pointer ?? "");
      if (!field) rest.push(fault);
      else {
        tellAt(field, fault.detail);
        first ??= field;
      }
    }
    if (!first) return showProblem(this.#slots.problems, error);
    if (rest.length) showProblem(this.#slots.problems, new Problem(0, { detail: "And this:", errors: rest }));
    first.closest("details")?.setAttribute("open", "");
    first.focus();
  }

  #curl() {
    const head = `curl -s ${location.origin}/missions -H "Authorization: Bearer $LONGLINE_TOKEN"`;
    const spec = quote(this.#slots.json.value);
    if (!this.#files.names.length) return `${head} \\\n  -H 'Content-Type: application/json' -d ${spec}`;
    const files = this.#files.names.map((name) => ` \\\n  -F ${quote(`file=@"${name}"`)}`).join("");
    return `${head} \\\n  --form-string ${quote(`mission=${this.#slots.json.value}`)}${files}`;
  }
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A stored spec without what was not given: null is "left out" everywhere in it. */
function withoutDefaults(value) {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== false);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutDefaults(inner)]));
}

new Composer().start().catch((error) => showProblem(slots(document.getElementById("compose")).problems, error));
