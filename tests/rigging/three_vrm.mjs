// Reads a VRM with pixiv's three-vrm and prints what it understood as JSON: an independent reader of our files.
// node three_vrm.mjs FILE EXPRESSION...
import fs from "node:fs";
import { Texture, Vector3 } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { VRMLoaderPlugin } from "@pixiv/three-vrm";

globalThis.self = globalThis;
const [file, ...expressions] = process.argv.slice(2);
const data = fs.readFileSync(file);
const loader = new GLTFLoader();
loader.register((parser) => new VRMLoaderPlugin(parser));
loader.register(() => ({ name: "no-pictures", loadTexture: () => Promise.resolve(new Texture()) }));
const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
const { vrm } = (await loader.parseAsync(buffer, "")).userData;
vrm.scene.updateMatrixWorld(true);
const place = (bone) => vrm.humanoid.getRawBoneNode(bone)?.getWorldPosition(new Vector3()).toArray();
const moved = {};
for (const name of expressions) {
  vrm.expressionManager.setValue(name, 1);
  vrm.update(0);
  moved[name] = [];
  vrm.scene.traverse((node) => {
    for (const [morph, index] of Object.entries(node.morphTargetDictionary ?? {})) {
      if (node.morphTargetInfluences[index] > 0) moved[name].push([morph, node.morphTargetInfluences[index]]);
    }
  });
  vrm.expressionManager.setValue(name, 0);
}
console.log(JSON.stringify({
  version: vrm.meta.metaVersion, name: vrm.meta.name, authors: vrm.meta.authors,
  expressions: Object.keys(vrm.expressionManager.expressionMap),
  head: place("head"), leftEye: place("leftEye"), leftFoot: place("leftFoot"), lookAt: Boolean(vrm.lookAt), moved,
}));
