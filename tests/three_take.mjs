// Plays a .glb with three.js and writes what its nodes do at each time: an independent reader of our files.
// node three_take.mjs FILE TIMES(float64) OUT(float64) CHANNEL,... ; prints which mesh each channel was read from
import fs from "node:fs";
import { AnimationMixer, LoopOnce, Quaternion, Texture } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";

globalThis.self = globalThis;
const [file, timesFile, out, names] = process.argv.slice(2);
const bytes = (path) => { const b = fs.readFileSync(path); return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength); };
const loader = new GLTFLoader();
loader.register(() => ({ name: "no-pictures", loadTexture: () => Promise.resolve(new Texture()) }));
const gltf = await loader.parseAsync(bytes(file), "");
const mixer = new AnimationMixer(gltf.scene);
const action = mixer.clipAction(gltf.animations[0]);
action.setLoop(LoopOnce); action.clampWhenFinished = true; action.play();
const times = new Float64Array(bytes(timesFile));
const channels = names.split(",");
const holders = channels.map((name) => {
  const found = [];
  gltf.scene.traverse((node) => { if (node.morphTargetDictionary && name in node.morphTargetDictionary) found.push(node); });
  return found;
});
const joint = (name) => { let found = null; gltf.scene.traverse((n) => { if (n.isBone && n.name === name) found = n; }); return found; };
const [head, left, right] = ["head", "leftEye", "rightEye"].map(joint);
const rest = [head, left, right].map((node) => { gltf.scene.updateMatrixWorld(true); return node.getWorldQuaternion(new Quaternion()); });
const width = channels.length + 12, rows = new Float64Array(times.length * width);
let apart = 0;
times.forEach((time, row) => {
  mixer.setTime(time);
  gltf.scene.updateMatrixWorld(true);
  channels.forEach((name, column) => {
    const values = holders[column].map((node) => node.morphTargetInfluences[node.morphTargetDictionary[name]]);
    rows[row * width + column] = values.length ? values[0] : NaN;
    for (const value of values) apart = Math.max(apart, Math.abs(value - values[0]));
  });
  const turns = [head, left, right].map((node, i) => node.getWorldQuaternion(new Quaternion()).multiply(rest[i].clone().invert()));
  const back = turns[0].clone().invert();
  [turns[0], back.clone().multiply(turns[1]), back.clone().multiply(turns[2])].forEach((turn, i) =>
    rows.set([turn.w, turn.x, turn.y, turn.z], row * width + channels.length + 4 * i));
});
fs.writeFileSync(out, new Uint8Array(rows.buffer));
console.log(JSON.stringify({ duration: gltf.animations[0].duration, apart, holders: holders.map((h) => h.length) }));
