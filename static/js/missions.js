/** The page `/`: the missions, live, and what starts one. */
import { Connection } from "./connection.js";
import { Feed } from "./feed.js";
import { MissionList } from "./mission-list.js";
import { startComposing } from "./compose.js";
import { startExample } from "./example.js";
import { slots } from "./template.js";

const CHANGES_A_ROW = "STATUS,USAGE,HUMAN_INPUT_REQUEST,HUMAN_RESPONSE";

const list = new MissionList(document.getElementById("missions"));
const footer = document.getElementById("footer");
const connection = new Connection({ root: footer, ...slots(footer) });

startExample(document.getElementById("example"));
startComposing(document.getElementById("compose"));

try {
  new Feed("/events", {
    after: await list.load(),
    query: { kind: CHANGES_A_ROW },
    onEvents: (events) => list.changed(new Set(events.map((event) => event.mission))),
    onReset: () => list.load(),
    onState: (state) => connection.show(state),
  }).start();
} catch (problem) {
  connection.show({ phase: "refused", message: problem.message });
}
