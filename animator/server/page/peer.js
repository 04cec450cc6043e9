// One WebRTC connection's life: an offer out, an answer in, a picture and two channels between.

import { sendOffer, ServerProblem } from "./api.js";

const GATHER_MS = 2000;
const GATHER_WITH_TURN_MS = 5000;
const OPEN_MS = 15000;
const DISCONNECTED_MS = 2500;

/** Events: `picture` (detail: MediaStream), `message` (detail: object), `motion` (detail: Uint8Array), `gone`. */
export class Peer extends EventTarget {
  #pc;
  #control;
  #motion;
  #sender = null;
  #aborter = new AbortController();
  #patience = 0;
  #closed = false;

  /** `track` is the camera's, or null; `picture`: whether the server's is wanted. */
  constructor(iceServers, track, picture = true) {
    super();
    this.#pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    if (track || picture) this.#exchange(track);
    this.#pc.addEventListener("track", (event) => {
      hurry(event.receiver);
      this.#tell("picture", event.streams[0] ?? new MediaStream([event.track]));
    });
    this.#pc.addEventListener("connectionstatechange", () => this.#watch());
    this.#control = this.#pc.createDataChannel("control", { ordered: true });
    this.#motion = this.#pc.createDataChannel("motion", { ordered: false, maxRetransmits: 0 });
    this.#motion.binaryType = "arraybuffer";
    this.#control.addEventListener("message", (event) => this.#read(event.data));
    this.#control.addEventListener("close", () => this.#lose());
    this.#motion.addEventListener("message", (event) => this.#tell("motion", new Uint8Array(event.data)));
  }

  /** Offer, wait for the answer and for the control channel; gives the session's id. */
  async connect(wishes, hasTurn) {
    await this.#pc.setLocalDescription(await this.#pc.createOffer());
    await gathered(this.#pc, hasTurn ? GATHER_WITH_TURN_MS : GATHER_MS);
    if (this.#closed) throw new DOMException("closed", "AbortError");
    const { sdp, type } = this.#pc.localDescription;
    const answer = await sendOffer({ ...wishes, sdp, type }, this.#aborter.signal);
    try {
      await this.#pc.setRemoteDescription({ sdp: answer.sdp, type: answer.type });
      await this.#opened();
    } catch (error) {
      error.session = answer.session;
      throw error;
    }
    return answer.session;
  }

  send(message) {
    if (this.#control.readyState !== "open") return false;
    this.#control.send(JSON.stringify(message));
    return true;
  }

  sendMotion(bytes) {
    if (this.#motion.readyState === "open") this.#motion.send(bytes);
  }

  /** Another camera, without a new offer. */
  async replaceTrack(track) {
    await this.#sender?.replaceTrack(track);
  }

  /** Pictures shown a second and their way, from the browser's own statistics; null before the first. */
  async figures() {
    if (this.#closed) return null;
    const report = await this.#pc.getStats();
    for (const entry of report.values()) if (entry.type === "inbound-rtp" && entry.kind === "video") return entry;
    return null;
  }

  close() {
    this.#closed = true;
    this.#aborter.abort();
    clearTimeout(this.#patience);
    this.#pc.close();
  }

  #exchange(track) {
    const transceiver = this.#pc.addTransceiver(track ?? "video", { direction: track ? "sendrecv" : "recvonly" });
    if (!track) return;
    this.#sender = transceiver.sender;
    preferFrameRate(transceiver.sender);
  }

  #opened() {
    return new Promise((resolve, reject) => {
      const noPath = () => reject(new ServerProblem("no-path"));
      const timer = setTimeout(noPath, OPEN_MS);
      const settle = (action) => () => {
        clearTimeout(timer);
        action();
      };
      if (this.#control.readyState === "open") settle(resolve)();
      this.#control.addEventListener("open", settle(resolve), { once: true });
      this.#pc.addEventListener("connectionstatechange", () => {
        if (this.#pc.connectionState === "failed") settle(noPath)();
      });
      this.#aborter.signal.addEventListener("abort", settle(() => reject(new DOMException("closed", "AbortError"))));
    });
  }

  #watch() {
    clearTimeout(this.#patience);
    const state = this.#pc.connectionState;
    if (state === "failed" || state === "closed") this.#lose();
    if (state === "disconnected") this.#patience = setTimeout(() => this.#lose(), DISCONNECTED_MS);
  }

  #lose() {
    if (!this.#closed) this.#tell("gone");
  }

  #read(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof message?.type === "string") this.#tell("message", message);
  }

  #tell(name, detail) {
    if (!this.#closed) this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** All candidates are in the offer (the server takes no late ones); a slow STUN server does not hold it forever. */
function gathered(pc, patienceMs) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    const check = () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
    pc.addEventListener("icegatheringstatechange", check);
    check();
  });
}

/** Show a picture when it comes: no waiting for smoothness. */
function hurry(receiver) {
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
}

function preferFrameRate(sender) {
  const parameters = sender.getParameters();
  parameters.degradationPreference = "maintain-framerate";
  sender.setParameters(parameters).catch(() => {});
}
