/** A status as a word; css/status.css gives it its colour and shape. */

const ENDED = new Set(["completed", "failed", "cancelled"]);

export const hasEnded = (status) => ENDED.has(status);

export function showStatus(element, status) {
  if (element.dataset.status === status) return; // a live region would read it out again
  element.dataset.status = status;
  element.textContent = status;
}
