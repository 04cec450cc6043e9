"""What workers do with a film: look what it holds, track a part, make takes of its tracks, draw a puppet.

Every piece of work reads a film and gives bytes or arrays back: workers write nothing that stays, so that one
which is done twice, as its first worker was lost, harms nothing."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from ..config import Config
from ..data import Array, Face, Frame, Motion
from ..errors import SourceError
from ..sinks.recorder import MotionRecorder
from ..solving.solver import LinearSolver
from ..sources.film_parts import Survey, survey_film
from ..takes.live_link_csv import save_csv
from ..takes.npz import load_takes
from ..takes.take import Take
from ..tracking.litert_faces import LiteRTFaces
from ..tracking.model import find_or_fetch_model, is_the_model
from ..tracking.opening import open_tracker
from ..tracking.seating import Seating
from .engine import anywhere
from .patience import PatientFilm, patiently
from .pictures import thumbnail
from .tracks import Part, Sights, Track, going_on, joined, settling

CURVES = ("jawOpen", "mouthSmileLeft", "eyeBlinkLeft", "browInnerUp")
CURVE_POINTS = 240
PICTURES = 8
"""Thumbnails of a film."""

Sight = tuple[Array, float, int]
"""Landmarks (478, 3) in pixels, z as x; presence; track_id, -1 where the tracker gives none."""

_here = threading.local()
_shipped: Path | None = None


@dataclass(frozen=True, slots=True)
class Tracked:
    """A part's track and what else came of it."""

    track: Track
    pictures: list[tuple[float, bytes]]
    """Time and JPEG of thumbnails."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Solved:
    """A film's takes as files, and its figures."""

    files: dict[str, bytes]
    """By what follows the film's name: `.npz`, `.csv`, `.face2.csv`."""
    frames: int
    frames_with_face: int
    performers: int
    curves: dict[str, list[float]]
    """Of the first performer, CURVE_POINTS at most: `confidence`, `yaw_deg` and CURVES."""
    pictures: list[tuple[float, bytes]]
    """Time and JPEG of thumbnails."""
    broken: str | None
    seconds: float
    """Spent on the film so far, its tracks included."""


def survey(film: Path, part_s: float) -> Survey:
    """What a film holds, and where it can be cut if it is worth that."""
    _check_there(film)
    return patiently(film, lambda: survey_film(film, 1.5 * part_s))


def track_part(film: Path, part: Part, config: Config, model: Path | None, picture_times_s: Sequence[float]) -> Tracked:
    """Find the faces in one part of a film; thumbnails of the first pictures at or after the times asked for."""
    _check_there(film)
    started_s = perf_counter()
    times_s: list[float] = []
    seen: list[list[Sight]] = []
    pictures: list[tuple[float, bytes]] = []
    wanted_s = sorted(picture_times_s)
    look, settle = _fresh_look(config, model)
    with closing(PatientFilm(film, part.start_s, part.stop_s)) as frames:
        for frame in settling(frames, settle):
            seen.append(look(frame))
            times_s.append(frame.time_s)
            if wanted_s and frame.time_s >= wanted_s[0]:
                pictures.append((frame.time_s, thumbnail(frame.rgb)))
                wanted_s = [time_s for time_s in wanted_s if time_s > frame.time_s]
        broken, size_px, fps = frames.broken, frames.size_px, frames.fps
    faces = [face for sights in seen for face in sights]
    seated = config.tracking.tracker != "litert"
    track = Track(
        np.array(times_s),
        np.array([len(sights) for sights in seen], int),
        np.array([face[0] for face in faces], np.float32).reshape(-1, 478, 3),
        np.array([face[1] for face in faces], float),
        np.array([face[2] for face in faces], int) if seated else None,
        sum(time_s < part.own_from_s for time_s in times_s),
        size_px,
        fps,
        broken,
    )
    return Tracked(track, pictures, perf_counter() - started_s)


def solve(
    film: Path, parts: Sequence[Part], config: Config, model: Path | None, formats: Sequence[str], *tracked: Tracked
) -> Solved:
    """Join a film's parts and solve them in order, as if they had never been cut."""
    started_s = perf_counter()
    tracks = [one.track for one in tracked]
    fps = tracks[0].fps
    solver = LinearSolver(config.solving, tuning=config.tuning)
    with_face = 0
    with tempfile.TemporaryDirectory(prefix="animator-") as folder:
        path = Path(folder) / "take.npz"
        recorder = MotionRecorder(path, fps, about={"source": film.name})
        motions: tuple[Motion, ...] = ()
        for time_s, faces in _faces(film, parts, tracks, config, model):
            motions = solver.solve(faces, time_s)
            with_face += any(motion.confidence > 0 for motion in motions)
            recorder.write(motions, time_s, size_px=tracks[0].size_px)
        for motion in motions:
            recorder.keep_profile(motion.track_id, solver.profile(motion.track_id).neutral_cm)
        recorder.close()
        if not recorder.frames:
            raise SourceError(f"{film.name} gave no picture")
        takes = load_takes(path)
        files = {".npz": path.read_bytes()} | _exported(takes, formats, config.show.rig, Path(folder))
    broken = next((track.broken for track in tracks if track.broken), None)
    frames = recorder.frames
    seconds = perf_counter() - started_s + sum(one.seconds for one in tracked)
    pictures = [picture for one in tracked for picture in one.pictures]
    return Solved(files, frames, with_face, len(takes), _curves(takes[0]), pictures, broken, seconds)


