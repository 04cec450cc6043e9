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
   * `detail`: the server's own sentence; `seconds`: until the next try; `acts`: what the buttons can do, of
   * {again, now, watch, back}.
   */
  show(kind, { detail = "", seconds = 0, acts = {} } = {}) {
    const problem = PROBLEMS[kind] ?? PROBLEMS.refused;
    if (!this.isShown) this.#before = document.activeElement;
    clearInterval(this.#ticking);
    byId("notice-icon").setAttribute("href", `/static/icons.svg#${problem.icon ?? "warning"}`);
    this.#card.dataset.kind = kind;
    write(byId("notice-title"), problem.title);
    write(byId("notice-text"), kind === "refused" && detail ? detail : problem.text);
    write(byId("notice-remedy"), problem.remedy);
    this.#form.hidden = !problem.token;
    this.#actions.replaceChildren(...this.#buttons(problem, acts));
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

  #buttons(problem, acts) {
    const buttons = [];
    const add = (label, act, name = "push") => {
      if (act) buttons.push(make("button", { class: name, type: "button", onclick: act }, label));
    };
    if (problem.token) buttons.push(make("button", { class: "push primary", type: "submit", form: "token-form" }, "Continue"));
    if (problem.watch) add("Watch instead", acts.watch, "push primary");
    if (problem.again) add("Try again", acts.again, problem.watch ? "push" : "push primary");
    if (problem.retries) add("Try now", acts.now);
    add("Back", acts.back);
    return buttons;
  }

  #tick(seconds) {
    const until = performance.now() + seconds * 1000;
    const base = byId("notice-remedy").textContent;
    const say = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      write(byId("notice-remedy"), `${base}\n${left > 0 ? `Next try in ${left} s.` : "Trying now…"}`);
      if (left <= 0) clearInterval(this.#ticking);
    };
    say();
    this.#ticking = setInterval(say, 250);
  }
}
