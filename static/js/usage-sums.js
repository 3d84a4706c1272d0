/** Tokens and cost as the log tells them: over time, by agent, by model. */

export class UsageSums {
  /** Cumulated, one entry for the beginning and one for each call: seconds, prompt, completion, dollars (null: no price known). */
  series = [[], [], [], []];
  agents = new Map();
  models = new Map();

  add({ kind, name, at, agent, data }) {
    const [times, prompts, completions, costs] = this.series;
    if (!times.length) this.series.forEach((values, i) => values.push([Date.parse(at) / 1000, 0, 0, null][i]));
    if (kind !== "USAGE" || name !== "call") return false;
    const prompt = data.prompt_tokens ?? 0;
    const completion = data.completion_tokens ?? 0;
    times.push(Math.max(Date.parse(at) / 1000, (times.at(-1) ?? 0) + 0.001));
    prompts.push((prompts.at(-1) ?? 0) + prompt);
    completions.push((completions.at(-1) ?? 0) + completion);
    costs.push(data.cost_usd == null ? (costs.at(-1) ?? null) : (costs.at(-1) ?? 0) + data.cost_usd);
    count(this.agents, agent ?? "(none)", prompt, completion, data.cost_usd);
    count(this.models, data.model ?? "(unknown)", prompt, completion, data.cost_usd);
    return true;
  }
}

function count(sums, name, prompt, completion, cost) {
  const sum = sums.get(name) ?? { name, calls: 0, prompt: 0, completion: 0, cost: null };
  sum.calls++;
  sum.prompt += prompt;
  sum.completion += completion;
  if (cost != null) sum.cost = (sum.cost ?? 0) + cost;
  sums.set(name, sum);
}
