// A viewer of another make: joins by WHEP or by POST /offer, and says in lines of JSON what comes.
// node viewer.mjs URL whep|offer FILE: FILE gets the first pictures, VP8 in an IVF file.
import { appendFileSync, writeFileSync } from "node:fs";
import { RTCPeerConnection, RTCRtpCodecParameters, Vp8RtpPayload } from "werift";

const [url, way, file] = process.argv.slice(2);
const [WIDTH, HEIGHT, KEPT, ASK_MS] = [640, 480, 60, 500];
const say = (what, more = {}) =>
  console.log(JSON.stringify({ time_s: Number(process.hrtime.bigint()) / 1e9, what, ...more }));

const vp8 = new RTCRtpCodecParameters({
  mimeType: "video/VP8",
  clockRate: 90000,
  rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
});
const connection = new RTCPeerConnection({ codecs: { video: [vp8], audio: [] }, iceServers: [] });
connection.connectionStateChange.subscribe((state) => say("state", { state }));
const video = connection.addTransceiver("video", { direction: "recvonly" });

function ivfHeader() {
  const header = Buffer.alloc(32);
  header.write("DKIF", 0);
  header.writeUInt16LE(32, 6);
  header.write("VP80", 8);
  header.writeUInt16LE(WIDTH, 12);
  header.writeUInt16LE(HEIGHT, 14);
  header.writeUInt32LE(90000, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

let parts = [];
let pictures = 0;
let began;

function keep(timestamp) {
  const data = Buffer.concat(parts.map((part) => part.payload));
  const key = parts[0]?.isKeyframe === true;
  parts = [];
  if (began === undefined && !key) return; // nothing can be decoded before the first key frame
  began ??= timestamp;
  pictures += 1;
  if (pictures <= KEPT) {
    const header = Buffer.alloc(12);
    header.writeUInt32LE(data.length, 0);
    header.writeBigUInt64LE(BigInt((timestamp - began) >>> 0), 4);
    appendFileSync(file, Buffer.concat([header, data]));
  }
  say("picture", { number: pictures, key, bytes: data.length });
}

video.onTrack.subscribe((track) => {
  let last;
  track.onReceiveRtp.subscribe((packet) => {
    if (last === undefined) setInterval(() => pictures || video.receiver.sendRtcpPLI(packet.header.ssrc), ASK_MS);
    if (last !== undefined && ((packet.header.sequenceNumber - last) & 0xffff) !== 1) say("gap");
    last = packet.header.sequenceNumber;
    parts.push(Vp8RtpPayload.deSerialize(packet.payload));
    if (packet.header.marker) keep(packet.header.timestamp);
  });
});

let control;
if (way === "offer") {
  control = connection.createDataChannel("control");
  const motion = connection.createDataChannel("motion", { ordered: false, maxRetransmits: 0 });
  control.onMessage.subscribe((text) => {
    const message = JSON.parse(text.toString());
    say("control", { type: message.type });
    if (message.type === "welcome") control.send(JSON.stringify({ type: "want-motion", on: true }));
  });
  motion.onMessage.subscribe((data) => say("motion", { hex: Buffer.from(data).toString("hex") }));
}

writeFileSync(file, ivfHeader());
await connection.setLocalDescription(await connection.createOffer());
const { sdp } = connection.localDescription;
const asked =
  way === "whep"
    ? { headers: { "Content-Type": "application/sdp" }, body: sdp }
    : { body: JSON.stringify({ sdp, type: "offer", role: "watch" }) };
const response = await fetch(way === "whep" ? `${url}/whep/main` : `${url}/offer`, { method: "POST", ...asked });
const text = await response.text();
if (!response.ok) throw new Error(`${response.status}: ${text}`);
say("answered", { status: response.status, location: response.headers.get("location") });
await connection.setRemoteDescription({ type: "answer", sdp: way === "whep" ? text : JSON.parse(text).sdp });
