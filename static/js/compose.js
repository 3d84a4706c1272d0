/** A mission of one's own, as JSON. */
import { Problem } from "./api.js";
import { example } from "./example.js";
import { launchOnSubmit } from "./launch.js";
import { slots } from "./template.js";

export function startComposing(details) {
  const { form, spec, problems } = slots(details);
  launchOnSubmit(form, problems, () => parse(spec.value));
  details.addEventListener("toggle", async () => {
    if (!details.open || spec.value) return;
    const start = JSON.stringify(await example(""), null, 2);
    spec.value ||= start;
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem(0, { code: "malformed_json", detail: `This is not JSON: ${error.message}` });
  }
}
