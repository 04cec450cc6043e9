// Recording: the server keeps the numbers, this page keeps the picture; both are offered when it ends.

import { fetchFile } from "./api.js";
import { byId, clock, icon, make, toast, write } from "./dom.js";

const TYPES = ["video/webm;codecs=vp8", "video/webm", "video/mp4"];
const MOST_BYTES = 400e6;

export class Recorder {
  #button = byId("record");
  #card = byId("taken");
  #session;
  #stage;
  #room;
  #film = null;
  #chunks = [];
  #bytes = 0;
  #startedAt = 0;
  #ticking = 0;
  #offers = new Map();
  #length = "";

  constructor(session, stage, room) {
    this.#session = session;
    this.#stage = stage;
    this.#room = room;
    this.#button.addEventListener("click", () => (this.isRunning ? this.stop() : this.start()));
  }

  get isRunning() {
    return this.#ticking !== 0;
  }

  start() {
    if (!this.#session.isLive || this.isRunning) return;
    this.dismiss();
    if (this.#session.role === "perform") this.#session.send({ type: "record", on: true });
    this.#roll();
    this.#startedAt = performance.now();
    this.#ticking = setInterval(() => this.#tick(), 500);
    this.#button.setAttribute("aria-pressed", "true");
    this.#tick();
  }

  /** End it; also when the connection broke, where only the film remains. */
  stop() {
    if (!this.isRunning) return;
    this.#length = clock((performance.now() - this.#startedAt) / 1000);
    clearInterval(this.#ticking);
    this.#ticking = 0;
    if (this.#session.role === "perform") this.#session.send({ type: "record", on: false });
    if (this.#film?.state === "recording") this.#film.stop();
    this.#button.setAttribute("aria-pressed", "false");
    write(byId("record-text"), "Record");
  }

  /** The server's `recorded`: its take can be fetched, as arrays and as a table. */
  hear({ url }) {
    if (typeof url !== "string") return;
    const table = url.replace(/\.npz(?=$|\?)/, ".csv");
    this.#offer("take", "Take", ".npz", () => fetchFile(url));
    if (table !== url) this.#offer("table", "Table", ".csv", () => fetchFile(table));
  }

  dismiss() {
    this.#offers.clear();
    this.#card.hidden = true;
  }

  #roll() {
    this.#chunks = [];
    this.#bytes = 0;
    this.#film = null;
    const type = TYPES.find((name) => globalThis.MediaRecorder?.isTypeSupported(name));
    const stream = this.#stage.puppetStream;
    if (!type || !stream) return;
    try {
      this.#film = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 4e6 });
    } catch {
      return;
    }
    const film = this.#film;
    film.addEventListener("dataavailable", (event) => {
      if (film !== this.#film || event.data.size === 0) return;
      this.#chunks.push(event.data);
      this.#bytes += event.data.size;
      if (this.#bytes > MOST_BYTES && film.state === "recording") {
        film.stop();
        toast("The video has become long and ends here. The take goes on.");
      }
    });
    film.addEventListener("stop", () => film === this.#film && this.#develop(type));
    film.start(1000);
  }

  #develop(type) {
    if (!this.#chunks.length) return;
    const blob = new Blob(this.#chunks, { type: type.split(";")[0] });
    this.#chunks = [];
    this.#offer("video", "Video", type.includes("mp4") ? ".mp4" : ".webm", async () => blob);
  }

  #tick() {
    write(byId("record-text"), clock((performance.now() - this.#startedAt) / 1000));
  }

  #offer(kind, title, ending, get) {
    this.#offers.set(kind, { title, ending, get });
    const order = ["take", "table", "video"].filter((name) => this.#offers.has(name));
    const buttons = order.map((name) => this.#saveButton(name, this.#offers.get(name)));
    const close = make("button", { class: "quiet", type: "button", "aria-label": "Close", onclick: () => this.dismiss() }, icon("close"));
    this.#card.replaceChildren(make("p", {}, make("b", {}, "Recorded"), ` ${this.#length}`), ...buttons, close);
    this.#card.hidden = false;
  }

  #saveButton(kind, { title, ending, get }) {
    const button = make("button", { class: "push", type: "button", "data-save": kind, "aria-label": `Save ${title.toLowerCase()} ${ending}` });
    button.append(icon("save"), make("span", {}, title), make("small", {}, ending));
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        save(await get(), `${this.#room}-${stamp()}${ending}`);
      } catch {
        toast("The recording is no longer there: the server keeps only the last one of a session.");
      }
      button.disabled = false;
    });
    return button;
  }
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name, class: "offscreen" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** 2031-05-09-140307, in local time. */
function stamp(now = new Date()) {
  const two = (n) => String(n).padStart(2, "0");
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
