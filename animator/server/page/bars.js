// The 52 channels as bars, in groups; the subject's left and right side by side. Drawn only while they are open.

import { byId, make } from "./dom.js";

const GROUPS = [
  ["Eyes", /^eye/],
  ["Brows", /^brow/],
  ["Jaw", /^(jaw|tongue)/],
  ["Mouth", /^mouth/],
  ["Cheeks and nose", /^(cheek|nose)/],
];
/** Left and right in these names are directions of one movement, yet they read best side by side as well. */
const SIDE = /(Left|Right)$/;
const STILL_HERE_MS = 1000;

export class Bars {
  #fold = byId("channels-fold");
  #fills = new Map();
  #names;
  #weights = null;
  #trackId = 0;
  #heardAt = -Infinity;
  #isDue = false;

  /** `onOpen(on)` is called when motion begins or stops being of use. */
  constructor(config, onOpen) {
    this.#names = config.channels ?? [];
    const unseen = new Set(config.unseen ?? ["tongueOut"]);
    const node = byId("channels");
    for (const [title, pattern] of GROUPS) {
      const names = this.#names.filter((name) => pattern.test(name));
      if (names.length) node.append(this.#group(title, names, unseen));
    }
    this.#fold.addEventListener("toggle", () => onOpen(this.#fold.open));
  }

  get isOpen() {
    return this.#fold.open;
  }

  /** (52,) numbers of 0..1, in the order of the server's `channels`; of several performers, the first is shown. */
  show(weights, trackId = 0) {
    const now = performance.now();
    if (trackId > this.#trackId && now - this.#heardAt < STILL_HERE_MS) return;
    this.#trackId = trackId;
    this.#heardAt = now;
    this.#weights = weights;
    if (this.#isDue || !this.#fold.open) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#draw());
  }

  /** All bars to nothing: there is no performer. */
  rest() {
    this.show(new Float32Array(this.#names.length));
  }

  #draw() {
    this.#isDue = false;
    this.#names.forEach((name, index) => {
      const fill = this.#fills.get(name);
      const value = Math.round(Math.min(1, Math.max(0, this.#weights[index] ?? 0)) * 200) / 200;
      if (!fill || fill.value === value) return;
      fill.value = value;
      fill.node.style.transform = `scaleX(${value})`;
    });
  }

  #group(title, names, unseen) {
    const rows = new Map();
    for (const name of names) {
      const base = name.replace(SIDE, "");
      rows.set(base, [...(rows.get(base) ?? []), name]);
    }
    const list = make("div", { class: "bars" });
    for (const [base, members] of rows) list.append(this.#row(base, members, unseen));
    return make("section", { class: "group" }, make("h3", {}, title, make("span", {}, "left"), make("span", {}, "right")), list);
  }

  #row(base, members, unseen) {
    const label = make("span", { class: "bar-name", title: members.join(", ") }, readable(base));
    const sides = members.length === 2 ? ["Left", "Right"] : [""];
    const tracks = sides.map((side) => this.#track(base + side));
    const row = make("div", { class: members.length === 2 ? "bar pair" : "bar" }, label, ...tracks);
    if (members.every((name) => unseen.has(name))) {
      row.classList.add("unseen-channel");
      label.append(make("em", {}, " not seen by a camera"));
    }
    return row;
  }

  #track(name) {
    const fill = make("i");
    this.#fills.set(name, { node: fill, value: 0 });
    return make("span", { class: "bar-track", "data-channel": name }, fill);
  }
}

/** "mouthSmile" -> "Smile"; "jawOpen" -> "Open". */
function readable(base) {
  const words = base.replace(/^(eye|brow|mouth|cheek|jaw|nose|tongue)/, "").replace(/([A-Z])/g, " $1").trim().toLowerCase();
  const text = words || "aside";
  const tongue = base.startsWith("tongue") ? "tongue " : "";
  return (tongue + text).replace(/^./, (letter) => letter.toUpperCase());
}
