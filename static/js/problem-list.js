/** What the server has against a request, told beside the form that made it. */
import { Problem } from "./api.js";

/** root: an element with role=alert. error: a Problem, Unreachable, or null to clear. */
export function showProblem(root, error) {
  root.replaceChildren();
  root.hidden = error === null;
  if (error === null) return;
  const title = document.createElement("p");
  title.textContent =
    error instanceof Problem ? error.message : `The server did not answer (${error.message}). Nothing is lost: try again.`;
  root.append(title);
  const errors = error.body?.errors ?? [];
  if (errors.length) root.append(list(errors));
}

function list(errors) {
  const ul = document.createElement("ul");
  for (const { pointer, detail } of errors) {
    const li = document.createElement("li");
    const where = document.createElement("code");
    where.textContent = pointer || "/";
    li.append(where, ` ${detail}`);
    ul.append(li);
  }
  return ul;
}
