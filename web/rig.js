// An avatar's file, and how motion moves its morphs and joints (as animator/rigging does it). glTF and VRM.

import { VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";
import { Box3, Group, MeshLambertMaterial, NoColorSpace, Quaternion, TextureLoader, Vector3 } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { clone } from "three/examples/jsm/utils/SkeletonUtils.js";
import { addMorphNormals } from "./normals.js";

const NECK_SHARE = 0.4;
const JAW_OPEN_RAD = 0.35;
const ROLES = ["neck", "head", "leftEye", "rightEye", "jaw"];
const JOINTS = {
  head: ["head", "jbipchead", "mixamorighead", "headjoint"],
  neck: ["neck", "jbipcneck", "mixamorigneck", "neck1"],
  leftEye: ["lefteye", "eyeleft", "eyel", "leye", "grpeyeleft", "jadjlfaceeye", "mixamoriglefteye"],
  rightEye: ["righteye", "eyeright", "eyer", "reye", "grpeyeright", "jadjrfaceeye", "mixamorigrighteye"],
  jaw: ["jaw", "jawjoint", "mixamorigjaw", "lowerjaw"],
};
/** What a VRM model without the 52 channels has in their place. */
const PLAIN_EXPRESSIONS = { eyeBlinkLeft: "blinkLeft", eyeBlinkRight: "blinkRight", jawOpen: "aa" };
/** Between the eyes and from the face's middle to there, on the canonical face. */
const EYES_APART_CM = 6.36;
const EYES_AT_CM = new Vector3(0, 2.66, 2.38);
const X = new Vector3(1, 0, 0);
const Y = new Vector3(0, 1, 0);

/** said : {model, joints?, rig_from_face?}, as /config.json has it. */
export async function loadRig(said, channels) {
  const answer = await fetch(said.model ?? `/rigs/${said.name}.glb`);
  if (!answer.ok) throw new Error(`there is no avatar ${said.name}`);
  const loader = new GLTFLoader();
  // Pictures as <img>, which the page's content security policy allows from blobs, and not by fetch.
  loader.register((parser) => {
    parser.textureLoader = new TextureLoader(parser.options.manager);
    return { name: "pictures" };
  });
  loader.register((parser) => new VRMLoaderPlugin(parser));
  return new Rig(await loader.parseAsync(await answer.arrayBuffer(), ""), said, channels);
}

/** What all bodies of one avatar share: surfaces, textures, and tables from channels to morphs and joints. */
class Rig {
  #scene;
  #binds = [];
  #joints = {};
  #jawChannel;
  #scale;
  #offset;

  constructor(gltf, said, channels) {
    const { vrm } = gltf.userData;
    if (vrm) VRMUtils.rotateVRM0(vrm);
    this.#scene = new Group().add(gltf.scene);
    this.#scene.updateMatrixWorld(true);
    const nodes = nodesOf(this.#scene);
    nodes.filter((node) => node.isMesh).forEach(dress);
    this.#findJoints(nodes, vrm, said.joints ?? {});
    this.#bindMorphs(nodes, vrm, channels);
    const jawOpen = channels.indexOf("jawOpen");
    this.#jawChannel = this.#binds.some(([, , channel]) => channel === jawOpen) ? -1 : jawOpen;
    this.#place(said.rig_from_face, nodes);
  }

  /** A new body, on its own `root` in the canonical face's centimetres. */
  body() {
    const scene = clone(this.#scene);
    scene.scale.setScalar(1 / this.#scale);
    scene.position.copy(this.#offset).divideScalar(-this.#scale);
    const nodes = nodesOf(scene);
    const binds = this.#binds.map(([node, index, channel, gain]) => [nodes[node].morphTargetInfluences, index, channel, gain]);
    const joints = Object.fromEntries(
      Object.entries(this.#joints).map(([role, { node, ...rest }]) => [role, { node: nodes[node], ...rest }]),
    );
    return new Body(new Group().add(scene), binds, joints, this.#jawChannel);
  }

  dispose() {
    for (const node of nodesOf(this.#scene)) {
      node.geometry?.dispose();
      for (const material of node.material ? [node.material].flat() : []) discard(material);
    }
  }

  #findJoints(nodes, vrm, named) {
    const rank = (node) => (node.isBone ? 0 : node.isMesh ? 2 : 1);
    const candidates = nodes.filter((node) => node.name).sort((one, other) => rank(one) - rank(other));
    for (const role of ROLES) {
      const names = named[role] ? [plain(named[role])] : JOINTS[role];
      const byName = () => names.map((name) => candidates.find((node) => plain(node.userData.name ?? node.name) === name)).find(Boolean);
      const joint = vrm ? vrm.humanoid.getRawBoneNode(role) : byName();
      if (!joint) continue;
      this.#joints[role] = {
        node: nodes.indexOf(joint),
        rest: joint.quaternion.clone(),
        parentRest: joint.parent.getWorldQuaternion(new Quaternion()),
        at: joint.getWorldPosition(new Vector3()),
      };
    }
  }

  /** [node, morph, channel, gain] of every morph that follows a channel. */
  #bindMorphs(nodes, vrm, channels) {
    const spellings = new Map(channels.flatMap((name, channel) => spellingsOf(name).map((spelling) => [spelling, channel])));
    nodes.forEach((node, number) => {
      for (const [name, index] of Object.entries(node.morphTargetDictionary ?? {})) {
        const channel = spellings.get(plain(name.split(/[.:]/).at(-1)));
        if (channel !== undefined) this.#binds.push([number, index, channel, 1]);
      }
    });
    if (!vrm?.expressionManager || this.#binds.length) return;
    const { expressions } = vrm.expressionManager;
    channels.forEach((name, channel) => {
      const byName = (wanted) => expressions.find(({ expressionName }) => plain(expressionName) === plain(wanted));
      const expression = byName(name) ?? byName(PLAIN_EXPRESSIONS[name] ?? name);
      for (const { primitives, index, weight } of expression?.binds ?? []) {
        for (const mesh of primitives ?? []) this.#binds.push([nodes.indexOf(mesh), index, channel, weight]);
      }
    });
  }

  /** Where the canonical face is: as the rig says, else by its eyes, else by its size. */
  #place(said, nodes) {
    const { leftEye, rightEye } = this.#joints;
    this.#offset = new Vector3();
    if (said) {
      this.#scale = said.scale;
      this.#offset.fromArray(said.offset ?? [0, 0, 0]);
    } else if (leftEye && rightEye) {
      this.#scale = leftEye.at.distanceTo(rightEye.at) / EYES_APART_CM;
      this.#offset.addVectors(leftEye.at, rightEye.at).multiplyScalar(0.5).addScaledVector(EYES_AT_CM, -this.#scale);
    } else {
      const box = new Box3();
      nodes.filter((node) => node.isMesh).forEach((mesh) => box.expandByObject(mesh));
      this.#scale = (box.max.y - box.min.y) / 20;
      box.getCenter(this.#offset);
    }
  }
}

/** One avatar on the stage. */
class Body {
  #binds;
  #joints;
  #jawChannel;

  constructor(root, binds, joints, jawChannel) {
    this.root = root;
    this.#binds = binds;
    this.#joints = joints;
    this.#jawChannel = jawChannel;
  }

  /** rotation: camera_from_head; weights: (52,); gaze: left yaw, left pitch, right yaw, right pitch. */
  pose({ rotation, weights, gaze }) {
    for (const [influences, index] of this.#binds) influences[index] = 0;
    for (const [influences, index, channel, gain] of this.#binds) influences[index] += gain * weights[channel];
    for (const [influences, index] of this.#binds) influences[index] = Math.min(1, Math.max(0, influences[index]));
    const { neck, head } = this.#joints;
    const ofNeck = neck && head ? new Quaternion().slerp(rotation, NECK_SHARE) : rotation;
    this.#turn("neck", ofNeck);
    this.#turn("head", neck ? ofNeck.clone().invert().multiply(rotation) : rotation);
    this.#turn("leftEye", eyeRotation(gaze[0], gaze[1]));
    this.#turn("rightEye", eyeRotation(gaze[2], gaze[3]));
    if (this.#jawChannel >= 0) this.#turn("jaw", eyeRotation(0, -JAW_OPEN_RAD * weights[this.#jawChannel]));
  }

  /** Give back what it does not share. */
  dispose() {
    for (const node of nodesOf(this.root)) node.skeleton?.dispose();
  }

  /** A joint's turn is given in the avatar's own axes, wherever the joint's own point at rest. */
  #turn(role, rotation) {
    const joint = this.#joints[role];
    if (!joint) return;
    const { node, rest, parentRest } = joint;
    node.quaternion.copy(parentRest).invert().multiply(rotation).multiply(parentRest).multiply(rest);
  }
}

/** head_from_eye: yaw (+ to the subject's left), pitch (+ up), pitch outermost. */
function eyeRotation(yaw, pitch) {
  return new Quaternion().setFromAxisAngle(X, -pitch).multiply(new Quaternion().setFromAxisAngle(Y, yaw));
}

/**
 * A surface lit as the server lights it, in the numbers of the picture file and not in amounts of light. Those of VRM
 * models, and unlit ones, stay as they are. */
function dress(mesh) {
  mesh.frustumCulled = false;
  const old = mesh.material;
  if (!old.isMeshStandardMaterial) return;
  addMorphNormals(mesh.geometry);
  const { name, map, side, transparent, alphaTest, opacity, depthWrite, vertexColors } = old;
  if (map) {
    map.colorSpace = NoColorSpace;
    map.needsUpdate = true;
  }
  const looks = { name, map, side, transparent, alphaTest, opacity, depthWrite, vertexColors };
  mesh.material = new MeshLambertMaterial({ ...looks, color: old.color.clone().convertLinearToSRGB() });
  mesh.material.onBeforeCompile = (shader) => {
    shader.fragmentShader = shader.fragmentShader.replace("#include <colorspace_fragment>", "");
  };
  old.dispose();
}

function discard(material) {
  for (const value of Object.values(material)) if (value?.isTexture) value.dispose();
  material.dispose();
}

function nodesOf(root) {
  const nodes = [];
  root.traverse((node) => nodes.push(node));
  return nodes;
}

/** `eyeBlink_L` -> `eyeblinkl`. */
function plain(name) {
  return name.replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();
}

function spellingsOf(channel) {
  const name = channel.toLowerCase();
  if (/^(jaw|mouth)(Left|Right)$/.test(channel)) return [name];
  return [name, name.replace(/(left|right)$/, (side) => side[0])];
}
