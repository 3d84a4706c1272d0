/** How long to wait before trying again, and trying again. */
import { Unreachable } from "./api.js";

const FIRST_MS = 500;
const LONGEST_MS = 8_000; // one poll a browser: who looks at the page should not look at a count-down for long
const HONOURED_S = 300; // a proxy that says "come back tomorrow" is not believed

/** Full jitter: clients that were cut off together do not come back together. */
export function pauseMs(failures, retryS = 0) {
  const spread = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return Math.min(retryS, HONOURED_S) * 1000 + Math.random() * spread;
}

/** The action's value, when the server can be reached. Only for what may be done twice. */
export async function persist(action, { tries = Infinity } = {}) {
  for (let failures = 0; ; failures++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Unreachable) || failures + 1 >= tries) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs(failures, error.retryS)));
    }
  }
}
