/** An answer as people read it. */

export function answerText(answer) {
  if (answer === "") return "(accepted as it is)";
  if (typeof answer === "string") return answer;
  if (typeof answer === "object" && typeof answer.decision === "string") return decisionText(answer);
  return JSON.stringify(answer, null, 2);
}

function decisionText({ decision, args, comment }) {
  const changed = decision === "edit" && args ? JSON.stringify(args, null, 2) : "";
  return [decision, comment, changed].filter(Boolean).join("\n");
}
