// The motion stream, version 1: faces at 30 Hz through a channel that loses, repeats and reorders messages.
//
//   const encoder = new Encoder(), decoder = new Decoder();
//   for (const message of encoder.encode(motion)) channel.send(message);
//   const motion = decoder.decode(new Uint8Array(event.data));   // or null
//   if (decoder.wantsKey) channel.send(KEY_REQUEST);             // whose receiver calls encoder.requestKey()
//
// A motion is { timeS, trackId, rotationWxyz: [4], translationCm: [3], gazeRad: [[2], [2]], weights: [52],
// confidence }, in the units, axes and channel order of the Python package. The bytes are described in
// docs/protocols.md; the twin of this file is animator/protocols/motion_stream.py, to the last bit.

export class ProtocolError extends Error {}

const VERSION = 0xa1;
export const KEY_REQUEST = Uint8Array.of(VERSION);
const MAX_MESSAGE = 1100;
const TRACKS = 16;
const KEY_EVERY = 16;
const COPY_BEFORE = 2;
const MAX_ELAPSED_MS = 2000;
const KEYS_KEPT = 4;
const PATIENCE = 32;
const MAX_TIME_MS = 2 ** 47 - 1;

// ---- motion as 64 whole numbers --------------------------------------------------------------------------

const MAX_TRANSLATION = 1 << 20;
const MAX_GAZE = 440;
const times = (count, value) => new Array(count).fill(value);
const REST = [...times(55, 0), 400, 0, 0, -1000, ...times(4, 0), 20];
const LOWEST = [...times(52, 0), ...times(4, -400), ...times(3, -MAX_TRANSLATION), ...times(4, -MAX_GAZE), 0];
const HIGHEST = [...times(52, 100), ...times(4, 400), ...times(3, MAX_TRANSLATION), ...times(4, MAX_GAZE), 20];

function steps(name, values, count, low, high) {
  return Array.from(values, (value) => {
    if (!Number.isFinite(value)) throw new ProtocolError(`${name}: expected finite numbers, got ${value}`);
    return Math.min(high, Math.max(low, Math.floor(value * count + 0.5)));
  });
}

function numbersFromMotion(motion, near) {
  const [w, x, y, z] = motion.rotationWxyz;
  let length = Math.sqrt(x * x + y * y + z * z + w * w);
  if (!(length > 1e-6 && length < Infinity)) throw new ProtocolError("rotationWxyz: expected a unit quaternion");
  if (x * near[52] + y * near[53] + z * near[54] + w * near[55] < 0) length = -length;
  const [confidence] = steps("confidence", [motion.confidence], 20, 0, 20);
  return [
    ...steps("weights", motion.weights, 100, 0, 100),
    ...[x, y, z, w].map((part) => Math.floor((part / length) * 400 + 0.5)),
    ...steps("translationCm", motion.translationCm, 20, -MAX_TRANSLATION, MAX_TRANSLATION),
    ...steps("gazeRad", [...motion.gazeRad[0], ...motion.gazeRad[1]], 140, -MAX_GAZE, MAX_GAZE),
    motion.confidence > 0 && confidence === 0 ? 1 : confidence, // 0 says that nobody was seen
  ];
}

function motionFromNumbers(numbers, atMs, trackId) {
  if (numbers.some((n, i) => n < LOWEST[i] || n > HIGHEST[i])) throw new ProtocolError("a number is out of its range");
  const [x, y, z, w] = numbers.slice(52, 56);
  const length = Math.sqrt(x * x + y * y + z * z + w * w);
  if (length === 0) throw new ProtocolError("a rotation has length 0");
  const gaze = numbers.slice(59, 63).map((n) => n / 140);
  return {
    timeS: atMs / 1000,
    trackId,
    rotationWxyz: [w / length, x / length, y / length, z / length],
    translationCm: numbers.slice(56, 59).map((n) => n / 20),
    gazeRad: [gaze.slice(0, 2), gaze.slice(2, 4)],
    weights: numbers.slice(0, 52).map((n) => n / 100),
    confidence: numbers[63] / 20,
  };
}

