/** The tab's title: how the mission stands, before its name. The open questions' number is inbox-count.js's. */

const MARKS = { waiting: "? ", completed: "✓ ", failed: "✕ ", cancelled: "– " };

export class MissionTitle {
  show({ status, title, requests }) {
    const [count = ""] = /^\(\d+\) /.exec(document.title) ?? [];
    const mark = requests.length ? MARKS.waiting : (MARKS[status] ?? "");
    document.title = `${count}${mark}${title} · Longline`;
  }
}
