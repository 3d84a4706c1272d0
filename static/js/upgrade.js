/** Says when the server serves another page than this one. */
import { get } from "./api.js";
import { stamp } from "./template.js";

let build = null;

/** Ask the server which page it serves. The first answer is ours. */
export async function checkForUpgrade() {
  const served = await get("/static/build.json").catch(() => null);
  if (!served) return;
  build ??= served.build;
  if (served.build !== build && !document.getElementById("upgraded")) tell();
}

function tell() {
  const { root, reload } = stamp("upgrade");
  root.id = "upgraded";
  reload.addEventListener("click", () => location.reload());
  document.body.prepend(root);
}

checkForUpgrade();
