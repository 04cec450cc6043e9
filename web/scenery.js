// Camera, light and backdrop, as animator/rendering has them (framing.py, lights.py, backdrop.py). Centimetres.

import {
  AmbientLight, DataTexture, DirectionalLight, Group, LinearFilter, PerspectiveCamera, Scene, SRGBColorSpace,
  WebGLRenderer,
} from "three";

const CENTRE_CM = [0, -1, 0];
const HEIGHT_CM = 36;
const FOV_DEG = 22;
const SPACING_CM = 34;
const LIGHTS = [
  [[0.45, 0.55, 0.9], [1, 0.97, 0.93], 0.74],
  [[-0.8, 0.05, 0.7], [0.92, 0.94, 0.98], 0.34],
  [[0, 0.5, -0.9], [1, 1, 1], 0.4],
];
const AMBIENT = 0.3;
const DIFFUSE = 0.9;
const BOTTOM_RGB = [0.8, 0.82, 0.85];
const TOP_RGB = [0.55, 0.61, 0.69];
const MAX_PIXEL_RATIO = 2;

export class Scenery {
  #canvas;
  #renderer;
  #scene = new Scene();
  #camera = new PerspectiveCamera(FOV_DEG);
  #row = new Group();

  constructor(canvas) {
    this.#canvas = canvas;
    this.#renderer = new WebGLRenderer({ canvas, antialias: true });
    this.#scene.background = fade();
    // three.js divides by pi what a matt surface gives back.
    this.#scene.add(this.#row, new AmbientLight(0xffffff, AMBIENT * Math.PI));
    for (const [position, colour, intensity] of LIGHTS) {
      const light = new DirectionalLight(0xffffff, DIFFUSE * intensity * Math.PI);
      light.color.setRGB(...colour);
      light.position.set(...position);
      this.#scene.add(light);
    }
  }

  /** Take the canvas's size on the page; true if it is another than before. */
  fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = Math.min(window.devicePixelRatio, MAX_PIXEL_RATIO);
    const width = Math.round(clientWidth * ratio), height = Math.round(clientHeight * ratio);
    if (!width || !height || (width === this.#canvas.width && height === this.#canvas.height)) return false;
    this.#renderer.setSize(width, height, false);
    return true;
  }

  /** Draw these avatars side by side, from left to right. */
  draw(roots) {
    this.#row.clear();
    roots.forEach((root, number) => {
      root.position.x = SPACING_CM * (number - (roots.length - 1) / 2);
      this.#row.add(root);
    });
    const aspect = this.#canvas.width / this.#canvas.height;
    const widthCm = 0.8 * HEIGHT_CM + SPACING_CM * (roots.length - 1);
    const heightCm = Math.max(HEIGHT_CM, widthCm / aspect);
    const distanceCm = heightCm / 2 / Math.tan((FOV_DEG * Math.PI) / 360);
    const [x, y, z] = CENTRE_CM;
    this.#camera.position.set(x, y, z + distanceCm);
    this.#camera.aspect = aspect;
    this.#camera.near = Math.max(distanceCm - 60, 5);
    this.#camera.far = distanceCm + 80;
    this.#camera.updateProjectionMatrix();
    this.#renderer.render(this.#scene, this.#camera);
  }

  close() {
    this.#row.clear();
    this.#scene.background.dispose();
    this.#renderer.dispose();
  }
}

/** The server's backdrop: one colour below fading to another above. */
function fade() {
  const rows = 256;
  const data = new Uint8Array(4 * rows);
  for (let row = 0; row < rows; row++) {
    const rgb = BOTTOM_RGB.map((low, channel) => 255 * (low + (row / (rows - 1)) * (TOP_RGB[channel] - low)));
    data.set([...rgb.map(Math.round), 255], 4 * row);
  }
  const texture = new DataTexture(data, 1, rows);
  texture.colorSpace = SRGBColorSpace;
  texture.magFilter = texture.minFilter = LinearFilter;
  texture.needsUpdate = true;
  return texture;
}
