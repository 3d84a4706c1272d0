/** One holder at a time over all pages of this browser: Web Locks. They need https or localhost. */

const queues = new Map(); // where there are no Web Locks: one holder in this page

/** Calls hold() when the lock is ours; it is so until the promise that hold returns is settled. */
export function holdLock(name, hold, { steal = false, signal } = {}) {
  if (navigator.locks) return navigator.locks.request(name, steal ? { steal } : { signal }, hold);
  const turn = (queues.get(name) ?? Promise.resolve()).then(() => (signal?.aborted ? null : hold()));
  queues.set(name, turn.catch(() => null));
  return turn;
}

/** Who shares the lock also shares this channel. */
export const channelName = (name) => (navigator.locks ? name : `${name} ${PAGE}`);

const PAGE = Math.random().toString(36).slice(2);
