/** One holder at a time over all pages of this browser: Web Locks, which need https or localhost; else a lease. */
import { LeaseLock } from "./lease-lock.js";

/** Calls hold() when the lock is ours; it is so until the promise that hold returns is settled. */
export function holdLock(name, hold, { steal = false, signal } = {}) {
  if (navigator.locks) return navigator.locks.request(name, steal ? { steal } : { signal }, hold);
  return new LeaseLock(name, { steal, signal }).hold(hold);
}
