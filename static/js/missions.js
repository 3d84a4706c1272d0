/** The page `/`: the missions, live; where there are none, what starts one. */
import { Connection } from "./connection.js";
import { Feed } from "./feed.js";
import { MissionList } from "./mission-list.js";
import { startExample } from "./example.js";
import { slots } from "./template.js";

const list = new MissionList(document.getElementById("missions"));
const footer = document.getElementById("footer");
const connection = new Connection({ root: footer, ...slots(footer) });

startExample(document.getElementById("example"));

try {
  new Feed({
    kinds: ["STATUS", "USAGE", "HUMAN_INPUT_REQUEST", "HUMAN_RESPONSE"],
    after: await list.load(),
    onEvents: (events) => {
      list.changed(new Set(events.map((event) => event.mission)));
      connection.heard(events);
    },
    onReset: () => list.load(),
    onState: (state) => connection.show(state),
  }).start();
} catch (problem) {
  connection.show({ phase: "refused", message: problem.message });
}
