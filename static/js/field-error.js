/** What stands in a field cannot be sent: told at that field. */

export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** Say at a field what is wrong with it. */
export function tellAt(field, message) {
  const note = document.createElement("p");
  note.className = "field-fault";
  note.id = `fault-${Math.random().toString(36).slice(2)}`;
  const label = field.closest("label");
  // below a row of fields it has to say which of them it means
  note.textContent = label?.closest(".row") ? `${label.firstChild.textContent}: ${message}` : message;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", note.id);
  (label ?? field).after(note);
}

/** Nothing is wrong any more. */
export function clearFaults(root) {
  root.querySelectorAll(".field-fault").forEach((note) => note.remove());
  for (const field of root.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}
