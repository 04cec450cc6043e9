// The card over the stage: what happened, what to do, and the buttons to do it.

import { byId, make, write } from "./dom.js";
import { PROBLEMS } from "./problems.js";

export class Notice {
  #card = byId("notice");
  #actions = byId("notice-actions");
  #form = byId("token-form");
  #ticking = 0;
  #before = null;

  constructor() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const value = byId("token").value.trim();
      if (value) this.onToken?.(value);
    });
  }

  /** Called with what a person typed as token. */
  onToken = null;

  get isShown() {
    return !this.#card.hidden;
  }

  /**
   * Show a problem of problems.js.
   * `detail`: the server's own sentence; `seconds`: until the next try; `actions`: [{label, act, primary}].
   */
  show(kind, { detail = "", seconds = 0, actions = [] } = {}) {
    const problem = PROBLEMS[kind] ?? PROBLEMS.refused;
    if (!this.isShown) this.#before = document.activeElement;
    clearInterval(this.#ticking);
    byId("notice-icon").setAttribute("href", `/static/icons.svg#${problem.icon ?? "warning"}`);
    this.#card.dataset.kind = kind;
    write(byId("notice-title"), problem.title);
    write(byId("notice-text"), kind === "refused" && detail ? detail : problem.text);
    write(byId("notice-remedy"), problem.remedy);
    this.#form.hidden = !problem.token;
    this.#actions.replaceChildren(...actions.map((action) => this.#button(action)));
    this.#card.hidden = false;
    if (problem.token) byId("token").focus();
    else if (!problem.retries) this.#actions.querySelector("button")?.focus();
    if (seconds > 0) this.#tick(seconds);
  }

  hide() {
    clearInterval(this.#ticking);
    if (!this.isShown) return;
    const hadFocus = this.#card.contains(document.activeElement);
    this.#card.hidden = true;
    byId("token").value = "";
    if (hadFocus && this.#before?.isConnected) this.#before.focus();
  }

  #button({ label, act, primary = false, submit = false }) {
    const attributes = { class: primary ? "push primary" : "push", type: submit ? "submit" : "button" };
    if (submit) return make("button", { ...attributes, form: "token-form" }, label);
    return make("button", { ...attributes, onclick: act }, label);
  }

  #tick(seconds) {
    const until = performance.now() + seconds * 1000;
    const base = byId("notice-remedy").textContent;
    const say = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      write(byId("notice-remedy"), left > 0 ? `${base} Next try in ${left} s.` : `${base} Trying now…`);
      if (left <= 0) clearInterval(this.#ticking);
    };
    say();
    this.#ticking = setInterval(say, 250);
  }
}
