/** The files that a mission was given and made, wherever the page lists them. */
import { get } from "./api.js";
import { bytes, moment } from "./quantities.js";
import { Refresher } from "./refresher.js";
import { stamp } from "./template.js";

export class FilesView {
  #path;
  #lists;
  #refresher = new Refresher(() => this.#load());

  /** lists: elements for the rows, each followed by what is said when there are none. */
  constructor(path, lists) {
    this.#path = path;
    this.#lists = lists;
  }

  refresh() {
    this.#refresher.soon();
  }

  apply(events) {
    if (events.some(({ kind, name }) => kind === "OUTPUT" && name === "file")) this.refresh();
  }

  async #load() {
    const { files } = await get(this.#path);
    for (const list of this.#lists) {
      list.replaceChildren(...files.map(row));
      list.nextElementSibling.hidden = files.length > 0;
    }
  }
}

function row({ id, name, bytes: size, direction, task, created_at, media_type }) {
  const { root, link, size: length, about } = stamp("file-row");
  link.textContent = name;
  link.href = `/files/${id}`;
  link.download = name;
  const from = direction === "input" ? "came with the mission" : task && `written by ${task}`;
  length.textContent = bytes(size);
  about.textContent = ["", from, media_type].filter((part) => part != null).join(" · ");
  about.title = moment(created_at);
  return root;
}
