/** How each type of question is answered: what is drawn, and what the answer then is. */
import { FieldError } from "./field-error.js";
import { showDiff } from "./line-diff.js";
import { SchemaForm } from "./schema-form.js";
import { stamp } from "./template.js";

/**
 * The fields for a request: { root, read, draft, showContext }.
 * read(button): the answer, by the value of the button that was pressed; throws FieldError.
 * at(pointer): the field that a JSON pointer into the answer means, where there are several.
 * draft(): what has been written so far, "" for nothing. showContext: false when the fields say it all.
 */
export function fieldsFor(request) {
  return (FIELDS[request.type] ?? FIELDS.form)(request);
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
    const { root, args, comment, diff, tool, fold, approve, edit } = stamp("answer-approval");
    const call = callAsked(request);
    const asked = JSON.stringify(call?.args ?? {}, null, 2);
    tool.textContent = call?.tool ?? "";
    args.value = asked;
    args.rows = Math.min(14, asked.split("\n").length + 1);
    args.addEventListener("input", () => {
      const changed = args.value !== asked;
      fold.hidden = !changed;
      edit.hidden = !changed;
      approve.textContent = changed ? "Approve as it was" : "Approve"; // what was changed is not lost unawares
      approve.classList.toggle("primary", !changed);
      showDiff(diff, asked, args.value);
    });
    const read = (decision) => ({
      decision,
      ...(decision === "edit" && { args: parse(args) }),
      ...(comment.value.trim() && { comment: comment.value }),
    });
    const draft = () => comment.value || (args.value === asked ? "" : args.value);
    return { root, read, draft, showContext: !call };
  },

  form({ schema, default: fallback }) {
    const { root, fields } = stamp("answer-form");
    const form = new SchemaForm(schema ?? {}, fallback ?? {});
    fields.append(form.root);
    const start = form.text;
    return { root, read: () => form.read(), draft: () => (form.text === start ? "" : form.text), at: (pointer) => form.at(pointer) };
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
