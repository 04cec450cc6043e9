// The stage: the puppet large, one's own camera small (or the other way round), and what lies over them.

import { byId, write } from "./dom.js";

const COUNT_FROM = 3;
const HAS_PICTURE = 2;

export class Stage {
  #frame = byId("frame");
  #puppet = byId("puppet");
  #numbers = byId("numbers");
  #own = byId("own");
  #swap = byId("swap");
  #poster = byId("poster");
  #veil = byId("veil");
  #hint = byId("hint");
  #count = byId("count");
  #isSwapped = false;
  #hasOwn = true;
  #counting = 0;

  constructor() {
    this.#swap.addEventListener("click", () => this.swap());
    this.#puppet.addEventListener("resize", () => this.#fit());
    for (const name of ["playing", "timeupdate"]) this.#puppet.addEventListener(name, () => this.isPlaying && this.veil(""));
    this.#poster.addEventListener("load", () => this.#poster.classList.toggle("medallion", this.#poster.naturalWidth < 480));
    this.#poster.addEventListener("error", () => (this.#poster.hidden = true));
  }

  /** The puppet's picture, for recording. */
  get puppetStream() {
    return this.#numbers.hidden ? this.#puppet.srcObject : this.#numbers.captureStream();
  }

  get isPlaying() {
    return Boolean(this.#puppet.srcObject) && this.#puppet.readyState >= HAS_PICTURE;
  }

  get canvas() {
    return this.#numbers;
  }

  showPuppet(stream) {
    this.#puppet.srcObject = stream;
    this.#puppet.classList.toggle("unseen", !stream || !this.#numbers.hidden);
    if (stream) this.#puppet.play().catch(() => {});
  }

  /** Show one's own camera; null takes it away. */
  showOwn(stream) {
    this.#own.srcObject = stream;
    this.#placeOwn();
  }

  clear() {
    this.showPuppet(null);
    this.showOwn(null);
    this.useNumbers(false);
    this.veil("");
    this.hint("");
    this.stopCount();
  }

  /** Drawn by this page (numbers mode) or by the server. */
  useNumbers(on) {
    this.#numbers.hidden = !on;
    this.#puppet.classList.toggle("unseen", on);
  }

  swap() {
    this.#isSwapped = !this.#isSwapped;
    for (const node of [this.#puppet, this.#numbers]) {
      node.classList.toggle("small", this.#isSwapped);
      node.classList.toggle("large", !this.#isSwapped);
    }
    this.#own.classList.toggle("small", !this.#isSwapped);
    this.#own.classList.toggle("large", this.#isSwapped);
    this.#swap.setAttribute("aria-pressed", String(this.#isSwapped));
  }

  /** The puppet's still picture, before there is a moving one. */
  poster(url) {
    this.#poster.hidden = !url;
    if (url && this.#poster.getAttribute("src") !== url) this.#poster.src = url;
  }

  /** Keep the whole picture in sight where cutting its sides would lose somebody. */
  arrange({ view, faces, mirror }) {
    this.#hasOwn = view !== "side-by-side";
    this.#placeOwn();
    this.#frame.toggleAttribute("data-whole", view === "side-by-side" || faces > 1);
    this.#frame.toggleAttribute("data-wide", view === "side-by-side");
    this.#own.classList.toggle("mirrored", mirror);
  }

  /** A spinner over the picture, with a word; an empty word takes it away. */
  veil(text) {
    this.#veil.hidden = !text;
    write(byId("veil-text"), text);
    this.#frame.setAttribute("aria-busy", String(Boolean(text)));
  }

  /** A line at the top of the picture, which stays. */
  hint(text) {
    write(this.#hint, text);
    this.#hint.classList.toggle("shown", Boolean(text));
  }

  /** 3, 2, 1 over the picture; then `done` is called. */
  countDown(done) {
    this.stopCount();
    let left = COUNT_FROM;
    const step = () => {
      if (left === 0) {
        this.stopCount();
        done();
        return;
      }
      this.#count.hidden = false;
      write(byId("count-number"), String(left));
      left -= 1;
    };
    step();
    this.#counting = setInterval(step, 1000);
  }

  stopCount() {
    clearInterval(this.#counting);
    this.#counting = 0;
    this.#count.hidden = true;
  }

  get isCounting() {
    return this.#counting !== 0;
  }

  /** Side by side shows the camera already: once is enough. */
  #placeOwn() {
    const isShown = this.#hasOwn && Boolean(this.#own.srcObject);
    this.#own.hidden = this.#swap.hidden = !isShown;
    if (!isShown && this.#isSwapped) this.swap();
  }

  #fit() {
    const { videoWidth, videoHeight } = this.#puppet;
    if (videoWidth && videoHeight) this.#frame.style.setProperty("--picture", String(videoWidth / videoHeight));
  }
}
