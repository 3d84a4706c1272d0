/** What has changed is drawn once, when all changes of a batch are in. */

const waiting = new Map();

/** draw() at the end of this batch; once for each owner. */
export function paintLater(owner, draw) {
  if (!waiting.size) queueMicrotask(paintNow); // for who does not work in batches
  waiting.set(owner, draw);
}

export function paintNow() {
  const draws = [...waiting.values()];
  waiting.clear();
  for (const draw of draws) {
    try {
      draw();
    } catch (error) {
      reportError(error); // what one cannot draw must not keep the others from it
    }
  }
}
