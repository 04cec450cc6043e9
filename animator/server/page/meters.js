// Numbers about the connection: one quiet line always, all of them when asked.

import { byId, icon, make, write } from "./dom.js";

const EVERY_MS = 1000;
const STAGES = { track: "Track", solve: "Solve", deform: "Deform", render: "Render", encode: "Encode" };
const ROWS = [
  ["fps", "Shown here"],
  ["fps_in", "Camera at the server"],
  ["fps_out", "Puppet at the server"],
  ["rtt", "There and back"],
  ["kbit_s", "Bit rate"],
  ["size", "Picture"],
  ["faces", "Faces seen"],
  ...Object.entries(STAGES),
];

export class Meters {
  #values = {};
  #rows = new Map();
  #session;
  #fold = byId("figures-fold");

  constructor(session) {
    this.#session = session;
    for (const [key, title] of ROWS) {
      const value = make("dd", { "data-figure": key }, "–");
      this.#rows.set(key, value);
      byId("figures").append(make("dt", {}, title), value);
    }
    session.addEventListener("rtt", (event) => this.#put({ rtt: `${Math.max(1, Math.round(event.detail))} ms` }));
    this.#fold.addEventListener("toggle", () => this.#draw());
    setInterval(() => this.#look(), EVERY_MS);
  }

  /** A `stats` message of the server. */
  hear(stats) {
    const put = {};
    for (const key of ["fps_in", "fps_out"]) if (isNumber(stats[key])) put[key] = `${stats[key].toFixed(1)} /s`;
    if (isNumber(stats.kbit_s)) put.kbit_s = `${Math.round(stats.kbit_s)} kbit/s`;
    if (isNumber(stats.faces)) put.faces = String(stats.faces);
    for (const key of Object.keys(STAGES)) {
      if (isNumber(stats.stages?.[key])) put[key] = `${stats.stages[key].toFixed(1)} ms`;
    }
    this.#put(put);
    this.crowd(stats);
  }

  /** How many perform and watch in this room. */
  crowd({ performers, viewers }) {
    if (!isNumber(performers) || !isNumber(viewers)) return;
    const text = `${count(performers, "performer")}, ${count(viewers, "viewer")}`;
    const node = byId("crowd");
    node.hidden = false;
    if (node.dataset.text === text) return;
    node.dataset.text = text;
    node.replaceChildren(
      make("span", { class: "spoken" }, text),
      make("span", { "aria-hidden": "true", title: text }, icon("people"), String(performers), icon("eye"), String(viewers)),
    );
  }

  clear() {
    this.#values = {};
    byId("crowd").hidden = true;
    this.#draw();
  }

  async #look() {
    if (!this.#session.isLive) return;
    const entry = await this.#session.figures().catch(() => null);
    if (!entry) return;
    const put = {};
    if (isNumber(entry.framesPerSecond)) put.fps = `${Math.round(entry.framesPerSecond)} /s`;
    if (entry.frameWidth) put.size = `${entry.frameWidth} × ${entry.frameHeight}`;
    this.#put(put);
  }

  #put(values) {
    Object.assign(this.#values, values);
    this.#draw();
  }

  #draw() {
    const { fps, rtt } = this.#values;
    write(byId("pulse-text"), [fps?.replace(" /s", " fps"), rtt].filter(Boolean).join(" · ") || "Live");
    if (!this.#fold.open) return;
    for (const [key, node] of this.#rows) write(node, this.#values[key] ?? "–");
  }
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function count(n, noun) {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