def draw(solved: Solved, config: Config) -> bytes:
    """A video (.mp4) of the avatar acting a film's takes."""
    from ..filming import film, open_sink
    from ..pipeline import open_performance

    with tempfile.TemporaryDirectory(prefix="animator-") as folder, _drawing, anywhere():
        take, video = Path(folder) / "take.npz", Path(folder) / "puppet.mp4"
        take.write_bytes(solved.files[".npz"])
        with open_performance(take, config) as performance:
            film(performance, config, open_sink(video, config.show.fps or performance.source.fps))
        return video.read_bytes()


def use_model(content: bytes) -> None:
    """Keep the face model that came with the work, for workers that have none and no way to fetch it."""
    global _shipped
    folder = Path(tempfile.gettempdir()) / f"animator-model-{_user()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "face_landmarker.task"
    if not is_the_model(path):
        from ..takes.files import written_beside

        with written_beside(path) as scratch:
            scratch.write_bytes(content)
    _shipped = path


_drawing = threading.Lock()
"""One picture is drawn at a time in one process."""


def _user() -> str:
    import getpass

    return getpass.getuser()


def _check_there(film: Path) -> None:
    if not film.is_file():
        raise FileNotFoundError(f"there is no {film} here: workers must see the films under the same path")


def _exported(takes: Sequence[Take], formats: Sequence[str], rig: str, folder: Path) -> dict[str, bytes]:
    """The formats that hold one performer each: `.csv`, `.face2.csv`, and so on."""
    files = {}
    for number, take in enumerate(takes, start=1):
        face = "" if number == 1 else f".face{number}"
        if "csv" in formats:
            save_csv(folder / "face.csv", take)
            files[f"{face}.csv"] = (folder / "face.csv").read_bytes()
        if "glb" in formats:
            from ..exporting import save_glb_take

            save_glb_take(folder / "face.glb", take, rig)
            files[f"{face}.glb"] = (folder / "face.glb").read_bytes()
    return files


def _fresh_look(config: Config, model: Path | None) -> tuple[Callable[[Frame], list[Sight]], Callable[[], None]]:
    """What finds the faces of one film, and what makes that settle.

    Of LiteRT the networks are kept from film to film; they take 0.1 s to load."""
    path = _shipped or find_or_fetch_model(model)
    if config.tracking.tracker != "litert":
        tracker = open_tracker(path, config.tracking)
        return lambda frame: [(_as_px(f), f.presence, f.track_id) for f in tracker.track(frame)], lambda: None
    tracker = getattr(_here, "tracker", None)
    if tracker is None:
        tracker = _here.tracker = LiteRTFaces(path, threads=1)
    tracker.configure(config.tracking)
    tracker.begin_anew()
    return lambda frame: [(*sight, -1) for sight in tracker.look(frame)], tracker.settle


def _as_px(face: Face) -> Array:
    width, height = face.image_size_px
    return face.landmarks_norm * np.array([width, height, width], np.float32)


def _faces(
    film: Path, parts: Sequence[Part], tracks: Sequence[Track], config: Config, model: Path | None
) -> Iterator[tuple[float, tuple[Face, ...]]]:
    """Everybody with a seat, picture by picture, of the whole film."""

    def look_again(part: Part, last: Sights, last_s: float, before: Sequence[Sights]) -> list[Sights]:
        look, settle = _fresh_look(config, model)
        _here.tracker.follow([landmarks_px for landmarks_px, _ in last])
        with closing(PatientFilm(film, part.start_s, part.stop_s)) as frames:
            own = (frame for frame in frames if frame.time_s >= part.own_from_s)
            own = settling(own, settle, last_s)
            return going_on(own, lambda frame: [face[:2] for face in look(frame)], before)

    size_px = tracks[0].size_px
    if tracks[0].track_ids is not None:
        yield from _seated(tracks[0])
        return
    seating, (width, height) = Seating(), size_px
    blank = np.broadcast_to(np.uint8(0), (height, width, 3))  # seats are given by a picture's size and time alone
    for index, (time_s, sights) in enumerate(zip(*joined(parts, tracks, look_again), strict=True)):
        frame = Frame(blank, time_s, index)
        yield time_s, seating.faces([s[0] for s in sights], [s[1] for s in sights], frame, smooth=True)


def _seated(track: Track) -> Iterator[tuple[float, tuple[Face, ...]]]:
    width, height = track.size_px
    size = np.array([width, height, width], np.float32)
    points, ends = track.landmarks_px, np.cumsum(track.counts)
    for time_s, count, end in zip(track.times_s.tolist(), track.counts, ends, strict=True):
        yield (
            time_s,
            tuple(
                Face(points[i] / size, track.size_px, int(track.track_ids[i]), float(track.presences[i]), time_s)
                for i in range(end - count, end)
            ),
        )


def _curves(take: Take) -> dict[str, list[float]]:
    from ..channels import INDEX
    from ..maths.rotations import matrix_from_wxyz

    rows = np.unique(np.linspace(0, len(take) - 1, min(CURVE_POINTS, len(take))).round().astype(int))
    forward = matrix_from_wxyz(take.rotations_wxyz[rows])[:, :, 2]
    columns = {name: take.weights[rows, INDEX[name]] for name in CURVES}
    columns |= {"yaw_deg": np.degrees(np.arctan2(forward[:, 0], forward[:, 2])), "confidence": take.confidence[rows]}
    return {name: [round(float(value), 3) for value in values] for name, values in columns.items()}
