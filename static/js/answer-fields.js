/** How each type of question is answered: what is drawn, and what the answer then is. */
import { stamp } from "./template.js";

/**
 * The fields for a request: { root, read, draft, showContext }.
 * read(button): the answer, by the value of the button that was pressed; throws FieldError.
 * draft(): what has been written so far, "" for nothing. showContext: false when the fields say it all.
 */
export function fieldsFor(request) {
  return (FIELDS[request.type] ?? FIELDS.form)(request);
}

/** What stands in a field cannot be sent. */
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

const FIELDS = {
  text(request) {
    const review = request.default === ""; // an empty answer accepts, so it is never sent by mistake
    const { root, text, accept, send } = stamp("answer-text");
    accept.hidden = !review;
    send.textContent = review ? "Send feedback" : "Send answer";
    send.classList.toggle("primary", !review);
    text.placeholder = review ? "What should change" : "";
    text.addEventListener("input", () => (accept.disabled = text.value.trim() !== ""));
    const read = (button) => {
      if (button === "accept") return "";
      if (!text.value.trim()) throw new FieldError(text, review ? "Say what should change, or accept." : "Write an answer.");
      return text.value;
    };
    return { root, read, draft: () => text.value };
  },

  choice({ id, options, default: fallback }) {
    const { root, list } = stamp("answer-choice");
    options.forEach((option, i) => {
      const { root: item, radio, label } = stamp("answer-option");
      radio.name = `choice-${id}`;
      radio.value = i;
      label.textContent = option === fallback ? `${option} (default)` : option;
      list.append(item);
    });
    const chosen = () => list.querySelector(":checked");
    const read = () => {
      if (!chosen()) throw new FieldError(list.querySelector("input"), "Choose one.");
      return options[chosen().value];
    };
    return { root, read, draft: () => (chosen() ? options[chosen().value] : "") };
  },

  approval(request) {
    const { root, args, comment } = stamp("answer-approval");
    const call = callAsked(request);
    const asked = JSON.stringify(call?.args ?? {}, null, 2);
    args.value = asked;
    const read = (decision) => ({
      decision,
      ...(decision === "edit" && { args: parse(args) }),
      ...(comment.value.trim() && { comment: comment.value }),
    });
    const draft = () => comment.value || (args.value === asked ? "" : args.value);
    return { root, read, draft, showContext: !call };
  },

  form({ schema, default: fallback }) {
    const { root, json, schema: shown, fold } = stamp("answer-form");
    const start = JSON.stringify(fallback ?? {}, null, 2);
    json.value = start;
    fold.hidden = !schema;
    shown.textContent = JSON.stringify(schema ?? null, null, 2);
    return { root, read: () => parse(json), draft: () => (json.value === start ? "" : json.value) };
  },
};

/** The call that is to be approved, {tool, args}: the context is that as a block of JSON. */
function callAsked({ context }) {
  try {
    return JSON.parse(context.replace(/^```json\n|\n```$/g, ""));
  } catch {
    return null;
  }
}

function parse(field) {
  try {
    return JSON.parse(field.value);
  } catch (error) {
    throw new FieldError(field, `This is not JSON: ${error.message}`);
  }
}
