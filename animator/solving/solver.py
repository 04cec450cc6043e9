"""The solver: from the faces of one instant to motion, performer by performer."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..channels import INDEX
from ..data import LANDMARKS, Array, Expression, Face, Gaze, Motion, check_shape
from ..errors import SettingError
from ..maths.easing import EASE_S, HOLD_S, presence_share
from .face_model import FaceModel, face_model
from .gaze import LOOK_CHANNELS, both_eyes, look_weights, settled_gaze, visible_share
from .identity import Calibration, RunningNeutral, told_share
from .likeness import Likeness, Watch, is_face
from .network import EyesSeen, FaceNetwork, Person, no_past
from .pose import HeadFit, HeadFitter
from .profile import Profile, check_name
from .ranges import BlinkRange
from .smoothing import Smoother
from .tuning import Tuner, TuningConfig

FORGET_S = 10.0
"""A performer who was away longer than this is somebody new."""
MIN_EXTENT = 1e-3
"""A face narrower or lower than this share of the picture has no shape to solve."""
_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


@dataclass(frozen=True, slots=True)
class SolverConfig:
    """How faces are solved."""

    vertical_fov_deg: float = 50.0
    """Assumed vertical field of view of the camera; decides how far away a head seems."""
    smoothing: float = 0.5
    """0 (off) to 1 (calmest)."""
    calibrate: str | float = "auto"
    """Where a person's neutral comes from: "auto" (found while running), "none" (everybody's mean), or
    that many seconds from when the face is first seen."""
    profile: str | None = None
    """The name of the first performer's profile (`solving.keeping`), which takes the place of calibration."""
    ranges: bool = False
    """Scale blinks up to how far this person's seem to go (`solving.ranges`): for lids that never quite close."""

    def __post_init__(self) -> None:
        if self.profile is not None:
            check_name(self.profile)
        if not 10 <= self.vertical_fov_deg <= 120:
            raise SettingError(f"vertical_fov_deg: expected 10 to 120 degrees, got {self.vertical_fov_deg}")
        if not 0 <= self.smoothing <= 1:
            raise SettingError(f"smoothing: expected 0 (off) to 1 (calmest), got {self.smoothing}")
        if isinstance(self.calibrate, str):
            if self.calibrate not in ("auto", "none"):
                raise SettingError(f'calibrate: expected "auto", "none" or seconds, got "{self.calibrate}"')
        else:
            check_seconds(self.calibrate)


def check_seconds(seconds: float) -> None:
    """Raise SettingError unless a calibration can last so long."""
    if not 0 < seconds <= 60:
        raise SettingError(f"calibrate: expected more than 0 and at most 60 seconds, got {seconds}")


@dataclass(slots=True)
class _Performer:
    """What is remembered about one performer."""

    running: RunningNeutral
    smoother: Smoother
    calibration: Calibration | None
    fixed_cm: Array | None
    """(478, 3) neutral from a calibration or a profile; None while it is estimated."""
    tuner: Tuner
    blinks: BlinkRange | None
    """None where nothing personal is to be learned."""
    watch: Watch | None = None
    """There while nothing says that this is whose neutral is known."""
    is_profiled: bool = False
    """The neutral is a stored one, which stays whoever comes."""
    person: Person | None = None
    """What the network knows of the neutral in force."""
    person_of: Array | None = None
    """The neutral, or the running estimate, that `person` was made of."""
    past: deque[EyesSeen] = field(default_factory=no_past)
    """Where the eyes were a moment ago."""
    angles_rad: Array = field(default_factory=lambda: np.zeros((2, 2)))
    """The last gaze before smoothing, held while the eyes are shut."""
    motion: Motion | None = None
    """The last motion while the face was seen."""

    def away_s(self, time_s: float) -> float:
        """How long ago the face was seen."""
        return 0.0 if self.motion is None else time_s - self.motion.time_s

    @property
    def is_doubtful(self) -> bool:
        """Whether this may be somebody else than whose calibration is known."""
        return self.watch is not None and not self.is_profiled