// ---- whole numbers as answers, answers as bytes -----------------------------------------------------------

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const LENGTHS = 6;
const PREFIXES = bytesOf(
  "94a3a88f7a5395919c8f674aa2999d8b764fc2b09f866c4bdbc9bd9f7f51ccccc0beaa6e4b5f906d4d355e3c3f466680" +
  "c43b51563632f2c726552034fcf4dda68553808080808080127e7053574480808080808081887f617133b0948885742a" +
  "d3c3aca7934968b5846c5c291a907b685b47808080808080c3ab816a6547d1c1ae93626aefe5d5b0ac8b6ac0c7b6a65c" +
  "52637a4b323980808080808065707a561c3d589e9f5c2c2558c7c89c5119bdaaadada573e1b8620e0d80808080808080" +
  "80808080808080808080808080808080808003808080808013c0c0abb06914b4bbb3816816acb1a9865c1db0afa4815c" +
  "2cc8c2b19a5b2be0e3d6cc7c08a4a38b3f49046d706c70802a5192646c4f42a93f651f5e79e8dcbe9c69808080808080" +
  "808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080" +
  "80808080808080808080808080808080808080808080808004b5a594936180808080808075b7bd8d865c8bb9db6e7d74" +
  "e0eae69b957183f5e8d680630acbcbcbcb83808080808080cdcdcdcdcd8bdedededede83fcfcfdfdfdc27eedddcaab79" +
  "91e9cdd97b5e808080808080b2eedfe17e68acf8f2ee796860e3e3d5794deed39eb0b56b808080808080808080808080" +
  "80808080808080808080808080808080808003808080808081e7dcd0b66979dad3c28c6293e6d9b4a66192e3c4b29968" +
  "9cedd7b2895698f3f1f1dd6e25c06883515314668080808089437e645176a8e71a7e3c6fd0f9e9c1b863808080808080"
);
const SIGNS = bytesOf("5e6d7c0866f27f8b88818e7f798374808180");
const EVEN = 128;
const MAX_BITS = 22;
const FLOOR = 1 << 16;
const WEIGHT = 0, TWIN = 1, ROTATION = 2, TRANSLATION = 3, GAZE = 4, LONE = 5;

// [kind, nearer, farther] of each place; -1 where there is none.
const TWINS = {
  7: 0, 8: 1, 9: 3, 10: 2, 11: 4, 12: 5, 13: 6, 16: 15, 22: 21, 24: 23, 26: 25, 28: 27, 30: 29, 36: 35, 38: 37,
  40: 39, 42: 41, 45: 44, 48: 47, 50: 49,
};
const weightNeighbours = (i) => (i in TWINS ? [TWIN, TWINS[i], i - 1] : [WEIGHT, i - 1, Math.max(i - 2, -1)]);
const NEIGHBOURS = [
  ...Array.from({ length: 52 }, (_, i) => weightNeighbours(i)),
  ...[-1, 52, 53, 54].map((near) => [ROTATION, near, -1]),
  ...[-1, 56, 57].map((near) => [TRANSLATION, near, -1]),
  ...[-1, 59, 59, 60].map((near) => [GAZE, near, -1]),
  [LONE, -1, -1],
  [LONE, 63, -1],
];

function likelihoods(place, differences, base, isKey) {
  const [kind, nearer, farther] = NEIGHBOURS[place];
  let nearness = 5, sign = 0;
  if (nearer >= 0) {
    const extent = 2 * Math.abs(differences[nearer]) + (farther >= 0 ? Math.abs(differences[farther]) : 0);
    nearness = Math.min(32 - Math.clz32(extent), 4);
    sign = Math.sign(differences[nearer]);
  }
  const atZero = kind <= TWIN && base === 0;
  const row = (8 * isKey + kind + 6 * atZero) * 6 + nearness;
  return [row * LENGTHS, atZero ? -1 : 3 * kind + 1 + sign];
}

const prefix = (row, k) => PREFIXES[row + Math.min(k, LENGTHS - 1)];
const sharedGaze = (place, differences) => (place === 61 || place === 62 ? differences[place - 2] : 0);

