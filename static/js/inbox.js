/** The page `/inbox`: the open questions of all missions, live. */
import { get } from "./api.js";
import { persist } from "./backoff.js";
import { Connection } from "./connection.js";
import { Feed } from "./feed.js";
import { QuestionForm } from "./question-form.js";
import { slots, stamp } from "./template.js";

class Inbox {
  #root = document.getElementById("inbox");
  #list = slots(this.#root).list;
  #forms = new Map();
  #missions = new Map();
  #mayAnswer = true;

  /** The questions that are open now, instead of what is shown. Returns the cursor of that. */
  async load() {
    this.#mayAnswer = (await persist(() => get("/me"))).scopes.includes("answer");
    const { requests, as_of } = await persist(() => get("/requests?status=pending"));
    this.#list.replaceChildren();
    this.#forms.clear();
    for (const request of requests) await this.#ask(request, request.mission);
    this.#tellWhetherEmpty();
    return as_of;
  }

  async apply({ kind, data, mission, ...event }) {
    if (kind === "HUMAN_RESPONSE") return this.#forms.get(data.request)?.answered({ ...event, data });
    await this.#ask(data, mission);
    this.#tellWhetherEmpty();
  }

  async #ask(request, id) {
    if (this.#forms.has(request.id)) return;
    const mission = await this.#missionOf(id);
    if (this.#forms.has(request.id)) return;
    const { root, mission: link, about } = stamp("inbox-item");
    const onGone = () => {
      root.remove();
      this.#forms.delete(request.id);
      this.#tellWhetherEmpty();
    };
    const form = new QuestionForm(request, { onTimeout: mission.spec.human?.on_timeout, onGone, mayAnswer: this.#mayAnswer, stays: true });
    link.textContent = mission.title;
    link.href = `/m/${id}`;
    about.textContent = [request.agent, request.task].filter(Boolean).join(", ");
    root.append(form.root);
    this.#forms.set(request.id, form);
    this.#list.append(root);
  }

  #missionOf(id) {
    if (!this.#missions.has(id)) this.#missions.set(id, persist(() => get(`/missions/${id}`)));
    return this.#missions.get(id);
  }

  #tellWhetherEmpty() {
    this.#root.dataset.state = this.#list.hasChildNodes() ? "some" : "empty";
  }
}

const inbox = new Inbox();
const footer = document.getElementById("footer");
const connection = new Connection({ root: footer, ...slots(footer) });

try {
  new Feed({
    kinds: ["HUMAN_INPUT_REQUEST", "HUMAN_RESPONSE"],
    after: await inbox.load(),
    onEvents: (events) => events.forEach((event) => inbox.apply(event)),
    onReset: () => inbox.load(),
    onState: (state) => connection.show(state),
  }).start();
} catch (problem) {
  connection.show({ phase: "refused", message: problem.message });
}
