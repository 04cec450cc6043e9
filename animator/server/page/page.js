// One person's page: ties what they do to the session, and what the session says to the stage.

import { Avatar, isOwn } from "./avatar.js";
import { Bars } from "./bars.js";
import { Camera } from "./camera.js";
import { byId, toast } from "./dom.js";
import { Meters } from "./meters.js";
import { MotionReader, mountNumbers } from "./motion.js";
import { buildPanel, buildSheet, showCameras } from "./panel.js";
import { keepToken, rememberRole } from "./place.js";
import { HINTS } from "./problems.js";
import { Recorder } from "./recorder.js";
import { Session } from "./session.js";
import { Settings } from "./settings.js";
import { Stage } from "./stage.js";

const app = byId("app");
/** How long "the server is busy" stays after the server said so last. */
const OVERLOAD_MS = 6000;

export class Page {
  constructor(config, place, notice) {
    this.config = config;
    this.place = place;
    this.role = "perform";
    this.wantsMotion = false;
    this.drawing = null;
    this.hinted = "";
    this.hintedAt = 0;
    this.camera = new Camera();
    this.stage = new Stage();
    this.notice = notice;
    this.settings = new Settings((message) => this.role === "perform" && this.session.send(message));
    this.session = new Session(config, this.settings);
    this.meters = new Meters(this.session);
    this.recorder = new Recorder(this.session, this.stage, place.room);
    this.motion = new MotionReader((bytes) => this.session.sendMotion(bytes));
    const drawsHere = () => this.role === "watch" && Boolean(this.drawing);
    this.avatar = new Avatar(this.session, this.settings, config.avatar_mb ?? 0, drawsHere);
    this.bars = new Bars(config, () => this.askForMotion());
    this.adoptPlace();
    buildPanel(config, this.settings);
    buildSheet();
    this.listen();
    this.arrange();
  }

  /** Views and rigs that the address names, if the server has them; else the first rig. */
  adoptPlace() {
    const { view, rig } = this.place;
    if (this.config.views?.includes(view)) this.settings.choose("view", view);
    if (this.config.rigs?.some((known) => known.name === rig)) this.settings.choose("rig", rig);
    else this.settings.hear({ rig: this.config.rigs?.[0]?.name ?? "" });
  }

  listen() {
    const { session, stage, settings } = this;
    session.addEventListener("phase", (event) => this.enter(event.detail));
    session.addEventListener("picture", (event) => stage.showPuppet(event.detail));
    session.addEventListener("message", (event) => this.hear(event.detail));
    session.addEventListener("motion", (event) => this.motion.read(event.detail));
    this.motion.addEventListener("motion", (event) => this.move(event.detail));
    settings.addEventListener("change", () => this.arrange());
    this.avatar.addEventListener("local", (event) => this.config.rigs.push(event.detail));
    this.camera.addEventListener("gone", () => this.trouble("camera-gone"));
    this.camera.whenChanged(() => this.listCameras());
    this.notice.onToken = (value) => {
      keepToken(value);
      this.notice.hide();
      this.session.again();
    };
    byId("perform").addEventListener("click", () => this.perform());
    byId("watch").addEventListener("click", () => this.watch());
    byId("stop").addEventListener("click", () => this.leave());
    byId("calibrate").addEventListener("click", () => this.calibrate());
    byId("camera").addEventListener("change", (event) => this.changeCamera(event.target.value));
    byId("modes").addEventListener("change", (event) => this.drawBy(event.target.value));
  }

  move({ weights, trackId }) {
    this.bars.show(weights, trackId);
    if (this.drawing) this.stage.veil("");
  }

  async perform() {
    this.setRole("perform");
    this.notice.hide();
    if (this.drawing) this.drawBy("video");
    this.show("starting");
    this.stage.veil("Opening your camera…");
    try {
      this.stage.showOwn(await this.camera.open(this.camera.deviceId));
    } catch (error) {
      this.stage.veil("");
      this.trouble(error.kind ?? "camera-busy");
      return;
    }
    this.listCameras();
    this.session.start(this.place.room, "perform", this.camera.track);
  }

  watch() {
    this.setRole("watch");
    this.notice.hide();
    this.camera.close();
    this.stage.showOwn(null);
    this.session.start(this.place.room, "watch", null);
  }

  leave() {
    this.recorder.stop();
    this.avatar.leave();
    this.session.leave();
    this.camera.close();
    this.stage.clear();
    this.notice.hide();
    this.meters.clear();
    rememberRole("");
    this.show("landing");
    byId(this.role).focus();
  }

  setRole(role) {
    this.role = role;
    app.dataset.role = role;
    rememberRole(role);
  }

  /** landing: choose; starting and live: the controls are there. */
  show(phase) {
    app.dataset.phase = phase;
    byId("welcome").hidden = phase !== "landing";
    byId("controls").hidden = phase === "landing";
    byId("pulse").hidden = phase !== "live";
    for (const id of ["record", "calibrate"]) byId(id).disabled = phase !== "live";
  }