class LinearSolver:
    """Head pose by a rigid fit and its learned correction; expression and gaze by a small network.

    The same faces in the same order give the same motion, bit for bit: no clock is read, nothing is
    random. A face with landmarks that are not finite, or without extent, counts as not seen."""

    def __init__(
        self, config: SolverConfig | None = None, profile: Profile | None = None, model: FaceModel | None = None,
        tuning: TuningConfig | None = None,
    ) -> None:  # fmt: skip
        """`profile`, if given, is the neutral of every face and takes the place of calibration."""
        self._model = face_model() if model is None else model
        self._fitter = HeadFitter(self._model)
        self._network = FaceNetwork(self._model)
        self._mean_cm = self._model.neutral_cm.astype(np.float64)
        self._canonical_cm = self._model.canonical_cm.astype(np.float64)
        self._likeness = Likeness(self._model)
        self._profiles: dict[int | None, Profile] = {} if profile is None else {None: profile}
        self._performers: dict[int, _Performer] = {}
        self.on_news: Callable[[str, int], None] = lambda _what, _track_id: None
        """Called with "calibrated", "stranger" (no calibration is inherited) or "misfit" (a profile's), and whose."""
        self.tuning = TuningConfig()
        """The tuning in force."""
        self.configure(config or SolverConfig(), tuning)

    @property
    def config(self) -> SolverConfig:
        """The settings in force."""
        return self._config

    def configure(self, config: SolverConfig, tuning: TuningConfig | None = None) -> None:
        """Change settings while running. What is known of each person's neutral stays, unless `calibrate`
        changed; then everybody is looked at anew."""
        before = getattr(self, "_config", config)
        self._config = config
        if tuning is not None and tuning != self.tuning:
            self.tuning = tuning
            for performer in self._performers.values():
                performer.tuner = Tuner(tuning)
        for track_id, performer in self._performers.items():
            if config.smoothing != before.smoothing:
                performer.smoother = Smoother(config.smoothing)
            if config.calibrate != before.calibrate:
                performer.calibration, performer.fixed_cm = self._first_neutral(track_id)
                performer.blinks = None if config.calibrate == "none" else performer.blinks or BlinkRange()

    def calibrate(self, track_id: int | None = None, seconds: float = 1.0) -> None:
        """Take the next `seconds` of a performer, or of everybody who is known, as neutral."""
        check_seconds(seconds)
        for known_id, performer in self._performers.items():
            if track_id in (None, known_id):
                performer.calibration, performer.watch = Calibration(self._model, seconds), None

    @property
    def known(self) -> list[int]:
        """The track numbers of everybody whose neutral is remembered now."""
        return sorted(self._performers)

    def profile(self, track_id: int, name: str = "") -> Profile | None:
        """What is known of a performer's neutral now; None for a performer who was never seen."""
        performer = self._performers.get(track_id)
        if performer is None:
            return None
        reach = None if performer.blinks is None else performer.blinks.reach
        ranges = {} if reach is None else {"eyeBlink": reach}
        return Profile(name, self._neutral_cm(performer).astype(np.float32), ranges)

    def adopt(self, profile: Profile, track_id: int | None = None) -> None:
        """Use a stored neutral and ranges for a performer, or for everybody, now and later."""
        check_shape("neutral_cm", profile.neutral_cm, LANDMARKS, 3)
        self._profiles[track_id] = profile
        for known_id, performer in self._performers.items():
            if track_id in (None, known_id):
                performer.calibration, performer.fixed_cm = None, profile.neutral_cm.astype(np.float64)
                performer.blinks, performer.is_profiled = BlinkRange(profile.ranges.get("eyeBlink")), True
                performer.watch = Watch(self._likeness)

    def solve(self, faces: Sequence[Face], time_s: float) -> tuple[Motion, ...]:
        """The motion of every performer at this instant, in the order of their ids.

        Whoever was seen before and is not now is held, then eased to rest (`maths.easing`) with confidence
        0, and then no longer reported."""
        seen = {}
        for face in faces:
            head = self._fit(face)
            if head is not None:
                seen[face.track_id] = self._solve_face(face, head, time_s)
        motions = [*seen.values()]
        for track_id, performer in list(self._performers.items()):
            if track_id in seen or performer.motion is None:
                continue
            if time_s < performer.motion.time_s:  # the clock went back: lost since now
                performer.motion = replace(performer.motion, time_s=time_s)
            lost_for_s = time_s - performer.motion.time_s
            if lost_for_s > FORGET_S:
                del self._performers[track_id]
            elif lost_for_s <= HOLD_S + EASE_S:
                motions.append(_eased(performer.motion, time_s, lost_for_s))
        return tuple(sorted(motions, key=lambda motion: motion.track_id))

    def _fit(self, face: Face) -> HeadFit | None:
        landmarks = np.asarray(face.landmarks_norm)
        check_shape("landmarks_norm", landmarks, LANDMARKS, 3)
        axes = np.ascontiguousarray(landmarks.T)
        left, top, near = np.minimum.reduce(axes, 1).tolist()
        right, bottom, far = np.maximum.reduce(axes, 1).tolist()
        # One number that is not finite makes its axis' extent so.
        extent = min(right - left, bottom - top)
        if not (math.isfinite(right - left + bottom - top + far - near) and extent >= MIN_EXTENT):
            return None
        if face.presence < self.tuning.min_confidence:
            return None
        head = self._fitter.fit(landmarks, face.image_size_px, np.radians(self._config.vertical_fov_deg))
        return head if is_face(head.landmarks_cm, self._canonical_cm) else None

    def _solve_face(self, face: Face, head: HeadFit, time_s: float) -> Motion:
        performer = self._whose(face.track_id, head.landmarks_cm, time_s)
        self._learn_neutral(face.track_id, performer, head, time_s)
        person = self._person(performer)
        reading = self._network.read(head.landmarks_cm, head.rotation, person, performer.past, time_s)
        weights = reading.weights
        share = visible_share(weights[_BLINKS])
        angles_rad = both_eyes(settled_gaze(reading.gaze_rad))
        performer.angles_rad = performer.angles_rad + share * (angles_rad - performer.angles_rad)
        weights[LOOK_CHANNELS] = look_weights(performer.angles_rad)
        if performer.blinks is not None:
            on_own_scale = performer.blinks.apply(weights[_BLINKS])
            if self._config.ranges:
                weights[_BLINKS] = on_own_scale
        pose = self._fitter.pose(head, reading.turn_rad)
        smoothed = performer.smoother.step(pose, Gaze(performer.angles_rad), weights, time_s)
        confidence = max(1e-3, min(1.0, float(face.presence)))
        motion = Motion(time_s, face.track_id, *smoothed, confidence)
        performer.motion = performer.tuner.tuned(motion, weights, performer.angles_rad)
        return performer.motion

    def _whose(self, track_id: int, landmarks_cm: Array, time_s: float) -> _Performer:
        """The performer that this face is: the one known by this number, unless clearly somebody else has come."""
        performer = self._performers.get(track_id)
        if performer is None:
            performer = self._performers[track_id] = self._newcomer(track_id)
        elif performer.watch is None and performer.fixed_cm is not self._mean_cm and performer.away_s(time_s) > HOLD_S:
            performer.watch = Watch(self._likeness)
        if performer.watch is None:
            return performer
        watch = performer.watch
        verdict = watch.verdict(landmarks_cm, self._known_cm(performer), time_s)
        if verdict is not None:
            performer.watch = None
        if verdict == "stranger" and performer.is_profiled:
            self.on_news("misfit", track_id)
        elif verdict == "stranger":
            performer = self._performers[track_id] = self._newcomer(track_id)
            performer.running = watch.running
            self.on_news("stranger", track_id)
        return performer

    def _newcomer(self, track_id: int) -> _Performer:
        performer = _Performer(
            RunningNeutral(self._model), Smoother(self._config.smoothing), *self._first_neutral(track_id),
            Tuner(self.tuning), None if self._config.calibrate == "none" else BlinkRange(),
        )  # fmt: skip
        profile = self._profile_of(track_id)
        if profile is not None:
            performer.blinks, performer.is_profiled = BlinkRange(profile.ranges.get("eyeBlink")), True
            performer.watch = Watch(self._likeness)
        return performer

    def _profile_of(self, track_id: int) -> Profile | None:
        return self._profiles.get(track_id, self._profiles.get(None))

    def _first_neutral(self, track_id: int) -> tuple[Calibration | None, Array | None]:
        """How a new performer's neutral begins: a calibration under way, or a fixed neutral, or neither."""
        profile = self._profile_of(track_id)
        if profile is not None:
            return None, profile.neutral_cm.astype(np.float64)
        if self._config.calibrate == "none":
            return None, self._mean_cm
        if self._config.calibrate == "auto":
            return None, None
        return Calibration(self._model, float(self._config.calibrate)), None

    def _learn_neutral(self, track_id: int, performer: _Performer, head: HeadFit, time_s: float) -> None:
        if performer.is_doubtful:
            return
        if performer.calibration is not None and performer.calibration.is_over(time_s):
            performer.fixed_cm, performer.calibration = performer.calibration.result_cm(), None
            performer.watch = None
            self.on_news("calibrated", track_id)
        if performer.calibration is not None:
            performer.calibration.add(head.landmarks_cm, time_s)
        elif performer.fixed_cm is None:
            performer.running.add(head.landmarks_cm, time_s, told_share(head.rotation))

    def _neutral_cm(self, performer: _Performer) -> Array:
        """The neutral to solve with: for whoever may be a stranger, not the one that is known."""
        return performer.watch.running.neutral_cm if performer.is_doubtful else self._known_cm(performer)

    def _person(self, performer: _Performer) -> Person:
        """The same neutral as the network sees it."""
        running = performer.watch.running if performer.is_doubtful else performer.running
        is_running = performer.is_doubtful or (performer.calibration is None and performer.fixed_cm is None)
        known = running.identity if is_running else self._known_cm(performer)
        if performer.person is None or performer.person_of is not known:
            performer.person = self._network.person_of(known) if is_running else self._network.person(known)
            performer.person_of = known
        return performer.person

    def _known_cm(self, performer: _Performer) -> Array:
        if performer.calibration is not None:
            return performer.calibration.neutral_cm
        return performer.running.neutral_cm if performer.fixed_cm is None else performer.fixed_cm


def _eased(motion: Motion, time_s: float, lost_for_s: float) -> Motion:
    """The last motion of a lost face, on its way to rest: the head stays where it was."""
    share = presence_share(lost_for_s)
    return replace(
        motion,
        time_s=time_s,
        gaze=Gaze(motion.gaze.angles_rad * share),
        expression=Expression(motion.expression.weights * np.float32(share)),
        confidence=0.0,
    )
