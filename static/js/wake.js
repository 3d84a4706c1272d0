/** Tells when the page may have slept or changed its network: what was under way is in doubt. */

const LOOK_MS = 5_000;
const SLEPT_MS = 60_000; // hidden pages are looked at once a minute

/** awake(certain): certain when the network has changed for sure. Returns what stops it. */
export function onWake(awake) {
  const stop = new AbortController();
  const { signal } = stop;
  const shown = () => document.visibilityState === "visible" && awake(false);
  document.addEventListener("visibilitychange", shown, { signal });
  addEventListener("pageshow", (event) => event.persisted && awake(false), { signal });
  addEventListener("online", () => awake(true), { signal });
  navigator.connection?.addEventListener("change", () => awake(true), { signal });
  const timer = watchTheClock(awake);
  return () => {
    stop.abort();
    clearInterval(timer);
  };
}

// a lid that was closed over a visible page: no event tells, but the time has jumped
function watchTheClock(awake) {
  let last = Date.now();
  return setInterval(() => {
    if (Date.now() - last > SLEPT_MS + LOOK_MS) awake(false);
    last = Date.now();
  }, LOOK_MS);
}
