// An avatar of one's own: brought to the server for this session, or drawn here by who watches, and given to nobody.

import { bringAvatar } from "./api.js";
import { byId, icon, make, write } from "./dom.js";

export const OWN = "own";
const SUFFIXES = [".vrm", ".glb", ".gltf"];
const MB = 2 ** 20;
const SHOWN = ["name", "author", "licence", "copyright"];

/** Whether a puppet's name stands for a visitor's own: the server's `own`, or one that is drawn here alone. */
export function isOwn(rig) {
  return rig === OWN || rig.startsWith(`${OWN}-`);
}

/** Events: `local` (detail: {name, model}), an avatar that only this page has. */
export class Avatar extends EventTarget {
  #session;
  #settings;
  #mostMb;
  #isLocal;
  #file = null;
  #isWorn = false;
  #coming = null;
  #locals = 0;

  /** `isLocal()`: whether puppets are drawn here, by a page that only watches. */
  constructor(session, settings, mostMb, isLocal) {
    super();
    this.#session = session;
    this.#settings = settings;
    this.#mostMb = mostMb;
    this.#isLocal = isLocal;
    byId("bring").hidden = !mostMb;
    byId("own-choose").addEventListener("click", () => byId("own-file").click());
    byId("own-cancel").addEventListener("click", () => this.#coming?.abort());
    byId("own-file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";  // the same file may be chosen again once it was mended
      if (file) this.#choose(file);
    });
    byId("rigs").addEventListener("change", (event) => (this.#isWorn = event.target.value === OWN));
    settings.addEventListener("change", () => this.explain());
    this.explain();
  }

  /** After another connection the server knows nothing of it: bring it again, if it was worn. */
  again() {
    if (this.#isWorn && this.#file) this.#bring(this.#file);
    else if (this.#session.role === "perform") this.#forget(OWN);
  }

  /** The session is over, and with it what the server had of the avatar. */
  leave() {
    this.#coming?.abort();
    this.#isWorn = false;
    this.#file = null;
    this.#say("");
    this.#tell(null);
    for (const input of byId("rigs").querySelectorAll(`input[value^="${OWN}"]`)) if (isOwn(input.value)) this.#forget(input.value);
    if (isOwn(this.#settings.get("rig"))) this.#settings.hear({ rig: byId("rigs").querySelector("input")?.value ?? "" });
  }

  /** What will be done with the file. */
  explain() {
    write(byId("own-rule"), this.#isLocal()
      ? "A .vrm, .glb or .gltf file. Drawn on this device alone, and sent to nobody."
      : `A .vrm, .glb or .gltf file, up to ${this.#mostMb} MB. Worn in this session only; nobody else can have it.`);
  }

  #choose(file) {
    this.#say("");
    this.#tell(null);
    if (!SUFFIXES.some((suffix) => file.name.toLowerCase().endsWith(suffix))) {
      this.#say(`${file.name} is no avatar: wanted a file that ends in ${SUFFIXES.join(", ")}.`);
    } else if (this.#isLocal()) {
      this.#wearHere(file);
    } else if (file.size > this.#mostMb * MB) {
      this.#say(`${file.name} has ${Math.ceil(file.size / MB)} MB; this server takes up to ${this.#mostMb} MB.`);
    } else {
      this.#bring(file);
    }
  }

  async #bring(file) {
    this.#coming?.abort();
    const coming = new AbortController();
    this.#coming = coming;
    this.#progress(0);
    try {
      const said = await bringAvatar(this.#session.id, file, (share) => this.#progress(share), coming.signal);
      this.#file = file;
      this.#isWorn = true;
      const about = Object.fromEntries(said.about);
      this.#offer(OWN, about.name || file.name);
      this.#tell({ ...about, name: about.name || file.name }, said.channels);
    } catch (error) {
      if (error.name !== "AbortError") this.#say(error.detail || "The avatar did not reach the server. Try again.");
    }
    if (this.#coming !== coming) return;
    this.#coming = null;
    this.#progress(null);
  }

  #wearHere(file) {
    this.#locals += 1;
    const name = `${OWN}-${this.#locals}`;
    const before = byId("rigs").querySelector(`input[value^="${OWN}-"]`);
    if (before) this.#forget(before.value);
    this.dispatchEvent(new CustomEvent("local", { detail: { name, model: URL.createObjectURL(file) } }));
    this.#offer(name, file.name);
    this.#tell({ name: file.name });
    this.#settings.choose("rig", name);
  }

  /** A file that was no avatar after all. */
  failed(name) {
    if (!isOwn(name)) return;
    this.#forget(name);
    this.#tell(null);
    this.#say("This file cannot be drawn here: wanted a .vrm or .glb that holds all of its data.");
  }

  /** One more puppet to choose from, which is marked as the others are. */
  #offer(name, title) {
    const field = byId("rigs");
    this.#forget(name);
    const checked = this.#settings.get("rig") === name;
    const input = make("input", { type: "radio", name: "rig", value: name, id: `rig-${name}` });
    input.checked = checked;
    const label = make("label", { for: input.id, title }, make("i", { class: "no-picture" }, icon("puppet")), make("span", {}, title));
    field.append(input, label);
  }

  #forget(name) {
    const input = byId("rigs").querySelector(`input[value="${name}"]`);
    input?.labels[0]?.remove();
    input?.remove();
  }

  #progress(share) {
    byId("own-progress").hidden = share === null;
    byId("own-choose").hidden = share !== null;
    if (share === null) return;
    const isSent = share >= 1;
    const bar = byId("own-bar");
    if (isSent) bar.removeAttribute("value");
    else bar.value = share;
    write(byId("own-doing"), isSent ? "The server looks at it…" : `Sending… ${Math.round(100 * share)} %`);
  }

  #say(problem) {
    const line = byId("own-problem");
    line.hidden = !problem;
    write(line, problem);
  }

  /** What the file says of itself, as far as people want to know it at once. */
  #tell(about, channels) {
    const list = byId("own-about");
    list.hidden = !about;
    const rows = about ? SHOWN.filter((key) => about[key]).map((key) => [key, about[key]]) : [];
    if (channels !== undefined) rows.push(["channels", `${channels} of 52 move it`]);
    list.replaceChildren(...rows.flatMap(([key, value]) => [make("dt", {}, key), make("dd", {}, value)]));
  }
}
