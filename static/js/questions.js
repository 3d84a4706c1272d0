/** The open questions of a mission, as forms at the top of its page. */
import { get } from "./api.js";
import { persist } from "./backoff.js";
import { QuestionForm } from "./question-form.js";

export class Questions {
  #root;
  #mission;
  #forms = new Map();
  #asOf = 0;

  constructor(root, mission) {
    this.#root = root;
    this.#mission = mission;
  }

  /** The questions that are open now, instead of what is shown. asking: {onTimeout, mayAnswer}. */
  async load(asking) {
    const path = `/requests?status=pending&mission=${this.#mission}`;
    const { requests, as_of } = await persist(() => get(path));
    this.#forms.forEach((form) => form.root.remove());
    this.#forms.clear();
    this.#asOf = as_of;
    requests.forEach((request) => this.#ask(request, asking));
  }

  get open() {
    return this.#forms.size;
  }

  apply(event, asking) {
    if (event.seq <= this.#asOf) return; // what `load` has seen already
    if (event.kind === "HUMAN_INPUT_REQUEST") this.#ask(event.data, asking);
    if (event.kind === "HUMAN_RESPONSE") this.#forms.get(event.data.request)?.answered(event);
  }

  #ask(request, asking) {
    if (this.#forms.has(request.id)) return;
    const form = new QuestionForm(request, { ...asking, onGone: () => this.#forms.delete(request.id) });
    this.#forms.set(request.id, form);
    this.#root.append(form.root);
  }
}
