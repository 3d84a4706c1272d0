/** The events of a mission as they came, for the views that list them: the newest, for memory has an end. */

const KEPT = 100_000;
const DROPPED_AT_ONCE = 10_000;

export class EventStore {
  events = [];
  dropped = 0;

  /** Returns whether older ones had to go. */
  add(events) {
    for (const event of events) this.events.push(event);
    if (this.events.length < KEPT + DROPPED_AT_ONCE) return false;
    const many = this.events.length - KEPT;
    this.events.splice(0, many);
    this.dropped += many;
    return true;
  }

  clear() {
    this.events = [];
    this.dropped = 0;
  }
}
