/** What shows a passing time is shown anew each second. */

/** Calls at once and then each second. Returns what stops it. */
export function everySecond(show) {
  show();
  const timer = setInterval(show, 1000);
  return () => clearInterval(timer);
}
