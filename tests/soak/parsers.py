"""Every reader of files that come from outside, with true files to spoil and what is done with what was read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from animator.channels import ARKIT
from animator.data import LANDMARKS, Expression, Motion
from animator.takes.take import Take
from tests.conftest import ROOT, SHARED
from tests.soak import spoiling

LARGE_BYTES = 100_000
"""Seeds above this come seldom: each case with them takes a second."""


@dataclass(frozen=True)
class Parser:
    """One reader."""

    name: str
    file: str
    """What the spoilt file is called; it lies in `avatar/` below the worker's own folder."""
    seeds: Callable[[], list[bytes]]
    spoil: spoiling.Spoil
    read: Callable[[Path], object]
    """Reads the file and uses what came; raises AnimatorError for one that cannot be read."""


def take(frames: int = 4) -> Take:
    """A short take with all that a take can have."""
    rng = np.random.default_rng(5)
    turns = rng.normal(size=(frames, 4)) + [4, 0, 0, 0]
    return Take(
        np.arange(frames) / 60, rng.random((frames, 52)).astype(np.float32),
        turns / np.linalg.norm(turns, axis=1, keepdims=True), rng.normal(size=(frames, 3)) - [0, 0, 50],
        rng.normal(size=(frames, 2, 2)) / 5, np.ones(frames, np.float32), 60.0,
        landmarks_norm=rng.random((frames, LANDMARKS, 3)).astype(np.float32), image_size_px=(640, 480),
        profile_cm=rng.normal(size=(LANDMARKS, 3)).astype(np.float32), source="clip.mp4", rig="human",
        stage_names=("track", "solve"), stages_ms=rng.random((frames, 2)).astype(np.float32),
    )  # fmt: skip


@cache
def _scratch() -> Path:
    import tempfile

    return Path(tempfile.mkdtemp(prefix="animator-seeds-"))


def _written(write: Callable[[Path], object], name: str) -> bytes:
    path = _scratch() / name
    write(path)
    return path.read_bytes()


def _shared(pattern: str) -> list[bytes]:
    """True files of others; none where the evaluation material is not here."""
    return [path.read_bytes() for path in sorted(SHARED.glob(pattern)) if path.is_file()]


# -- avatars ----------------------------------------------------------------------------------------------------------
def _avatars() -> list[bytes]:
    from tests.rigging.test_mutations import own_file

    found = [own_file(), (ROOT / "rigs/mask/mask.glb").read_bytes()]
    return found + [data for kind in ("glb", "vrm") for data in _shared(f"avatars/*/*.{kind}") if _is_sound(data)]


def _is_sound(data: bytes) -> bool:
    """Whether its JSON can be read, to be spoilt."""
    try:
        json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")] if data[:4] == b"glTF" else data)
    except ValueError:
        return False
    return True


def _described_avatars() -> list[bytes]:
    """.gltf files that want a buffer and a picture beside them."""
    data = _avatars()[0]
    length = int.from_bytes(data[12:16], "little")
    said = json.loads(data[20 : 20 + length])
    said["buffers"][0]["uri"] = "data.bin"
    said["images"] = [{"uri": "picture.png"}, {"uri": "data:image/png;base64,iVBORw0KGgo="}]
    said["textures"] = [{"source": 0}]
    said["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"] = {"index": 0}
    attributes = said["meshes"][0]["primitives"][0]["attributes"]
    said["accessors"].append({"componentType": 5126, "count": 4, "type": "VEC2"})
    attributes["TEXCOORD_0"] = len(said["accessors"]) - 1
    return [json.dumps(said).encode(), *filter(_is_sound, _shared("avatars/*/*.gltf"))]


def own_binary() -> bytes:
    """The buffer of our own file, which lies beside the described ones."""
    data = _avatars()[0]
    return data[28 + int.from_bytes(data[12:16], "little") :]


def _move(path: Path) -> None:
    from animator.rigging.deform import Deformer
    from animator.rigging.library import load_rig

    rig = load_rig(path)
    assert np.isfinite(rig.rig_from_face).all()
    mesh = Deformer(rig).deform(Motion(0.5, 0, expression=Expression(np.ones(52, np.float32))))
    assert np.isfinite(mesh.positions).all()


def _described_rig(path: Path) -> None:
    from animator.rigging.library import load_rig, model_file, rig_description

    rig_description(path.parent)
    model_file(path.parent)
    load_rig(path.parent)


def _table(path: Path) -> None:
    from animator.rigging.mapping import mapping_from_csv, with_table

    rig = _own_rig()
    assert np.isfinite(mapping_from_csv(path, rig.morph_names)).all()
    with_table(rig, path)


@cache
def _own_rig():
    from animator.rigging.gltf import rig_from_glb_bytes

    return rig_from_glb_bytes(_avatars()[0], "own.vrm")


