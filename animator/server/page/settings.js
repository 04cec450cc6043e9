// What the person has chosen. It outlives connections, and goes to the server at most 20 times a second.

import { isOwn } from "./avatar.js";

const EVERY_MS = 50;
const STILL_MS = 600;

export const KEYS = ["view", "rig", "faces", "detection", "tracking", "presence", "smoothing", "mirror"];

/** Events: `change` (detail: {key, value}), for every value that is new, whoever set it. */
export class Settings extends EventTarget {
  #values = { view: "avatar", rig: "", faces: 1, detection: 50, tracking: 50, presence: 50, smoothing: 50, mirror: false };
  #touched = new Map();
  #pending = {};
  #sentAt = -Infinity;
  #timer = 0;
  #rehearsal = 0;
  #send;

  /** `send(message)` is called with {type: "set", ...}. */
  constructor(send) {
    super();
    this.#send = send;
  }

  get(key) {
    return this.#values[key];
  }

  all() {
    return { ...this.#values };
  }

  /** A person's choice: kept, shown and sent, the last value of a drag always. */
  choose(key, value) {
    this.#touched.set(key, performance.now());
    this.#put(key, value);
    this.#pending[key] = value;
    if (this.#timer) return;
    const wait = this.#sentAt + EVERY_MS - performance.now();
    if (wait <= 0) this.#flush();
    else this.#timer = setTimeout(() => this.#flush(), wait);
  }

  /** What the server says it uses; a slider that is being moved is left alone until it is still. */
  hear(said) {
    clearTimeout(this.#rehearsal);
    let isAnyMoving = false;
    for (const key of KEYS) {
      if (!(key in said) || said[key] === this.#values[key]) continue;
      const isMoving = performance.now() - (this.#touched.get(key) ?? -Infinity) < STILL_MS;
      if (isMoving) isAnyMoving = true;
      else this.#put(key, said[key]);
    }
    if (isAnyMoving) this.#rehearsal = setTimeout(() => this.hear(said), STILL_MS);
  }

  /** At the start of a connection: the first time only what was chosen is sent, afterwards all, in one message. */
  greet(said, isFirst) {
    this.#forget();
    clearTimeout(this.#rehearsal);
    if (isFirst) for (const key of KEYS) if (key in said && !this.#touched.has(key)) this.#put(key, said[key]);
    const keys = isFirst ? [...this.#touched.keys()] : KEYS;
    const known = ([key, value]) => value !== "" && !(key === "rig" && isOwn(value));  // that is brought first
    const values = Object.fromEntries(keys.map((key) => [key, this.#values[key]]).filter(known));
    if (Object.keys(values).length) this.#send({ type: "set", ...values });
  }

  #put(key, value) {
    if (this.#values[key] === value) return;
    this.#values[key] = value;
    this.dispatchEvent(new CustomEvent("change", { detail: { key, value } }));
  }

  #flush() {
    const values = this.#pending;
    this.#forget();
    this.#sentAt = performance.now();
    this.#send({ type: "set", ...values });
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#pending = {};
  }
}
