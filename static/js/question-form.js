/** One open question: what is asked, until when, and the form that answers it. Tells the truth afterwards. */
import { Problem, get, post } from "./api.js";
import { answerText } from "./answer-text.js";
import { fieldsFor } from "./answer-fields.js";
import { persist } from "./backoff.js";
import { FieldError, clearFaults, tellAt } from "./field-error.js";
import { GrowingMarkdown } from "./growing-markdown.js";
import { OnceKey } from "./idempotency.js";
import { showProblem } from "./problem-list.js";
import { clock, running } from "./quantities.js";
import { now } from "./server-clock.js";
import { stamp } from "./template.js";
import { everySecond } from "./ticker.js";

const TRIES = 8; // the same answer with the same key counts once
const URGENT_MS = 30_000;

const AFTER_DEADLINE = {
  continue: "then the agent is told that nobody answered",
  default: "then the default answer is taken",
  fail: "then the mission fails",
};

export class QuestionForm {
  #slots = stamp("question");
  #request;
  #fields;
  #once = new OnceKey();
  #sending = false;
  #onGone;
  #stays;
  #stopClock;

  /**
   * onTimeout: the mission's `human.on_timeout`. onGone(): the form has left the page.
   * mayAnswer: whether who looks at it may; else it waits for somebody else.
   * stays: it tells what became of the question, where nothing else on the page does.
   */
  constructor(request, { onTimeout, onGone, mayAnswer = true, stays = false }) {
    this.#request = request;
    this.#stays = stays;
    this.#onGone = onGone;
    this.#fields = fieldsFor(request);
    this.#draw(onTimeout);
    if (!mayAnswer) this.#leaveToOthers();
    this.#stopClock = everySecond(() => this.#tick());
  }

  get root() {
    return this.#slots.root;
  }

  /** event: the HUMAN_RESPONSE to it, whoever gave it. */
  answered({ name, data }) {
    if (this.#sending) return; // our own request will tell whether it was ours
    if (!this.#stays && !this.#fields.draft()) return this.#leave();
    this.#settle({ status: name, answer: data.answer, answered_by: data.by });
  }

  #draw(onTimeout) {
    const { root, prompt, context, fields, then, dismiss } = this.#slots;
    const { id, prompt: text, context: background } = this.#request;
    root.dataset.request = id;
    prompt.textContent = text;
    prompt.id = `question-${id}`;
    root.setAttribute("aria-labelledby", prompt.id);
    new GrowingMarkdown(context, background ?? "");
    context.hidden = !background || this.#fields.showContext === false;
    then.textContent = AFTER_DEADLINE[onTimeout] ?? "";
    fields.append(this.#fields.root);
    root.addEventListener("submit", (event) => this.#submit(event));
    root.addEventListener("keydown", (event) => this.#submitByKey(event));
    dismiss.addEventListener("click", () => this.#leave());
  }

  #leaveToOthers() {
    const { set, waits } = this.#slots;
    set.disabled = set.hidden = true;
    waits.textContent = "waiting for somebody else";
  }

  #submitByKey(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      this.root.requestSubmit(this.root.querySelector("[value=send]"));
    }
  }

  async #submit(event) {
    event.preventDefault();
    const { set, problems } = this.#slots;
    showProblem(problems, null);
    clearFaults(this.root);
    try {
      const answer = this.#fields.read(event.submitter?.value);
      this.#sending = set.disabled = true;
      await this.#send(answer);
      this.#leave();
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.#sending = false;
    }
  }

  #send(answer) {
    const body = { answer };
    const key = this.#once.for(body);
    return persist(() => post(`/requests/${this.#request.id}`, body, { key }), { tries: TRIES });
  }

  async #failed(error) {
    const { set, problems } = this.#slots;
    if (error instanceof FieldError) return this.#complain(error);
    if (error instanceof Problem && [404, 409, 410].includes(error.status)) {
      return this.#settle(await this.#whatBecameOfIt(error));
    }
    set.disabled = false;
    if (!this.#tellAtFields(error)) showProblem(problems, error);
  }

  /** What the server has against parts of the answer, at their fields. */
  #tellAtFields({ body }) {
    const faults = (body?.errors ?? []).map(({ pointer = "", detail }) => ({
      field: this.#fields.at?.(pointer.replace(/^\/answer/, "")),
      message: detail,
    }));
    if (!faults.length || faults.some(({ field }) => !field)) return false;
    faults.forEach(({ field, message }) => tellAt(field, message));
    faults[0].field.focus();
    return true;
  }

  #complain({ field, message }) {
    this.#slots.set.disabled = false;
    tellAt(field, message);
    field.focus();
  }

  async #whatBecameOfIt(problem) {
    try {
      return await persist(() => get(`/requests/${this.#request.id}`), { tries: TRIES });
    } catch {
      return { status: problem.code };
    }
  }

  /** It is over, and not by what stands in the form: say how, and keep the draft to be copied. */
  #settle({ status, answer, answered_by, answered_at }) {
    const { root, set, outcome, deadline, note } = this.#slots;
    this.#stopClock();
    root.dataset.status = status;
    set.disabled = true;
    deadline.hidden = true;
    outcome.textContent = outcomeText(status, answer, answered_by, answered_at);
    note.hidden = false;
  }

  #leave() {
    this.#stopClock();
    const hadFocus = this.root.contains(document.activeElement);
    this.root.remove();
    this.#onGone();
    if (hadFocus) document.querySelector("h1").focus();
  }

  #tick() {
    const leftMs = Date.parse(this.#request.expires_at) - now();
    this.#slots.left.textContent = leftMs > 0 ? running(leftMs) : "no time";
    this.root.dataset.urgent = leftMs < URGENT_MS;
  }
}

function outcomeText(status, answer, by, at) {
  if (status === "answered") {
    const who = by ?? "Somebody else";
    const when = at ? ` at ${clock(at)}` : "";
    return `${who} was first${when}. The agent got: ${answerText(answer)}`;
  }
  if (status === "expired") return "The deadline has passed. Your answer was not taken.";
  return "The mission no longer waits for this. Your answer was not taken.";
}