def _tables() -> list[bytes]:
    dense = (
        "morph," + ",".join(ARKIT) + "\n" + "\n".join(f"{m}," + ",".join(["0.5"] * 52) for m in ("jawOpen", "Blink"))
    )
    return [b"morph,channel,gain\njawOpen,jawOpen,1\nBlink,eyeBlinkLeft,0.5\nBlink,eyeBlinkRight,0.5\n", dense.encode()]


_RIG_TOML = b"""model = "data.glb"
title = "Own"
maker = "x"
licence = "MIT"
mapping = "table.csv"
hidden_in_mask = []

[joints]
head = "head"

[rig_from_face]
scale = 0.01
offset = [0.0, 1.6, 0.0]
"""


def _texture(path: Path) -> None:
    from animator.rigging.pictures import MAX_SIDE_PX, decoded_rgba

    rgba = decoded_rgba(path.read_bytes(), path.name)
    assert rgba.dtype == np.uint8
    assert rgba.shape[2] == 4
    assert max(rgba.shape) <= MAX_SIDE_PX


def _pictures() -> list[bytes]:
    rng = np.random.default_rng(1)
    rgb, found = rng.integers(0, 256, (24, 32, 3), np.uint8), []
    for suffix, picture in ((".png", rgb), (".png", rgb[..., 0]), (".png", np.dstack([rgb, rgb[..., 0]])),
                            (".png", rgb.astype(np.uint16) * 257), (".jpg", rgb), (".webp", rgb), (".bmp", rgb),
                            (".tiff", rgb), (".tiff", rgb.astype(np.uint16) * 257)):  # fmt: skip
        found.append(cv2.imencode(suffix, picture)[1].tobytes())
    return found


# -- recordings -------------------------------------------------------------------------------------------------------
def _takes() -> list[bytes]:
    from animator.takes.npz import save_takes

    bare = take(3)
    return [
        _written(lambda path: save_takes(path, [take(3), take(3)]), "a.npz"),
        _written(lambda path: save_takes(path, [bare]), "b.npz"),
    ]


def _landmark_takes() -> list[bytes]:
    from animator.takes.npz import LandmarkTake, save_landmark_take

    whole = take(3)
    seen = LandmarkTake(whole.landmarks_norm, (640, 480), whole.times_s, np.ones(3, bool))
    return [_written(lambda path: save_landmark_take(path, seen), "c.landmarks.npz")]


def _csvs() -> list[bytes]:
    from animator.takes.live_link_csv import save_csv

    recorded = [b"".join(data.splitlines(True)[:6]) for data in _shared("recordings/*.csv")]
    return [_written(lambda path: save_csv(path, take(5)), "d.csv"), *recorded]


def _jsons() -> list[bytes]:
    from animator.takes.json_layouts import LAYOUTS, save_json

    return [_written(lambda path, layout=layout: save_json(path, take(3), layout), "e.json") for layout in LAYOUTS]


def _journals() -> list[bytes]:
    from animator.sinks.recorder import MotionRecorder
    from tests.takes.writer import face_at, motion_at

    found = []
    for landmarks in (False, True):
        recorder = MotionRecorder(_scratch() / "f.npz", 60.0, landmarks=landmarks, about={"source": "clip", "rig": "x"})
        for frame in range(3):
            motions = [motion_at(frame, 0), motion_at(frame, 1)]
            faces = [face_at(frame, 0)] if landmarks else []
            recorder.write(motions, frame / 60, faces=faces, stages_ms={"track": 1.0, "solve": 2.0})
        found.append((_scratch() / "f.npz.journal").read_bytes())
        recorder.close()
    return found


def _played(path: Path) -> None:
    """Played, brought to another rate, and turned into other formats."""
    from animator.sources.opening import open_source
    from animator.takes.bvh import save_bvh
    from animator.takes.editing import mirrored, resampled, smoothed
    from animator.takes.live_link_csv import save_csv

    source = open_source(str(path))
    for _ in zip(range(3), source, strict=False):
        pass
    for found in getattr(source, "takes", ()):
        again = mirrored(resampled(found, 30.0))
        smoothed(again, 0.1)
        save_csv(path.with_name("out.csv"), found)
        save_bvh(path.with_name("out.bvh"), found)
    source.close()


def _finished(path: Path) -> None:
    from animator.takes.finishing import finish
    from animator.takes.npz import load_takes

    out = path.with_name("out.npz")
    done = finish(path, out)
    if done.paths:
        load_takes(out)
        out.unlink()


# -- people, settings, films ------------------------------------------------------------------------------------------
def _profiles() -> list[bytes]:
    from animator.solving.profile import Profile, save_profile

    profile = Profile("me", take(1).profile_cm, {"eyeBlinkLeft": 0.7})
    return [_written(lambda path: save_profile(path, profile), "g.json")]


def _profile(path: Path) -> None:
    from animator.solving.profile import load_profile

    found = load_profile(path)
    assert np.isfinite(found.neutral_cm).all()


