"""From a photo to a folder with an avatar in it."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ..data import Array, Expression, Face, Frame, Gaze, HeadPose, Motion
from ..errors import SinkError
from ..resources import rigs_folder
from ..rig import Rig
from ..rigging.library import DESCRIPTION, load_rig, rig_description
from ..rigging.normals import RestNormals
from ..rigging.pictures import decoded_rgba
from ..solving.face_model import face_model
from ..takes.files import check_writable, written_beside
from ..tracking.config import MAX_FACES, TrackingConfig
from ..tracking.model import find_or_fetch_model
from ..tracking.opening import open_tracker
from .colours import body_picture, brow_colour, eye_picture, hair_colour, iris_colour, toned_picture
from .hair import fuller
from .layout import Close, close_up, lay_out
from .model import CM_PER_METRE, HumanModel
from .shape import bend
from .skin import linear, painted
from .subject import Subject, find_subject, read_picture, seen_shape_cm, settled

MODEL, PICTURE = "avatar.glb", "picture.png"
MAKER = "animator rigs photo"
"""By this an avatar may be replaced: no other is."""
JPEG_QUALITY = 93
HAIR = {"hair", "locks"}
"""Materials of hair."""
ROUNDS, SHARE_OF_MISSING = 4, 0.7
"""The fit's rounds, and how much of what is missing each adds: lids and lips do not follow one to one."""
Tell = Callable[[str], None]
See = Callable[[Frame], Sequence[Face]]


@dataclass(frozen=True, slots=True)
class Said:
    """What the avatar's description says of it."""

    title: str
    source: str


def check_folder(folder: Path, *, overwrite: bool = False) -> None:
    """Raise SinkError, before any work is done, unless an avatar can be written as this folder."""
    if (rigs_folder() / folder.name / DESCRIPTION).is_file() and not folder.is_absolute() and len(folder.parts) == 1:
        raise SinkError(f"cannot write {folder}: an avatar of that name is built in; name another folder")
    if folder.exists() and not folder.is_dir():
        raise SinkError(f"cannot write {folder}: there is a file of that name; name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / DESCRIPTION).is_file():
            raise SinkError(f"cannot write {folder}: it holds other things than an avatar; name a new folder")
        if rig_description(folder.resolve()).get("maker") != MAKER:
            raise SinkError(f"cannot write {folder}: the avatar in it was not made from a photo; name a new folder")
        if not overwrite:
            raise SinkError(f"cannot write {folder}: there is an avatar in it already; add --force to replace it")
    check_writable(folder / MODEL)


def rig_from_photo(
    photo: Path, folder: Path, name: str | None = None, *, largest: bool = False, overwrite: bool = False,
    model_path: Path | None = None, tell: Tell = lambda _line: None,
) -> None:  # fmt: skip
    """Make an avatar of the person in a photo, as a folder that `--rig` takes.

    name    : what it is called; None: the folder's name
    largest : of several faces take the largest
    tell    : called with one line for each step
    raises  : SourceError, SinkError or ModelError with one line"""
    check_folder(folder, overwrite=overwrite)
    frame = read_picture(photo)
    face_model_path = find_or_fetch_model(model_path, tell)

    def see(picture: Frame) -> tuple[Face, ...]:
        # A new tracker each time: one that knows a face follows it from picture to picture.
        tracker = open_tracker(face_model_path, TrackingConfig(faces=MAX_FACES))
        try:
            return tracker.track(picture)
        finally:
            tracker.close()

    tell("looking for the face")
    subject = find_subject(see(frame), frame.rgb, photo.name, largest=largest)
    make_rig(subject, folder, Said(name or folder.name, photo.name), see, tell)


def make_rig(subject: Subject, folder: Path, said: Said, see: See, tell: Tell = lambda _line: None) -> None:
    """Write `rig.toml`, `avatar.glb` and `picture.png` of a person into a folder.

    see : finds the faces in a picture that has nothing to do with the last one"""
    model = HumanModel()
    close = close_up(subject.rgb, subject.landmarks_px, subject.eye_distance_px)
    tell("painting skin, hair and eyes")
    hair_rgb = paint(model, subject, close)
    tell("fitting the head to the face")
    shape_cm = fitted_shape(model, subject, see)
    bend(model, shape_cm)
    if hair_rgb is not None:
        fuller(model, close, hair_rgb, HAIR & model.pieces.keys())
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / MODEL, _normals(model))
    tell("drawing its picture")
    _, picture = cv2.imencode(".png", cv2.cvtColor(portrait(load_rig(folder / MODEL)), cv2.COLOR_RGB2BGR))
    for file, data in ((PICTURE, picture.tobytes()), (DESCRIPTION, _description(said).encode())):
        with written_beside(folder / file) as beside:
            beside.write_bytes(data)


