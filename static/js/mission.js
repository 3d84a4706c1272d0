/** The page `/m/{id}`: one mission, live. Its parts share one feed and one cursor. */
import { Problem, get } from "./api.js";
import { Batch } from "./batch.js";
import { persist } from "./backoff.js";
import { Connection } from "./connection.js";
import { EventView } from "./event-view.js";
import { Feed } from "./feed.js";
import { LogView } from "./log-view.js";
import { MissionFooter } from "./mission-footer.js";
import { MissionHeader } from "./mission-header.js";
import { Questions } from "./questions.js";
import { Refresher } from "./refresher.js";
import { ScrollEnd } from "./scroll-end.js";
import { hasEnded } from "./status.js";
import { slots } from "./template.js";

const MARKS = { waiting: "? ", completed: "✓ ", failed: "✕ ", cancelled: "– " };

class MissionPage {
  #id;
  #mission = null;
  #main = document.getElementById("mission");
  #parts = slots(this.#main);
  #header = new MissionHeader(this.#parts);
  #footer = new MissionFooter(slots(document.getElementById("footer")));
  #connection;
  #view = new EventView(this.#parts);
  #logs = new LogView(this.#parts);
  #end = new ScrollEnd(this.#parts.jump);
  #questions;
  #batch = new Batch((events) => this.#end.around(() => this.#apply(events)));
  #refresher = new Refresher(() => this.#load());

  constructor(id) {
    this.#id = id;
    this.#questions = new Questions(this.#parts.questions, id);
    const footer = document.getElementById("footer");
    this.#connection = new Connection({ root: footer, ...slots(footer) });
  }

  async open() {
    try {
      await this.#begin();
    } catch (error) {
      return this.#gone(error);
    }
    new Feed(`/missions/${this.#id}/events`, {
      numbered: "mseq",
      onEvents: (events) => this.#batch.add(events),
      onReset: () => this.#begin(),
      onState: (state) => this.#connection.show(state),
    }).start();
  }

  /** Show what the server says now; the feed then tells the rest from the first event on. */
  async #begin() {
    this.#batch.clear();
    this.#mission = null;
    await persist(() => this.#load());
    await this.#questions.load(this.#onTimeout);
    this.#logs.clear();
    this.#view.begin(this.#mission.spec);
    this.#end.growing = !hasEnded(this.#mission.status);
  }

  async #load() {
    const mission = await get(`/missions/${this.#id}`);
    this.#mission = mission;
    this.#main.dataset.status = mission.status;
    this.#header.show(mission);
    this.#footer.show(mission);
    document.title = `${MARKS[mission.status] ?? ""}${mission.title} · Longline`;
  }

  #apply(events) {
    for (const event of events) {
      this.#view.apply(event);
      this.#logs.apply(event);
      this.#questions.apply(event, this.#onTimeout);
      if (event.name === "mission.cancelling") this.#header.cancelling();
    }
    // the header and the footer show the server's own sums, fetched again when they have changed
    if (events.some((event) => event.seq > this.#mission.as_of && changesTheMission(event))) {
      this.#refresher.soon();
    }
  }

  get #onTimeout() {
    return this.#mission.spec.human?.on_timeout;
  }

  #gone(error) {
    const { title, meta } = this.#parts;
    title.textContent = error instanceof Problem && error.status === 404 ? "No such mission" : "This mission cannot be shown";
    meta.textContent = error.message;
    this.#connection.show({ phase: "refused", message: error.message });
  }
}

function changesTheMission({ kind, name }) {
  return kind === "USAGE" || (kind === "STATUS" && !name.startsWith("agent."));
}

new MissionPage(location.pathname.split("/")[2]).open();
