// What morphs do to a surface's normals. Files seldom say it, and without it a shut eyelid keeps an open eye's shadow.

import { BufferAttribute, Vector3 } from "three";

const a = new Vector3(), b = new Vector3(), c = new Vector3();

/** Add the change of every morph's normals to a geometry whose file has none, from its triangles. */
export function addMorphNormals(geometry) {
  const { position: morphs, normal } = geometry.morphAttributes;
  if (!morphs?.length || normal || !geometry.index || !geometry.morphTargetsRelative) return;
  const positions = geometry.attributes.position;
  const points = welded(positions);
  const corners = Array.from(geometry.index.array);
  const sums = new Float64Array(3 * positions.count);
  for (let first = 0; first < corners.length; first += 3) {
    area(corners, first, (into, vertex) => into.fromBufferAttribute(positions, vertex));
    for (let corner = 0; corner < 3; corner++) add(sums, points[corners[first + corner]], a);
  }
  geometry.morphAttributes.normal = morphs.map((offsets) => changeOfNormals(positions, points, corners, sums, offsets));
}

/** (V, 3): normals of the surface with one morph in full, less those at rest. */
function changeOfNormals(positions, points, corners, sums, offsets) {
  const moves = Uint8Array.from({ length: positions.count }, (_, v) => offsets.getX(v) || offsets.getY(v) || offsets.getZ(v) ? 1 : 0);
  const changes = new Map();
  const rest = new Vector3(), shift = new Vector3();
  for (let first = 0; first < corners.length; first += 3) {
    if (!moves[corners[first]] && !moves[corners[first + 1]] && !moves[corners[first + 2]]) continue;
    area(corners, first, (into, vertex) => into.fromBufferAttribute(positions, vertex));
    rest.copy(a);
    area(corners, first, (into, vertex) =>
      into.fromBufferAttribute(positions, vertex).add(shift.fromBufferAttribute(offsets, vertex)));
    for (let corner = 0; corner < 3; corner++) {
      const point = points[corners[first + corner]];
      if (!changes.has(point)) changes.set(point, new Vector3());
      changes.get(point).add(a).sub(rest);
    }
  }
  const result = new Float32Array(3 * positions.count);
  points.forEach((point, vertex) => {
    const change = changes.get(point);
    if (!change) return;
    rest.fromArray(sums, 3 * point);
    shift.copy(rest).add(change).normalize().sub(rest.normalize()).toArray(result, 3 * vertex);
  });
  return new BufferAttribute(result, 3);
}

/** Into `a`: a triangle's normal, as long as twice its area. */
function area(corners, first, read) {
  read(a, corners[first]);
  read(b, corners[first + 1]);
  read(c, corners[first + 2]);
  b.sub(a);
  c.sub(a);
  a.crossVectors(b, c);
}

function add(sums, point, vector) {
  sums[3 * point] += vector.x;
  sums[3 * point + 1] += vector.y;
  sums[3 * point + 2] += vector.z;
}

/** The first vertex at each vertex's place: those doubled along a texture's seam are one point of the surface. */
function welded(positions) {
  const known = new Map();
  return Array.from({ length: positions.count }, (_, vertex) => {
    const place = `${positions.getX(vertex)} ${positions.getY(vertex)} ${positions.getZ(vertex)}`;
    if (!known.has(place)) known.set(place, vertex);
    return known.get(place);
  });
}
