// Numbers mode: the page draws the puppets itself, from the motion of the data channel, as the server would.

import { Quaternion, Vector3 } from "three";
import { loadRig } from "./rig.js";
import { Scenery } from "./scenery.js";

const HOLD_MS = 300;
const EASE_MS = 700;
const GONE_MS = 2000;
const MAX_GAP_MS = 100;
const MAX_PUPPETS = 16;
const INTO_THE_LENS = new Vector3(0, 0, -1);
const UPRIGHT = new Quaternion();
const AT_REST = { rotation: UPRIGHT, weights: new Float32Array(52), gaze: [0, 0, 0, 0] };

/** One performer: the newest motion, and the way to it from what was shown before. */
class Part {
  #from = AT_REST;
  #to = AT_REST;
  #shown = AT_REST;
  #gapMs = 0;
  #timeS = -Infinity;
  #seenAt;
  #isSeen = true;
  #isSettled = false;

  constructor(body, now) {
    this.body = body;
    this.x = 0;
    this.heardAt = this.#seenAt = now;
  }

  /** What was shown and the new motion are joined over one frame, until the next motion is due. */
  hear(motion, now) {
    const gapMs = 1000 * (motion.timeS - this.#timeS);
    if (gapMs <= 0 && gapMs > -1000) return; // Late: something newer is shown already.
    this.#gapMs = gapMs > 0 && gapMs < 1000 ? Math.min(gapMs, MAX_GAP_MS) : 0;
    this.#timeS = motion.timeS;
    this.heardAt = now;
    this.#isSeen = motion.confidence > 0;
    if (this.#isSeen) this.#seenAt = now;
    this.x = motion.translationCm[0];
    this.#from = this.#shown;
    this.#to = { rotation: rotationAsLookedAt(motion), weights: motion.weights, gaze: motion.gazeRad.flat() };
    this.#isSettled = false;
  }

  /** Another body, which has yet to take the pose. */
  wear(body) {
    this.body.dispose();
    this.body = body;
    this.#isSettled = false;
  }

  /** Put the body where it is at this instant; false if it is there already. */
  act(now) {
    if (this.#isSettled) return false;
    const share = this.#gapMs ? Math.min(1, Math.max(0, (now - this.heardAt) / this.#gapMs)) : 1;
    const presence = this.#isSeen ? 1 : presenceShare(now - this.#seenAt);
    this.#shown = between(this.#from, this.#to, share);
    // Weights and gaze of a lost face come eased; its head is where it was seen last.
    this.body.pose({ ...this.#shown, rotation: UPRIGHT.clone().slerp(this.#shown.rotation, presence) });
    this.#isSettled = share === 1 && (this.#isSeen || presence === 0);
    return true;
  }
}

/** Someone at the picture's edge who looks into the lens has turned the head; on the stage the lens is in front. */
function rotationAsLookedAt({ rotationWxyz: [w, x, y, z], translationCm }) {
  const rotation = new Quaternion(x, y, z, w);
  if (!(translationCm[2] < 0)) return rotation;
  const toMiddle = new Quaternion().setFromUnitVectors(new Vector3(...translationCm).normalize(), INTO_THE_LENS);
  return toMiddle.multiply(rotation);
}

function between(from, to, share) {
  if (share === 1) return to;
  const mix = (one, other) => Array.from(one, (value, index) => value + share * (other[index] - value));
  return {
    rotation: from.rotation.clone().slerp(to.rotation, share),
    weights: mix(from.weights, to.weights),
    gaze: mix(from.gaze, to.gaze),
  };
}

/** 1 while the face is held, then down a half cosine to 0 at rest. */
function presenceShare(lostMs) {
  return 0.5 + 0.5 * Math.cos(Math.PI * Math.min(1, Math.max(0, (lostMs - HOLD_MS) / EASE_MS)));
}

/** All performers of a room on one canvas; with nobody there one puppet rests. */
class Play {
  #config;
  #scenery;
  #rig = null;
  #resting = null;
  #wanted = "";
  #parts = new Map();
  #isDue = true;
  #frame = 0;
  #hear = (event) => this.#listen(event.detail.motion);

  constructor(canvas, config) {
    this.#config = config;
    this.#scenery = new Scenery(canvas);
    config.motions.addEventListener("motion", this.#hear);
    this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  /** Show every performer as this avatar as soon as it is here; until then, the one before. */
  async wear(name) {
    const said = this.#config.rigs.find((rig) => rig.name === name) ?? this.#config.rigs[0];
    if (said.name === this.#wanted) return;
    this.#wanted = said.name;
    const rig = await loadRig(said, this.#config.channels);
    if (this.#wanted !== said.name) {
      rig.dispose();
      return;
    }
    this.#resting?.dispose();
    this.#rig?.dispose();
    this.#rig = rig;
    this.#resting = rig.body();
    this.#resting.pose(AT_REST);
    for (const part of this.#parts.values()) part.wear(rig.body());
    this.#isDue = true;
  }

  close() {
    this.#wanted = null;
    cancelAnimationFrame(this.#frame);
    this.#config.motions.removeEventListener("motion", this.#hear);
    for (const part of this.#parts.values()) part.body.dispose();
    this.#parts.clear();
    this.#resting?.dispose();
    this.#rig?.dispose();
    this.#scenery.close();
  }

  #listen(motion) {
    const now = performance.now();
    if (!this.#rig || (!this.#parts.has(motion.trackId) && this.#parts.size >= MAX_PUPPETS)) return;
    if (!this.#parts.has(motion.trackId)) this.#parts.set(motion.trackId, new Part(this.#rig.body(), now));
    this.#parts.get(motion.trackId).hear(motion, now);
  }

  #draw(now) {
    this.#frame = requestAnimationFrame((next) => this.#draw(next));
    if (!this.#rig) return;
    for (const [trackId, part] of this.#parts) {
      const isGone = now - part.heardAt > GONE_MS;
      if (isGone) {
        part.body.dispose();
        this.#parts.delete(trackId);
      }
      if (isGone || part.act(now)) this.#isDue = true;
    }
    if (!this.#scenery.fit() && !this.#isDue) return;
    this.#isDue = false;
    const parts = [...this.#parts.values()].sort((one, other) => one.x - other.x);
    this.#scenery.draw(parts.length ? parts.map((part) => part.body.root) : [this.#resting.root]);
  }
}

/**
 * Draw the performers of a room on a canvas.
 *
 * config : that of the server ({rigs, channels}), with `motions`, whose `motion` events are drawn, and `rig`, a name
 * gives  : {wear(name), close()}, once the avatar is there */
export async function mount(canvas, config) {
  const play = new Play(canvas, config);
  try {
    await play.wear(config.rig);
  } catch (error) {
    play.close();
    throw error;
  }
  return play;
}
