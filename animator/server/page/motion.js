// What comes over the `motion` channel, decoded: for the bars and for numbers mode. Without its decoder, neither.

/** Events: `motion` (detail: {trackId, weights (52,), motion}), after `open()` has given true. */
export class MotionReader extends EventTarget {
  #decoder = null;
  #keyRequest = null;
  #send;

  /** `send(bytes)`: where a request for a key frame goes. */
  constructor(send) {
    super();
    this.#send = send;
  }

  /** Load the decoder; false where it is not there. */
  async open() {
    if (this.#decoder) return true;
    try {
      const stream = await import("./motion_stream.js");
      this.#keyRequest = stream.KEY_REQUEST ?? null;
      this.#decoder = new stream.Decoder();
      return true;
    } catch {
      return false;
    }
  }

  /** A new connection: what was known of the other end no longer holds. */
  reset() {
    if (this.#decoder) this.#decoder = new this.#decoder.constructor();
  }

  read(bytes) {
    if (!this.#decoder) return;
    let motion = null;
    try {
      motion = this.#decoder.decode(bytes);
    } catch {
      return; // A damaged message: the next one stands for itself.
    }
    if (this.#decoder.wantsKey && this.#keyRequest) this.#send(this.#keyRequest);
    const weights = motion && weightsOf(motion);
    if (!weights) return;
    const trackId = motion.trackId ?? motion.track_id ?? 0;
    this.dispatchEvent(new CustomEvent("motion", { detail: { trackId, weights, motion } }));
  }
}

function weightsOf(motion) {
  const expression = motion.weights ?? motion.expression;
  return expression?.weights ?? expression ?? null;
}

/**
 * Numbers mode: the page draws the puppet itself, by three.js, from the motion channel.
 * Its bundle is /static/numbers.js, there where config.three is true: `mount(canvas, config)` may give an object
 * with `close()`; config.motions is this reader, whose `motion` events it listens to.
 */
export async function mountNumbers(canvas, config, reader) {
  const bundle = await import("/static/numbers.js");
  return bundle.mount(canvas, { ...config, motions: reader });
}
