// A person's stay in a room: connect, notice a loss, connect again with the same settings, leave.

import { endSession, fetchConfig, ServerProblem } from "./api.js";
import { Peer } from "./peer.js";
import { PROBLEMS } from "./problems.js";
import { token } from "./place.js";
import { isOwn } from "./avatar.js";
import { Vigil } from "./vigil.js";

const BACK_OFF_S = [1, 2, 4, 8, 15];
const PING_MS = 2000;
const CONFIG_MS = 3000;
const PINGS_UNANSWERED = 4;

/**
 * Events: `phase` (detail: {phase, problem, detail, seconds}), `picture`, `message`, `motion`, `rtt` (detail: ms).
 * Phases: idle, connecting, live, waiting (tries again in `seconds`), failed (a person must do something).
 */
export class Session extends EventTarget {
  #config;
  #settings;
  #peer = null;
  #wishes = null;
  #track = null;
  #id = "";
  #wasLive = false;
  #calibrations = new Map();
  #tries = 0;
  #wantsPicture = true;
  #timer = 0;
  #pinger = 0;
  #unanswered = 0;
  #vigil = new Vigil((fate) => this.lose(fate === "worker-lost" ? "worker-lost" : "lost"));
  phase = "idle";

  constructor(config, settings) {
    super();
    this.#config = config;
    this.#settings = settings;
    window.addEventListener("online", () => this.tryNow());
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  get isLive() {
    return this.phase === "live";
  }

  /** What the server calls it; empty before the first. */
  get id() {
    return this.#id;
  }

  /** "perform" or "watch"; empty while nobody is in the room. */
  get role() {
    return this.#wishes?.role ?? "";
  }

  /** Begin; `track` is the camera's, or null to watch. */
  start(room, role, track) {
    this.leave();
    this.#wishes = { room, role };
    this.#track = track;
    this.#wasLive = false;
    this.#calibrations.clear();
    this.#tries = 0;
    this.#connect();
  }

  send(message) {
    return this.#peer?.send(message) ?? false;
  }

  sendMotion(bytes) {
    this.#peer?.sendMotion(bytes);
  }

  async replaceTrack(track) {
    this.#track = track;
    await this.#peer?.replaceTrack(track);
  }

  /** Whether the server's picture is wanted; a performer has it in any case. It takes another connection. */
  usePicture(on) {
    if (this.#wantsPicture === on) return;
    this.#wantsPicture = on;
    if (this.role === "watch" && (this.phase === "live" || this.phase === "connecting")) this.#connect();
  }

  async figures() {
    return (await this.#peer?.figures()) ?? null;
  }

  /** While waiting for the next try: do it at once. */
  tryNow() {
    if (this.phase === "waiting") this.#connect();
  }

  /** After a failure that a person has dealt with: from the beginning. */
  again() {
    if (!this.#wishes) return;
    this.#tries = 0;
    this.#connect();
  }

  leave() {
    if (this.phase === "idle") return;
    this.#peer?.send({ type: "bye" });
    if (this.#id) endSession(this.#id);
    this.#id = "";
    this.#wishes = null;
    this.#drop();
    this.#enter("idle");
  }

  /** The server says that the session is over: do not wait until the line falls silent. */
  lose(problem) {
    if (this.#wishes && this.phase === "live") this.#retry(problem);
  }

  async #connect() {
    this.#drop();
    this.#enter("connecting");
    // A TURN server's login may have run out since; without an answer the old one is tried.
    if (this.#wasLive) this.#config.ice_servers = (await fetchConfig(AbortSignal.timeout(CONFIG_MS)).catch(() => this.#config)).ice_servers;
    if (this.phase !== "connecting" || this.#peer) return;
    const servers = this.#config.ice_servers ?? [];
    const peer = new Peer(servers, this.#track, this.#wantsPicture);
    this.#peer = peer;
    for (const name of ["picture", "motion"]) peer.addEventListener(name, (event) => this.#tell(name, event.detail));
    peer.addEventListener("message", (event) => this.#hear(event.detail));
    peer.addEventListener("gone", () => this.phase === "live" && this.#retry("lost"));
    const { view, rig } = this.#settings.all();
    const wishes = { ...this.#wishes, view, rig: rig && !isOwn(rig) ? rig : undefined, video: this.#wantsPicture, resume: this.#id || undefined };
    try {
      const id = await peer.connect(wishes, JSON.stringify(servers).includes("turn"));
      if (this.#peer === peer) this.#arrive(id);
    } catch (error) {
      if (error.session) endSession(error.session);
      if (this.#peer === peer) this.#fail(error);
    }
  }

  #arrive(id) {
    this.#id = id;
    this.#tries = 0;
    this.#unanswered = 0;
    this.#enter("live");
    this.#ping();
    this.#pinger = setInterval(() => this.#ping(), PING_MS);
    this.#vigil.keep(id, this.#wishes.room);
  }

  #hear(message) {
    if (message.type === "pong") {
      this.#unanswered = 0;
      this.#tell("rtt", performance.now() - message.t);
    } else if (message.type === "welcome") {
      if (message.session) this.#id = message.session;
      this.#settings.greet(message.settings ?? {}, !this.#wasLive);
      this.#wasLive = true;
      for (const kept of this.#calibrations.values()) this.send(kept);
    } else if (message.type === "calibration") {
      this.#calibrations.set(message.face, message);
    } else if (message.type === "settings") {
      this.#settings.hear(message);
    }
    this.#tell("message", message);
  }

  #ping() {
    if (this.#unanswered >= PINGS_UNANSWERED) {
      this.#retry("lost");
      return;
    }
    this.#unanswered += 1;
    this.send({ type: "ping", t: performance.now() });
  }

  #fail(error) {
    const problem = error instanceof ServerProblem ? error : new ServerProblem("refused", String(error.message ?? ""));
    let { kind } = problem;
    if (kind === "token" && token()) kind = "token-wrong";
    if (kind === "no-path" && this.#wasLive && this.#tries < BACK_OFF_S.length) kind = "lost";
    if (PROBLEMS[kind].retries) {
      this.#retry(kind, problem.retryAfterS, problem.detail);
    } else {
      this.#drop();
      this.#enter("failed", { problem: kind, detail: problem.detail });
    }
  }

  #retry(problem, seconds = 0, detail = "") {
    const wait = seconds || BACK_OFF_S[Math.min(this.#tries, BACK_OFF_S.length - 1)];
    this.#tries += 1;
    this.#drop();
    this.#enter("waiting", { problem, detail, seconds: wait });
    this.#timer = setTimeout(() => this.#connect(), wait * 1000);
  }

  #drop() {
    clearTimeout(this.#timer);
    clearInterval(this.#pinger);
    this.#vigil.stop();
    this.#peer?.close();
    this.#peer = null;
  }

  #enter(phase, detail = {}) {
    this.phase = phase;
    this.#tell("phase", { phase, ...detail });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