def fitted_shape(model: HumanModel, subject: Subject, see: See) -> Array:
    """(478, 3) cm: what to bend the human by, so that the tracker sees the person's own face at rest in it.

    The human is not the mean of all faces that were tracked, and paint and light make a difference; so the avatar is
    drawn, looked at, and corrected."""
    wanted_cm = face_model().neutral_cm + subject.shape_cm
    shape_cm = subject.shape_cm
    best, least_cm = shape_cm, np.inf
    for _ in range(ROUNDS):
        trial = copy.deepcopy(model)
        bend(trial, shape_cm, with_moves=False)
        faces = see(_frontal(_drawable(trial)))
        if not faces:
            break
        missing_cm = settled(wanted_cm - seen_shape_cm(faces[0]))
        off_cm = float(np.linalg.norm(missing_cm[:468], axis=1).mean())
        if off_cm < least_cm:
            best, least_cm = shape_cm, off_cm
        shape_cm = shape_cm + SHARE_OF_MISSING * missing_cm
    return best


def paint(model: HumanModel, subject: Subject, close: Close) -> Array | None:
    """Put the person's colours on all that has some; returns the hair's (3,) linear, or None if it was not found."""
    face = model.pieces["face"]
    facing = face.normals @ subject.rotation[2]
    layout = lay_out(face.uv, face.triangles, facing, close.landmarks_px)
    skin = painted(close, layout, _decoded(model, "face"), subject.smile)
    _set(model, "face", skin.rgb)
    model.set_color("ear", model.color("ear") * skin.tone)
    own_hair = _mean(_decoded(model, "hair"))
    colour = hair_colour(close, skin.colour)
    hair_tone = (brow_colour(close) if colour is None else colour) / own_hair
    for material in HAIR & model.materials:
        _set(model, material, toned_picture(_decoded(model, material), hair_tone))
    _set(model, "body", body_picture(_decoded(model, "body"), skin.tone, hair_tone, own_hair))
    iris = iris_colour(close)
    if iris is not None:
        _set(model, "eye", eye_picture(_decoded(model, "eye"), iris, skin.colour))
    return colour


def _drawable(model: HumanModel) -> Rig:
    """The avatar as it is so far, without expressions."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        model.save(path, {piece.name: piece.normals for piece in model.pieces.values()})
        return load_rig(path)


def _frontal(rig: Rig) -> Frame:
    """The avatar at rest, from the front, close by."""
    still = Motion(0.0, 0, HeadPose.rest(), Gaze.rest(), Expression.rest())
    return Frame(_drawn(rig, still, (512, 512), 28.0), 0.0, 0)


def _mean(rgb: Array) -> Array:
    return linear(rgb).reshape(-1, 3).mean(0)


def portrait(rig: Rig, size_px: tuple[int, int] = (640, 480)) -> Array:
    """(H, W, 3) uint8: the avatar with a faint smile, as choosers show it."""
    smile = Expression.of(mouthSmileLeft=0.35, mouthSmileRight=0.35, cheekSquintLeft=0.15, cheekSquintRight=0.15)
    turn = np.radians(12) / 2
    pose = HeadPose(np.array([np.cos(turn), 0.0, np.sin(turn), 0.0]), np.array([0.0, 0.0, -60.0]))
    big = _drawn(rig, Motion(0.0, 0, pose, Gaze.rest(), smile), (2 * size_px[0], 2 * size_px[1]))
    return cv2.resize(big, size_px, interpolation=cv2.INTER_AREA)


def _drawn(rig: Rig, motion: Motion, size_px: tuple[int, int], height_cm: float | None = None) -> Array:
    """(H, W, 3) uint8; height_cm : what stands in the picture, None for a head and shoulders."""
    from ..rendering.framing import Framing
    from ..rendering.renderer import Renderer  # VTK: half a second
    from ..rendering.scene import Appearance
    from ..rigging.deform import Deformer

    renderer = Renderer(rig, size_px)
    try:
        renderer.scene.framing = Framing() if height_cm is None else Framing((0.0, 0.0, 0.0), height_cm)
        return renderer.draw("avatar", None, [Appearance(0, Deformer(rig).deform(motion), motion.pose)])
    finally:
        renderer.close()


def _normals(model: HumanModel) -> dict[str, Array]:
    """Piece -> (V, 3): smooth normals of the bent head, seams welded as when it is loaded."""
    rig = load_rig("human")
    positions = np.concatenate([piece.positions_cm for piece in model.pieces.values()]) / CM_PER_METRE
    normals = RestNormals(replace(rig, positions=positions.astype(np.float32), normals=None)).normals
    ends = np.cumsum([len(piece.positions_cm) for piece in model.pieces.values()])[:-1]
    return dict(zip(model.pieces, np.split(normals.astype(np.float64), ends), strict=True))


def _decoded(model: HumanModel, material: str) -> Array:
    return decoded_rgba(model.picture(material), material)[..., :3]


def _set(model: HumanModel, material: str, rgb: Array) -> None:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    model.set_picture(material, data.tobytes())


def _description(said: Said) -> str:
    """`rig.toml`: JSON's strings are TOML's."""
    title, source = (json.dumps(text, ensure_ascii=False) for text in (said.title, f"made from {said.source}"))
    return f"""title = {title}
about = "Made from a photo, all 52 ARKit channels."
model = "{MODEL}"
maker = "{MAKER}"
source = {source}
# Parts that are not drawn over a person's own head.
hidden_in_mask = ["shirt", "collar", "neck"]

[joints]
head = "head"
neck = "neck"
leftEye = "leftEye"
rightEye = "rightEye"

# The face is measured in centimetres, the avatar in metres; both have the same origin.
[rig_from_face]
scale = 0.01
offset = [0.0, 0.0, 0.0]
"""
