/** The server's time, by the Date of its answers: deadlines and ages are in that time, not in ours. */

const TRUSTED_MS = 2_000; // Date has whole seconds; a difference below this is noise

let offsetMs = 0;

export function observe(response) {
  const date = Date.parse(response.headers.get("Date"));
  if (Number.isNaN(date)) return;
  const seen = date + 500 - Date.now();
  offsetMs = Math.abs(seen) > TRUSTED_MS ? seen : 0;
}

export function now() {
  return Date.now() + offsetMs;
}
