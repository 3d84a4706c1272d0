/** The top of a mission's page: what it is, where it stands, why it failed; and the way to end it. */
import { Problem, post } from "./api.js";
import { persist } from "./backoff.js";
import { moment } from "./quantities.js";
import { hasEnded, showStatus } from "./status.js";

export class MissionHeader {
  #slots;
  #id = null;

  constructor(slots) {
    this.#slots = slots;
    const { cancel, confirm, keep, really } = slots;
    cancel.addEventListener("click", () => confirm.showModal());
    keep.addEventListener("click", () => confirm.close());
    really.addEventListener("click", () => this.#cancel());
    slots.retry.addEventListener("click", () => this.#retry());
  }

  show(mission, { mayRun }) {
    const { title, status, meta, error, code, message, cancel, retry } = this.#slots;
    this.#id = mission.id;
    title.textContent = mission.title;
    showStatus(status, mission.status);
    meta.textContent = about(mission);
    meta.title = `Asked for on ${moment(mission.created_at)}`;
    error.hidden = !mission.error;
    code.textContent = mission.error?.code ?? "";
    message.textContent = mission.error?.message ?? "";
    cancel.hidden = !mayRun || hasEnded(mission.status);
    retry.hidden = !mayRun || !hasEnded(mission.status);
  }

  /** A cancel was ordered, here or elsewhere. */
  cancelling() {
    this.#slots.cancel.disabled = true;
    this.#slots.cancel.textContent = "Cancelling…";
  }

  async #retry() {
    const { retry } = this.#slots;
    retry.disabled = true;
    try {
      const { id } = await post(`/missions/${this.#id}/retry`, {}); // sent twice it would be two missions
      location.assign(`/m/${id}`);
    } catch (error) {
      retry.disabled = false;
      retry.textContent = `Retry failed (${error.message}). Try again`;
    }
  }

  async #cancel() {
    const { confirm, cancel } = this.#slots;
    confirm.close();
    this.cancelling();
    try {
      await persist(() => post(`/missions/${this.#id}/cancel`, {}), { tries: 6 });
    } catch (error) {
      cancel.disabled = false;
      const ended = error instanceof Problem && error.code === "mission_ended";
      cancel.textContent = ended ? "It has ended" : "Cancel failed. Try again";
    }
  }
}

function about({ id, engine, attempt, retry_of, status }) {
  const parts = [`#${id}`, engine];
  if (attempt > 1) parts.push(`attempt ${attempt}`);
  if (retry_of) parts.push(`again after #${retry_of}`);
  if (status === "queued") parts.push("waits for a worker that is free");
  return parts.join(" · ");
}