def _keepsakes() -> list[bytes]:
    from animator.server.keepsake import keepsake
    from animator.solving.profile import Profile

    return [json.dumps(keepsake(0, Profile("", take(1).profile_cm, {"eyeBlinkLeft": 0.7}))).encode()]


def _keepsake(path: Path) -> None:
    """As the data channel hands it on: parsed JSON whose constants are refused."""
    from animator.errors import ProtocolError
    from animator.server.keepsake import profile_from_keepsake

    def refuse(name: str) -> None:
        raise ProtocolError(name)

    try:
        said = json.loads(path.read_text("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    if isinstance(said, dict):
        _, profile = profile_from_keepsake(said)
        assert np.isfinite(profile.neutral_cm).all()


_SETTINGS = b"""[tracking]
faces = 2
detection_confidence = 0.5
tracker = "litert"
[solving]
smoothing = 0.4
calibrate = "auto"
[tuning]
[show]
rig = "human"
view = "avatar"
size_px = [640, 480]
fps = 30.0
background = "#102030,white"
mirror = true
[serve]
host = "127.0.0.1"
port = 8080
max_sessions = 4
token = "secret"
ice_servers = ["stun:stun.example:3478", "turn:turn.example:3478,user,password"]
trusted_proxies = ["10.0.0.0/8"]
allow_hosts = ["*.example"]
silent_s = 20.0
"""


def _settings(path: Path) -> None:
    from animator.config import config_from_toml
    from animator.server.settings import table_from_toml

    config_from_toml(path)
    table_from_toml(path)


def _picture_source(path: Path) -> None:
    from animator.rendering.overlay import picture_from_file
    from animator.sources.images import ImageSource

    source = ImageSource(path)
    for frame in source:
        assert frame.rgb.dtype == np.uint8
    picture_from_file(path)


def _films() -> list[bytes]:
    import av

    found = []
    for suffix, codec in ((".mp4", "libx264"), (".mkv", "libvpx"), (".webm", "libvpx-vp9"), (".avi", "mpeg4")):
        path = _scratch() / f"h{suffix}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=24)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(4):
                picture = np.full((48, 64, 3), 40 * index, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        found.append(path.read_bytes())
    lists = (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
             b"ffconcat version 1.0\nfile secret.mp4\n",
             b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
             b"a=rtpmap:96 H264/90000\n")  # fmt: skip
    return [*found, *lists]


def _film(path: Path) -> None:
    from animator.sources.video import VideoSource

    source = VideoSource(path, threads=1)
    try:
        for _ in zip(range(8), source, strict=False):
            pass
    finally:
        source.close()


def _ledgers() -> list[bytes]:
    record = {"path": "/x.mp4", "film": [1, 2], "settings": "abc", "result": {"name": "x", "files": ["x.csv"]}}
    return [json.dumps(record).encode()]


def _ledger(path: Path) -> None:
    """As a second run reads what the first one noted in the folder."""
    from animator.batch.ledger import Ledger

    ledger = Ledger(path.parents[1])
    for film in ledger.names():
        ledger.finished(film, "abc")


PARSERS: Sequence[Parser] = (
    Parser("avatar", "spoilt.vrm", _avatars, spoiling.spoilt_glb, _move),
    Parser("gltf", "spoilt.gltf", _described_avatars, spoiling.spoilt_json, _move),
    Parser("rig.toml", "rig.toml", lambda: [_RIG_TOML], spoiling.spoilt_settings, _described_rig),
    Parser("mapping", "mapping.csv", _tables, spoiling.spoilt_text, _table),
    Parser("texture", "spoilt.png", _pictures, spoiling.spoilt_png, _texture),
    Parser("picture", "spoilt.png", _pictures, spoiling.spoilt_png, _picture_source),
    Parser("take", "spoilt.npz", _takes, spoiling.spoilt_npz, _played),
    Parser("landmarks", "spoilt.npz", _landmark_takes, spoiling.spoilt_npz, _played),
    Parser("csv", "spoilt.csv", _csvs, spoiling.spoilt_text, _played),
    Parser("json", "spoilt.json", _jsons, spoiling.spoilt_json, _played),
    Parser("journal", "spoilt.npz.journal", _journals, spoiling.spoilt_journal, _finished),
    Parser("profile", "spoilt.json", _profiles, spoiling.spoilt_json, _profile),
    Parser("keepsake", "spoilt.json", _keepsakes, spoiling.spoilt_json, _keepsake),
    Parser("settings", "settings.toml", lambda: [_SETTINGS], spoiling.spoilt_settings, _settings),
    Parser("film", "spoilt.mp4", _films, spoiling.spoilt_bytes, _film),
    Parser("ledger", ".animator-batch/spoilt.json", _ledgers, spoiling.spoilt_json, _ledger),
)
