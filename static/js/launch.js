/** Posts a mission and goes to its page. Pressed twice, or sent again after a cut, it is one mission. */
import { post } from "./api.js";
import { persist } from "./backoff.js";
import { OnceKey } from "./idempotency.js";
import { showProblem } from "./problem-list.js";

const TRIES = 6; // with their pauses about as long as a server's restart

/** read(): the mission's spec, from the form; throws a Problem if there is none. */
export function launchOnSubmit(form, problems, read) {
  const once = new OnceKey();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    showProblem(problems, null);
    try {
      const spec = await read();
      const key = once.for(spec);
      const mission = await persist(() => post("/missions", spec, { key }), { tries: TRIES });
      once.done();
      location.assign(`/m/${mission.id}`);
    } catch (error) {
      showProblem(problems, error);
    } finally {
      button.disabled = false;
    }
  });
}