function writeNumbers(numbers, base, isKey) {
  const answers = [], differences = [];
  numbers.forEach((number, place) => {
    const difference = number - base[place] - sharedGaze(place, differences);
    const [row, sign] = likelihoods(place, differences, base[place], isKey);
    const size = Math.abs(difference), bits = 32 - Math.clz32(size);
    for (let k = 0; k < bits; k++) answers.push([true, prefix(row, k)]);
    answers.push([false, prefix(row, bits)]);
    if (bits && sign >= 0) answers.push([difference > 0, SIGNS[sign]]);
    for (let k = bits - 2; k >= 0; k--) answers.push([((size >> k) & 1) === 1, EVEN]);
    differences.push(difference);
  });
  return answers;
}

function readNumbers(reader, base, isKey) {
  const numbers = [], differences = [];
  base.forEach((known, place) => {
    const [row, sign] = likelihoods(place, differences, known, isKey);
    let bits = 0, difference = 0;
    while (reader.answer(prefix(row, bits))) if (++bits > MAX_BITS) throw new ProtocolError("a number is too long");
    if (bits) {
      const positive = sign < 0 || reader.answer(SIGNS[sign]);
      let size = 1;
      for (let k = 1; k < bits; k++) size = 2 * size + (reader.answer(EVEN) ? 1 : 0);
      difference = positive ? size : -size;
    }
    numbers.push(known + sharedGaze(place, differences) + difference);
    differences.push(difference);
  });
  return numbers;
}

function packed(answers, check) {
  let state = FLOOR + check;
  const out = [];
  for (let i = answers.length - 1; i >= 0; i--) {
    const [answer, likelihood] = answers[i];
    const share = answer ? likelihood : 256 - likelihood;
    for (; state >= share << 16; state >>= 8) out.push(state & 255);
    state = (Math.floor(state / share) << 8) + (state % share) + (answer ? 0 : likelihood);
  }
  out.push(state & 255, (state >> 8) & 255, state >> 16);
  return out.reverse();
}

class Reader {
  constructor(data) {
    this.data = data;
    this.state = (data[0] << 16) | (data[1] << 8) | data[2];
    this.next = 3;
    if (data.length < 3 || this.state < FLOOR) throw new ProtocolError("a message is cut short");
  }

  answer(likelihood) {
    const high = this.state >> 8, low = this.state & 255, yes = low < likelihood;
    let state = yes ? likelihood * high + low : (256 - likelihood) * high + low - likelihood;
    while (state < FLOOR) {
      if (this.next === this.data.length) throw new ProtocolError("a message is cut short");
      state = (state << 8) | this.data[this.next++];
    }
    this.state = state;
    return yes;
  }

  finish(check) {
    if (this.next !== this.data.length || this.state !== FLOOR + check) {
      throw new ProtocolError("a message fails its check: it is damaged, or its key frame was another one");
    }
  }
}

function checkOf(head, atMs, numbers) {
  const high = Math.floor(atMs / 2 ** 24);
  let total = 1;
  for (const number of [head[1], head[2], high, atMs - high * 2 ** 24, ...numbers]) {
    total = (total * 8191 + number) % 65521;
    if (total < 0) total += 65521;
  }
  return total;
}

const usualMs = (frames) => Math.floor((100 * frames + 1) / 3);

// ---- the stream ------------------------------------------------------------------------------------------

export class Encoder {
  constructor() {
    this.sent = new Map(); // trackId -> the newest key frame
  }

  /** Make the next frame of every performer a key frame. */
  requestKey() {
    for (const sent of this.sent.values()) sent.requested = true;
  }

