/** Tells when the page may have slept or changed its network: what was under way is in doubt. */

/** awake(certain): certain when the network has changed for sure. Returns what stops it. */
export function onWake(awake) {
  const stop = new AbortController();
  const { signal } = stop;
  const shown = () => document.visibilityState === "visible" && awake(false);
  document.addEventListener("visibilitychange", shown, { signal });
  addEventListener("pageshow", (event) => event.persisted && awake(false), { signal });
  addEventListener("online", () => awake(true), { signal });
  return () => stop.abort();
}
