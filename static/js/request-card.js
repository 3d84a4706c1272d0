/** A question in its place in the transcript, and what came back. The form for it is in questions.js. */
import { GrowingMarkdown } from "./growing-markdown.js";
import { answerText } from "./answer-text.js";
import { duration } from "./quantities.js";
import { stamp } from "./template.js";

export class RequestCard {
  #slots = stamp("request");

  constructor(request) {
    const { root, prompt, context, fold } = this.#slots;
    root.dataset.request = request.id;
    prompt.textContent = request.prompt;
    new GrowingMarkdown(context, request.context ?? "");
    fold.hidden = !request.context;
  }

  get root() {
    return this.#slots.root;
  }

  /** event: its HUMAN_RESPONSE. name: answered, expired or cancelled. */
  answered({ name, data }) {
    const { root, outcome, answer } = this.#slots;
    root.dataset.status = name;
    const by = name === "answered" && data.by ? ` by ${data.by}` : "";
    const after = data.waited_s == null ? "" : ` after ${duration(data.waited_s * 1000)}`;
    outcome.textContent = `${name}${by}${after}`;
    answer.textContent = data.answer == null ? "" : answerText(data.answer);
  }
}
