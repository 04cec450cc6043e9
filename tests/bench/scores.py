"""The evaluation sets and the pure functions that score a solver against their truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animator.channels import ARKIT, INDEX
from animator.data import Array

NEUTRAL_FRAMES = 20
"""Every take begins with this many neutral frames; scores are taken from the frames after them."""
ACTIVE_ABOVE, REST_BELOW = 0.1, 0.02
"""A channel is active where its truth is above the one, at rest where it is below the other."""
BLINK_AT = 0.5
SEEN = np.arange(len(ARKIT) - 1)
"""The 51 channels with a truth: all but tongueOut, which is the last."""


@dataclass(frozen=True, slots=True)
class EvalSet:
    """Takes one after another, N frames together: what the tracker saw and what was really done."""

    name: str
    lengths: Array
    """(T,) frames of each take."""
    landmarks_norm: Array
    """(N, 478, 3) float32 as in `Face`."""
    tracked: Array
    """(N,) bool."""
    weights: Array
    """(N, 52) float32 truth, order `channels.ARKIT`."""
    rotations: Array
    """(N, 3, 3) truth, camera_from_head."""
    gaze_rad: Array
    """(N, 2) truth of both eyes: yaw (+ subject's left), pitch (+ up)."""
    sizes_px: Array
    """(T, 2) width, height."""
    peer_weights: Array
    """(N, 52) MediaPipe's own blendshape scores in ARKit's order."""
    peer_rotations: Array
    """(N, 3, 3) from MediaPipe's own transformation matrix."""

    @property
    def take(self) -> Array:
        """(N,) which take each frame belongs to."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def frame(self) -> Array:
        """(N,) each frame's place in its take."""
        return np.concatenate([np.arange(n) for n in self.lengths])

    @property
    def scored(self) -> Array:
        """(N,) bool: after the neutral beginning, with a face."""
        return (self.frame >= NEUTRAL_FRAMES) & self.tracked


def load_eval_set(path: Path) -> EvalSet:
    """Read one of the evaluation files (their README describes the keys)."""
    with np.load(path, allow_pickle=False) as stored:
        # The steps are differences modulo 65536, so their sum must wrap in the same way.
        counts = np.cumsum(stored["landmark_steps"], 0, dtype=np.uint16)
        columns = [INDEX[str(name)] for name in stored["channels"]]
        weights = np.zeros((len(counts), len(ARKIT)), np.float32)
        weights[:, columns] = stored["weights"]
        peer = np.zeros_like(weights)
        # MediaPipe lists `_neutral`, then the channels in the order of the alphabet, as the truth does.
        peer[:, columns] = stored["mediapipe_scores"][:, 1:]
        return EvalSet(
            path.stem, stored["lengths"], counts * np.float32(1e-4) - np.float32(0.5), stored["tracked"], weights,
            stored["rotation"].astype(np.float64), np.radians(stored["gaze"]), stored["size"], peer,
            stored["mediapipe_matrix"][:, :3, :3].astype(np.float64),
        )  # fmt: skip


def neutral_subtracted(weights: Array, lengths: Array) -> Array:
    """Each take's mean over its neutral frames taken off, clipped to 0..1; (N, 52)."""
    out, start = np.empty_like(weights), 0
    for n in lengths:
        take = weights[start : start + n]
        out[start : start + n] = np.clip(take - take[:NEUTRAL_FRAMES].mean(0), 0, 1)
        start += n
    return out


def correlation(solved: Array, truth: Array) -> float:
    """Mean over the channels of Pearson's correlation, each over all frames given at once.

    Channels whose truth does not vary are skipped; a channel that varies in truth but not in the answer
    counts as 0."""
    solved, truth = solved[:, SEEN].astype(np.float64), truth[:, SEEN].astype(np.float64)
    varies = truth.std(0) > 1e-6
    a, b = (solved - solved.mean(0))[:, varies], (truth - truth.mean(0))[:, varies]
    scale = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return float(np.where(scale > 1e-9, (a * b).sum(0) / np.maximum(scale, 1e-9), 0.0).mean())


def error(solved: Array, truth: Array) -> float:
    """Mean absolute error over frames and channels."""
    return float(np.abs(solved[:, SEEN] - truth[:, SEEN]).mean())


def error_where(solved: Array, truth: Array, chosen: Array) -> float:
    """Mean over the channels of the absolute error on the `chosen` frames of each; channels without any
    are skipped.

    chosen : (N, 52) bool"""
    miss, chosen = np.abs(solved - truth)[:, SEEN], chosen[:, SEEN]
    count = chosen.sum(0)
    return float(((miss * chosen).sum(0)[count > 0] / count[count > 0]).mean())


def blink_f1(solved: Array, truth: Array) -> float:
    """F1 of `eyeBlink` being above 0.5, frame by frame, each eye counted."""
    eyes = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
    said, was = solved[:, eyes] > BLINK_AT, truth[:, eyes] > BLINK_AT
    return float(2 * (said & was).sum() / max(1, said.sum() + was.sum()))


def rotation_errors_deg(solved: Array, truth: Array, lengths: Array) -> Array:
    """Angle between solved and true rotation after removing each take's mean offset.

    solved, truth : (N, 3, 3) camera_from_head; the offset is the mean over the take's neutral frames of
                    head_solved_from_head_true, as the zero of the head is a matter of definition
    returns       : (N,) degrees"""
    out, start = [], 0
    for n in lengths:
        mine, real = solved[start : start + n], truth[start : start + n]
        u, _, vt = np.linalg.svd((np.swapaxes(mine, 1, 2) @ real)[:NEUTRAL_FRAMES].mean(0))
        left_over = np.swapaxes(mine @ (u @ vt), 1, 2) @ real
        cosine = np.clip((np.trace(left_over, axis1=1, axis2=2) - 1) / 2, -1, 1)
        out.append(np.degrees(np.arccos(cosine)))
        start += n
    return np.concatenate(out)


def gaze_errors_deg(solved_rad: Array, truth_rad: Array) -> Array:
    """Length of the (yaw, pitch) difference of the mean of both eyes.

    solved_rad : (N, 2, 2) left, right eye
    truth_rad  : (N, 2)
    returns    : (N,) degrees"""
    return np.degrees(np.linalg.norm(solved_rad.mean(1) - truth_rad, axis=1))