  enter({ phase, problem, detail, seconds }) {
    if (phase === "idle") return;
    this.show(phase === "live" ? "live" : "starting");
    if (phase !== "live") {
      this.recorder.stop();
      this.stage.stopCount();
      this.hint("");
    }
    if (phase === "connecting" && !this.notice.isShown) this.stage.veil("Connecting…");
    if (phase === "waiting" || phase === "failed") {
      this.stage.showPuppet(null);
      this.stage.veil("");
      this.trouble(problem, { detail, seconds });
    }
    if (phase === "live") {
      this.notice.hide();
      this.motion.reset();
      this.stage.useNumbers(Boolean(this.drawing));
      if (!this.stage.isPlaying) this.stage.veil(this.role === "watch" ? "Waiting for a performer…" : "Waking the puppet…");
      this.askForMotion();
      this.avatar.again();
    }
  }

  /** Show a problem with what can be done about it. */
  trouble(kind, { detail = "", seconds = 0 } = {}) {
    const acts = {
      again: () => this.tryAgain(kind),
      now: () => this.session.tryNow(),
      watch: () => this.watch(),
      back: () => this.leave(),
    };
    this.notice.show(kind, { detail, seconds, acts });
  }

  async tryAgain(kind) {
    this.notice.hide();
    if (kind === "camera-gone" && this.session.isLive) await this.changeCamera("");
    else if (kind.startsWith("camera")) await this.perform();
    else this.session.again();
  }

  hear(message) {
    if (message.type === "stats") this.hearStats(message);
    else if (message.type === "welcome") this.meters.crowd(message);
    else if (message.type === "error") toast(message.message || "The server could not do that.");
    else if (message.type === "state") this.hearState(message);
  }

  hearStats(stats) {
    this.meters.hear(stats);
    const isAlone = this.role === "watch" && stats.performers === 0 && (this.stage.isPlaying || this.drawing);
    if (isAlone && this.hinted !== "performer-left") this.hint("performer-left");
    const isBack = this.hinted === "performer-left" && stats.performers > 0;
    const isOver = this.hinted === "overloaded" && performance.now() - this.hintedAt > OVERLOAD_MS;
    if (isBack || isOver) this.hint("");
    const isHidden = Boolean(this.drawing) && stats.own_avatars > 0;
    if (isHidden && !this.hinted) this.hint("own-avatar");
    else if (!isHidden && this.hinted === "own-avatar") this.hint("");
  }

  hint(state) {
    this.hinted = state;
    this.hintedAt = performance.now();
    this.stage.hint(HINTS[this.role === "watch" ? `${state}-watching` : state] ?? HINTS[state] ?? "");
  }

  hearState({ state, message, url }) {
    if (state === "worker-lost") this.session.lose("worker-lost");
    else if (state === "recorded") this.recorder.hear({ url });
    else if (state === "calibrated") toast(message || "Calibrated: this is your face at rest.");
    if (state in HINTS) this.hint(state);
    else if (state === "face" || state === "calibrated") this.hint("");
    if (state === "no-face" || state === "performer-left") this.bars.rest();
  }

  calibrate() {
    if (!this.session.isLive) return;
    if (this.stage.isCounting) this.stage.stopCount();
    else this.stage.countDown(() => this.session.send({ type: "calibrate", seconds: 1 }));
  }

  async changeCamera(id) {
    try {
      this.stage.showOwn(await this.camera.open(id));
      await this.session.replaceTrack(this.camera.track);
    } catch (error) {
      this.trouble(error.kind ?? "camera-busy");
    }
    this.listCameras();
  }

  async listCameras() {
    showCameras(await this.camera.list(), this.camera.deviceId);
  }

  /** Motion is asked for only while somebody looks at it. */
  async askForMotion() {
    const wants = this.bars.isOpen || Boolean(this.drawing);
    if (wants && !(await this.motion.open())) {
      byId("channels-fold").hidden = true;
      return;
    }
    if (wants || this.wantsMotion) this.session.send({ type: "want-motion", on: wants });
    this.wantsMotion = wants;
  }

  async drawBy(mode) {
    const wants = mode === "numbers";
    byId(`mode-${mode}`).checked = true;
    try {
      if (wants && !this.drawing) this.drawing = await this.mount();
    } catch {
      byId("mode-video").checked = true;
      toast("This browser cannot draw the puppet itself; the server goes on drawing it.");
    }
    if (!wants) {
      this.drawing?.close?.();
      this.drawing = null;
    }
    this.stage.useNumbers(Boolean(this.drawing));
    app.toggleAttribute("data-draws", Boolean(this.drawing));
    this.avatar.explain();
    this.session.usePicture(!this.drawing);
    this.askForMotion();
  }

  /** The avatar has to come first; the server's picture is shown until then. */
  async mount() {
    const config = { ...this.config, rig: this.settings.get("rig") };
    return (await mountNumbers(this.stage.canvas, config, this.motion)) ?? {};
  }

  arrange() {
    const values = this.settings.all();
    this.stage.arrange(values);
    this.drawing?.wear?.(values.rig)?.catch(() => {
      if (isOwn(values.rig)) this.avatar.failed(values.rig);
      else toast("This avatar did not come.");
    });
    this.stage.poster(this.config.rigs?.find((rig) => rig.name === values.rig)?.picture);
  }
}
