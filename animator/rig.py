"""What an avatar is, once loaded: geometry, materials, morphs, joints and the way 52 channels drive them."""

from __future__ import annotations

from dataclasses import dataclass

from .data import Array

ROLES = ("head", "neck", "leftEye", "rightEye", "jaw", "chest")
"""What a joint can be to us; a rig may lack any of them."""


@dataclass(frozen=True, slots=True)
class Toon:
    """A surface in two tones, as MToon shades it: s = linearstep(-1 + toony, 1 - toony, dot(N, L) + shift)."""

    shade_rgb: tuple[float, float, float]
    """sRGB 0..1: the colour of the side in shadow; multiplies the texture."""
    toony: float = 0.9
    """0..1: 1 is a hard edge between the tones."""
    shift: float = 0.0
    """-1..1: above 0 more of the surface is lit."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """A picture that says something of a surface other than its colour."""

    pixels: Array
    """(H, W, 3 or 4) uint8, row 0 on top; a fourth channel means nothing."""
    repeats: bool = True
    uv_set: int = 0
    """0: on the rig's `uvs`; 1: on its `map_uvs`."""
    place: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    """Two rows (a, b, c): its own coordinates are a u + b v + c, and so for the other."""


@dataclass(frozen=True, slots=True)
class Maps:
    """What pictures say of a material besides its colour, as glTF has it; None: nothing."""

    normal: Overlay | None = None
    """Directions in the surface's own frame: red along u, green against v, blue outwards; 0..255 is -1..1."""
    normal_scale: float = 1.0
    """Multiplies red and green of it."""
    surface: Overlay | None = None
    """Green multiplies roughness, blue multiplies metallic."""
    occlusion: Overlay | None = None
    """Red: how much of the sky is seen; may be the same object as `surface`."""
    occlusion_strength: float = 1.0
    glow: Overlay | None = None
    """sRGB, multiplies `emissive_rgb`."""

    def overlays(self) -> tuple[Overlay, ...]:
        """Those that are there."""
        return tuple(o for o in (self.normal, self.surface, self.occlusion, self.glow) if o is not None)


@dataclass(frozen=True, slots=True)
class Material:
    """How a part of the surface looks."""

    name: str
    base_color_rgba: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    """sRGB 0..1; multiplies the texture."""
    texture_rgba: Array | None = None
    """(H, W, 3 or 4) uint8 sRGB, row 0 on top (v = 0), or None."""
    alpha_mode: str = "opaque"
    """`opaque`, `mask` (below `alpha_cutoff` nothing is drawn) or `blend`."""
    alpha_cutoff: float = 0.5
    double_sided: bool = False
    unlit: bool = False
    roughness: float = 0.8
    metallic: float = 0.0
    emissive_rgb: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """sRGB 0..1, shines of itself."""
    toon: Toon | None = None
    """Two flat tones instead of a smooth shadow (MToon)."""
    repeats: bool = True
    """Whether the texture goes on beyond its edges; else its edge does."""
    draw_order: int = 0
    """Among `blend` materials the lower is drawn first."""
    writes_depth: bool = False
    """A `blend` material that hides what is drawn behind it later."""
    uv_transform: tuple[float, float, float, float] = (1.0, 1.0, 0.0, 0.0)
    """Scale and offset, u then v, that the rig's `uvs` already hold: expressions change them."""
    uv_rotation_rad: float = 0.0
    """Turns between the two, counter-clockwise as seen; no expression changes it."""
    maps: Maps | None = None
    """What pictures say of it besides its colour."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of the rig's vertices that is drawn with one material."""

    name: str
    first_vertex: int
    vertex_count: int
    triangles: Array
    """(T, 3) int32, counted from `first_vertex`, counter-clockwise seen from outside."""
    material: Material


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint of the skeleton at rest."""

    name: str
    parent: int
    """Index of the parent joint, always smaller than this joint's own; -1 for a root."""
    rest_local: Array
    """(4, 4) float64: parent_from_joint at rest, metres."""