  /** The messages to send now: the frame's own is the last; a key frame's copy goes before some. */
  encode(motion) {
    const { trackId } = motion;
    const inRange = Number.isInteger(trackId) && trackId >= 0 && trackId < TRACKS;
    if (!inRange) throw new ProtocolError(`trackId: expected 0 to 15, got ${trackId}`);
    const scaled = motion.timeS * 1000 + 0.5;
    if (!(Math.abs(scaled) <= MAX_TIME_MS)) throw new ProtocolError(`timeS: expected seconds, got ${motion.timeS}`);
    const atMs = Math.floor(scaled), sent = this.sent.get(trackId);
    const elapsedMs = sent ? atMs - sent.atMs : -1;
    if (!sent || sent.requested || sent.frames + 1 >= KEY_EVERY || elapsedMs < 0 || elapsedMs > MAX_ELAPSED_MS) {
      return [this.#key(motion, atMs, sent ? (sent.keyId + 1) % 256 : 0)];
    }
    const numbers = numbersFromMotion(motion, sent.numbers);
    sent.frames += 1;
    const head = [VERSION, (trackId << 4) | sent.frames, sent.keyId];
    const answers = writeNumbers([...numbers, elapsedMs], [...sent.numbers, usualMs(sent.frames)], 0);
    const delta = Uint8Array.from([...head, ...packed(answers, checkOf(head, atMs, numbers))]);
    return sent.frames === COPY_BEFORE ? [sent.message, delta] : [delta];
  }

  #key(motion, atMs, keyId) {
    const numbers = numbersFromMotion(motion, REST);
    const high = Math.floor(atMs / 2 ** 24), low = atMs - high * 2 ** 24;
    const time = [high, low].flatMap((half) => [(half >> 16) & 255, (half >> 8) & 255, half & 255]);
    const head = [VERSION, motion.trackId << 4, keyId];
    const body = packed(writeNumbers(numbers, REST, 1), checkOf(head, atMs, numbers));
    const message = Uint8Array.from([...head, ...time, ...body]);
    this.sent.set(motion.trackId, { keyId, atMs, numbers, frames: 0, message, requested: false });
    return message;
  }
}

export class Decoder {
  constructor() {
    this.keys = Array.from({ length: TRACKS }, () => new Map()); // by track: key id -> key frame, oldest first
    this.messages = 0;
    this.lackedAt = new Map();
  }

  /** A delta came whose key frame did not: send KEY_REQUEST, at most every few frames, until this is over. */
  get wantsKey() {
    return [...this.lackedAt.values()].some((at) => this.messages - at < PATIENCE);
  }

  /** The motion of a message (a Uint8Array); null for a copy, a request, and a delta whose key frame is not here. */
  decode(message) {
    if (message.length === 1 && message[0] === VERSION) return null;
    if (message.length < 6 || message.length > MAX_MESSAGE || message[0] !== VERSION) {
      throw new ProtocolError(`not a message of motion stream version 1: ${message.length} bytes`);
    }
    this.messages += 1;
    const trackId = message[1] >> 4, frames = message[1] & 15;
    return frames ? this.#delta(message, trackId, frames) : this.#key(message, trackId);
  }

  #key(message, trackId) {
    const keys = this.keys[trackId], keyId = message[2];
    const half = (at) => (message[at] << 16) | (message[at + 1] << 8) | message[at + 2];
    const atMs = ((half(3) << 8) >> 8) * 2 ** 24 + half(6); // the first half is signed
    const reader = new Reader(message.subarray(9));
    const numbers = readNumbers(reader, REST, 1);
    reader.finish(checkOf(message, atMs, numbers));
    const motion = motionFromNumbers(numbers, atMs, trackId);
    this.lackedAt.delete(trackId);
    const held = keys.get(keyId);
    const again = held !== undefined && held.atMs === atMs && held.numbers.every((n, i) => n === numbers[i]);
    keys.delete(keyId);
    keys.set(keyId, again ? held : { atMs, numbers, seen: 0 });
    if (keys.size > KEYS_KEPT) keys.delete(keys.keys().next().value);
    return again ? null : motion;
  }

  #delta(message, trackId, frames) {
    this.lackedAt.set(trackId, this.messages); // until the numbers have passed their check
    const key = this.keys[trackId].get(message[2]);
    if (!key) return null;
    const reader = new Reader(message.subarray(3));
    const numbers = readNumbers(reader, [...key.numbers, usualMs(frames)], 0);
    const atMs = key.atMs + numbers.pop();
    reader.finish(checkOf(message, atMs, numbers));
    const motion = motionFromNumbers(numbers, atMs, trackId);
    this.lackedAt.delete(trackId);
    if ((key.seen >> frames) & 1) return null;
    key.seen |= 1 << frames;
    return motion;
  }
}
