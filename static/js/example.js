/** Starts the example mission, on a topic of the reader's. */
import { get } from "./api.js";
import { persist } from "./backoff.js";
import { launchOnSubmit } from "./launch.js";
import { slots } from "./template.js";

export function startExample(form) {
  const { topic, problems } = slots(form);
  launchOnSubmit(form, problems, () => example(topic.value.trim()));
}

/** The example's spec. */
export async function example(topic) {
  const spec = await persist(() => get("/static/examples/heat-pumps.json"), { tries: 3 });
  if (!topic) return spec;
  return { ...spec, title: `Brief on ${topic}`.slice(0, 500), inputs: { ...spec.inputs, topic } };
}
