/** How many questions are open over all missions, on every page; and word of a new one, if allowed. */
import { get } from "./api.js";
import { persist } from "./backoff.js";
import { Feed } from "./feed.js";
import { slots } from "./template.js";

const NOTIFIED_CHARS = 200;

class InboxCount {
  #slots = slots(document.querySelector("header.bar"));
  #open = new Set();

  async start() {
    this.#offerNotifications();
    new Feed({
      kinds: ["HUMAN_INPUT_REQUEST", "HUMAN_RESPONSE"],
      after: await this.#load(),
      onEvents: (events) => events.forEach((event) => this.#apply(event)),
      onReset: () => this.#load(),
    }).start();
  }

  async #load() {
    const { requests, as_of } = await persist(() => get("/requests?status=pending"));
    this.#open = new Set(requests.map(({ id }) => id));
    this.#show();
    return as_of;
  }

  #apply({ kind, data, mission }) {
    if (kind === "HUMAN_RESPONSE") this.#open.delete(data.request);
    else {
      this.#open.add(data.id);
      notify(data, mission);
    }
    this.#show();
  }

  #show() {
    const { inbox, inboxCount } = this.#slots;
    inboxCount.textContent = this.#open.size || "";
    inbox.setAttribute("aria-label", `Inbox, open questions: ${this.#open.size}`);
    inbox.dataset.open = this.#open.size;
    document.title = document.title.replace(/^(\(\d+\) )?/, this.#open.size ? `(${this.#open.size}) ` : "");
  }

  #offerNotifications() {
    const { notify: button } = this.#slots;
    if (!globalThis.Notification || Notification.permission !== "default") return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await Notification.requestPermission();
      button.hidden = true;
    });
  }
}

/** For who looks elsewhere. All tabs say it under one tag, so that it is one. */
function notify({ id, prompt }, mission) {
  if (!document.hidden || globalThis.Notification?.permission !== "granted") return;
  const said = new Notification("An agent asks", { body: prompt.slice(0, NOTIFIED_CHARS), tag: `longline-${id}` });
  said.addEventListener("click", () => {
    focus();
    location.assign(`/m/${mission}`);
  });
}

new InboxCount().start().catch(() => null); // the page itself tells what is wrong
