/** The page `/m/{id}`: one mission, live. Its parts share one feed and one cursor. */
import { Problem, get } from "./api.js";
import { Batch } from "./batch.js";
import { persist } from "./backoff.js";
import { Connection } from "./connection.js";
import { EventList } from "./event-list.js";
import { EventStore } from "./event-store.js";
import { EventView } from "./event-view.js";
import { Feed } from "./feed.js";
import { FilesView } from "./files-view.js";
import { isPlain, showPlain } from "./growing-markdown.js";
import { LogView } from "./log-view.js";
import { MissionFooter } from "./mission-footer.js";
import { MissionHeader } from "./mission-header.js";
import { MissionTitle } from "./mission-title.js";
import { paintNow } from "./paint.js";
import { Questions } from "./questions.js";
import { Refresher } from "./refresher.js";
import { ScrollEnd } from "./scroll-end.js";
import { SpecView } from "./spec-view.js";
import { hasEnded } from "./status.js";
import { Tabs } from "./tabs.js";
import { slots } from "./template.js";
import { Timeline } from "./timeline.js";

class MissionPage {
  #id;
  #mission = null;
  #scopes = []; // of who looks at the page
  #main = document.getElementById("mission");
  #parts = slots(this.#main);
  #title = new MissionTitle();
  #header = new MissionHeader(this.#parts);
  #footer = new MissionFooter(slots(document.getElementById("footer")), this.#parts);
  #connection;
  #store = new EventStore();
  #live = new EventView(this.#parts);
  #files;
  #views; // those that are only drawn when they are looked at, by the name of their tab
  #usage = null; // loaded when it is looked at: it brings a library
  #end = new ScrollEnd(this.#parts.jump);
  #questions;
  #tabs = new Tabs(this.#parts.tabs, (view, before) => this.#look(view, before));
  #batch = new Batch((events) => this.#end.around(() => this.#apply(events)));
  #refresher = new Refresher(() => this.#load());

  constructor(id) {
    this.#id = id;
    const path = `/missions/${id}`;
    const { sideFiles, files } = this.#parts;
    this.#questions = new Questions(this.#parts.questions, id);
    this.#files = new FilesView(`${path}/files`, [sideFiles, files]);
    this.#views = {
      timeline: new Timeline(slots(this.#parts.timeline), (seq) => this.#goTo(seq)),
      events: new EventList(this.#parts.events, this.#store, `${path}/events`),
      logs: new LogView(slots(this.#parts.logs)),
      spec: new SpecView(slots(this.#parts.spec), id),
    };
    const footer = document.getElementById("footer");
    this.#connection = new Connection({ root: footer, ...slots(footer) });
    this.#offerPlain();
  }

  async open() {
    try {
      await this.#begin();
    } catch (error) {
      return this.#gone(error);
    }
    this.#tabs.start();
    new Feed({
      mission: this.#id,
      onEvents: (events) => this.#hear(events),
      onReset: () => this.#begin(),
      onState: (state) => this.#connection.show(state),
    }).start();
  }

  #hear(events) {
    this.#batch.add(events);
    this.#connection.heard(events);
  }

  /** Show what the server says now; the feed then tells the rest from the first event on. */
  async #begin() {
    this.#batch.clear();
    this.#mission = null;
    this.#scopes = (await persist(() => get("/me"))).scopes;
    await persist(() => this.#load());
    await this.#questions.load(this.#asking);
    this.#store.clear();
    for (const view of [...Object.values(this.#views), this.#usage]) view?.clear();
    this.#live.begin(this.#mission.spec);
    this.#files.refresh();
  }

  async #load() {
    const mission = await get(`/missions/${this.#id}`);
    const live = !hasEnded(mission.status);
    this.#mission = mission;
    this.#main.dataset.status = mission.status;
    this.#header.show(mission, { mayRun: this.#scopes.includes("run") });
    this.#footer.show(mission);
    this.#title.show(mission);
    this.#views.spec.show(mission);
    this.#views.timeline.live = live;
    this.#live.ended = !live;
    this.#end.growing = live && this.#tabs.current === "live";
  }

  #apply(events) {
    const dropped = this.#store.add(events);
    for (const event of events) {
      this.#live.apply(event);
      this.#questions.apply(event, this.#asking);
      if (event.name === "mission.cancelling") this.#header.cancelling();
    }
    for (const view of [this.#files, ...Object.values(this.#views), this.#usage]) view?.apply(events, dropped);
    paintNow();
    // the header and the footer show the server's own sums, fetched again when they have changed
    if (events.some((event) => event.seq > this.#mission.as_of && changesTheMission(event))) {
      this.#refresher.soon();
    }
  }

  async #look(view, before) {
    this.#end.growing = view === "live" && this.#mission && !hasEnded(this.#mission.status);
    if (this.#views[before]) this.#views[before].visible = false;
    if (this.#views[view]) this.#views[view].visible = true;
    if (view === "usage") await this.#loadUsage();
    if (this.#usage) this.#usage.visible = this.#tabs.current === "usage";
  }

  async #loadUsage() {
    if (this.#usage) return;
    const { UsageView } = await import("./usage-view.js");
    this.#usage ??= new UsageView(slots(this.#parts.usage));
    this.#usage.clear();
    this.#usage.apply(this.#store.events);
  }

  #goTo(seq) {
    this.#tabs.show("events");
    this.#views.events.reveal(seq);
  }

  #offerPlain() {
    const { plain } = this.#parts;
    plain.checked = isPlain();
    plain.addEventListener("change", () => this.#end.around(() => showPlain(plain.checked)));
  }

  /** What a question's form has to know of the mission and of who looks. */
  get #asking() {
    return { onTimeout: this.#mission.spec.human?.on_timeout, mayAnswer: this.#scopes.includes("answer") };
  }

  #gone(error) {
    const missing = error instanceof Problem && error.status === 404;
    this.#main.dataset.gone = "";
    this.#parts.title.textContent = missing ? "No such mission" : "This mission cannot be shown";
    this.#parts.meta.textContent = error.message;
    this.#connection.show({ phase: "refused", message: error.message });
  }
}

function changesTheMission({ kind, name }) {
  return kind === "USAGE" || kind.startsWith("HUMAN_") || (kind === "STATUS" && !name.startsWith("agent."));
}

new MissionPage(Number(location.pathname.split("/")[2])).open();