@dataclass(frozen=True, slots=True)
class LookAt:
    """How far eyes follow a gaze: each pair is the largest input (degrees) and what comes out there.

    Outputs are degrees where joints turn the eyes, weights where expressions do."""

    by_expressions: bool
    inner: tuple[float, float]
    """Towards the nose."""
    outer: tuple[float, float]
    down: tuple[float, float]
    up: tuple[float, float]


GROUPS = ("blink", "lookAt", "mouth")
"""Groups of expressions that another expression can hold back."""


LOOKS = ("color", "shade", "glow", "uv")
"""What an expression can change of a material: its colour, a toon's shade, what shines, its texture's place."""


@dataclass(frozen=True, slots=True)
class Look:
    """How some parts look when an expression is at 1; in between, and together, differences from rest add up."""

    expression: int
    """Row of `Expressions`."""
    parts: tuple[int, ...]
    """Numbers of `Rig.parts`."""
    kind: str
    """One of `LOOKS`."""
    target: tuple[float, float, float, float]
    """sRGB and alpha, 0..1; of `uv` scale and offset, u then v, as `Material.uv_transform`. NaN: as at rest."""


@dataclass(frozen=True, slots=True)
class Expressions:
    """Faces composed of several morphs: by the avatar's maker (VRM), or guessed from the morphs' names.

    Each one's value is `gains @ channels`, or where it has a preset's name in `presets`, that preset's
    formula; then come the rules of `is_binary` and `overrides`, and `values @ binds` is added to the
    morphs' weights."""

    names: tuple[str, ...]
    presets: tuple[str, ...]
    """VRM 1.0's preset names: `aa`, `blinkLeft`, `happy`, `lookUp`...; empty where `gains` count."""
    gains: Array
    """(E, 52) float32."""
    binds: Array
    """(E, M) float32: morph weights at value 1."""
    is_binary: Array
    """(E,) bool: only 0 and 1."""
    overrides: Array
    """(E, 3) int8, by `GROUPS`: 0 none, 1 block, 2 blend."""
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, slots=True)
class Rig:
    """An avatar at rest, in metres: x to its own left, y up, facing +z (glTF's axes)."""

    name: str
    positions: Array
    """(V, 3) float32, neutral."""
    uvs: Array
    """(V, 2) float32, v downward as in glTF."""
    parts: tuple[Part, ...]
    morph_names: tuple[str, ...]
    morphs: Array
    """(M, V, 3) float32 offsets at weight 1."""
    mapping: Array
    """(M, 52) float32: morph weights = clip(mapping @ channels + share of `expressions`, 0, 1)."""
    joints: tuple[Joint, ...]
    roles: dict[str, int]
    """Joint index by role, see `ROLES`."""
    skin_joints: Array
    """(V, 4) int32 joint indices."""
    skin_weights: Array
    """(V, 4) float32, rows sum to 1; a rig without a skin has all weight on the head."""
    rig_from_face: Array
    """(4, 4) float64: canonical face (centimetres) -> this rig's space at rest (metres, any uniform scale)."""
    hidden_in_mask: frozenset[str] = frozenset()
    """Names of parts that are not drawn over a person's own head (`--view mask`): neck, shoulders."""
    normals: Array | None = None
    """(V, 3) float32 unit, the file's own at rest; None: made from the triangles."""
    vertex_rgb: Array | None = None
    """(V, 3) float32 sRGB 0..1, multiplies the material's colour; None: white."""
    map_uvs: Array | None = None
    """(V, 2) float32, other texture coordinates that some maps of materials lie on; None: none does."""
    expressions: Expressions | None = None
    look_at: LookAt | None = None
    """None: eyes look exactly where the gaze goes."""
    about: tuple[tuple[str, str], ...] = ()
    """What the file says of itself: name, author, licence..."""
    notes: tuple[str, ...] = ()
    """What was ignored or guessed when it was read, for a person to know."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """A rig's surface at one instant. Buffers are reused: valid until the next deform."""

    positions: Array
    """(V, 3) float32, metres, in the rig's space."""
    normals: Array
    """(V, 3) float32, unit length."""
    expressions: Array | None = None
    """(E,) float32 values of the rig's expressions; None where none changes a look."""
