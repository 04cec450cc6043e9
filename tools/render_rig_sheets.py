"""Draw the rigs' pictures for the docs: at rest, twelve expressions, all 52 channels, a turntable, and for choosers.

python -m tools.render_rig_sheets [--rig human,robot] [--out docs/images] [--only rest,channels]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from animator.channels import ARKIT
from animator.data import Array, Expression, Gaze, HeadPose, Motion
from animator.maths.rotations import matrix_from_yaw_pitch_roll, wxyz_from_matrix
from animator.rendering.backdrop import Background
from animator.rendering.framing import Framing
from animator.rendering.renderer import Renderer
from animator.rendering.scene import Appearance
from animator.resources import rigs_folder
from animator.rig import Rig
from animator.rigging.deform import Deformer
from animator.rigging.library import known_rigs, load_rig

BACKGROUND = Background((0.90, 0.925, 0.95), (0.90, 0.925, 0.95))
OVERSAMPLING = 2


def both(**weights: float) -> dict[str, float]:
    """Weights for both sides: `both(mouthSmile=1)`."""
    return {name + side: weight for name, weight in weights.items() for side in ("Left", "Right")}


EXPRESSIONS: dict[str, tuple[dict[str, float], tuple[float, float]]] = {
    # label: channels, gaze (yaw to the subject's left, pitch up) in degrees
    "rest": ({}, (0, 0)),
    "smile": (both(mouthSmile=0.8, cheekSquint=0.5, eyeSquint=0.3), (0, 0)),
    "laugh": (both(mouthSmile=0.9, cheekSquint=0.8, eyeSquint=0.7, mouthUpperUp=0.35) | {"jawOpen": 0.55}, (0, 0)),
    "blink": (both(eyeBlink=1.0), (0, 0)),
    "wink left": ({"eyeBlinkLeft": 1.0, "mouthSmileLeft": 0.6, "cheekSquintLeft": 0.7}, (0, 0)),
    "surprise": (both(eyeWide=1.0, browOuterUp=0.9) | {"browInnerUp": 0.9, "jawOpen": 0.5, "mouthFunnel": 0.2}, (0, 0)),
    "angry": (both(browDown=1.0, noseSneer=0.6, eyeSquint=0.4, mouthFrown=0.4, mouthPress=0.6), (0, 0)),
    "sad": (both(mouthFrown=0.9, eyeLookDown=0.4) | {"browInnerUp": 1.0, "mouthShrugLower": 0.5}, (0, -14)),
    "kiss": ({"mouthPucker": 1.0}, (0, 0)),
    "“oh”": ({"mouthFunnel": 0.9, "jawOpen": 0.35}, (0, 0)),
    "look left": ({"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8}, (28, 0)),
    "look up right": ({"eyeLookInLeft": 0.6, "eyeLookOutRight": 0.6} | both(eyeLookUp=0.6), (-20, 16)),
}  # fmt: skip


class Studio:
    """One rig as the program itself draws it, at twice the size and then shrunk."""

    def __init__(
        self, rig: Rig, size_px: tuple[int, int], framing: Framing, background: Background = BACKGROUND
    ) -> None:
        self._size_px, self._deformer = size_px, Deformer(rig)
        width, height = size_px
        self._renderer = Renderer(rig, (width * OVERSAMPLING, height * OVERSAMPLING), background)
        self._renderer.scene.framing = framing

    def draw(self, motion: Motion) -> Array:
        """(H, W, 3) uint8."""
        big = self._renderer.draw("avatar", None, [Appearance(0, self._deformer.deform(motion), motion.pose)])
        return cv2.resize(big, self._size_px, interpolation=cv2.INTER_AREA)


def motion_of(weights: dict[str, float], gaze_degrees: tuple[float, float] = (0, 0), yaw_degrees: float = 0) -> Motion:
    """A motion from channel weights, one gaze for both eyes, and a turn of the head."""
    rotation = wxyz_from_matrix(matrix_from_yaw_pitch_roll(np.radians([yaw_degrees, 0, 0])))
    pose = HeadPose(rotation, np.array([0.0, 0.0, -60.0]))
    gaze = Gaze(np.tile(np.radians(gaze_degrees), (2, 1)))
    return Motion(0.0, 0, pose, gaze, Expression.of(**weights))


def gaze_of(channel: str) -> tuple[float, float]:
    """Where the eyes look, degrees, while a look channel is at 1."""
    for word, angles in (("LookUp", (0, 20)), ("LookDown", (0, -20)), ("LookIn", (-25, 0)), ("LookOut", (25, 0))):
        if word in channel:
            return (angles[0] * (1 if channel.endswith("Left") else -1), angles[1])
    return (0, 0)


def labelled(picture: Array, label: str) -> Array:
    """The picture with a line of text below."""
    strip = np.full((26, picture.shape[1], 3), 255, np.uint8)
    plain = label.replace("“", '"').replace("”", '"')
    scale = 0.48
    width = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0]
    at = ((picture.shape[1] - width) // 2, 17)
    cv2.putText(strip, plain, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (50, 55, 60), 1, cv2.LINE_AA)
    return np.concatenate([picture, strip])


def grid(pictures: list[Array], columns: int) -> Array:
    """Pictures of one size side by side, row by row."""
    blank = np.full_like(pictures[0], 255)
    pictures = pictures + [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], 1) for i in range(0, len(pictures), columns)]
    return np.concatenate(rows)


def save(path: Path, picture: Array, step: int = 4) -> None:
    """Write a PNG whose colours are rounded to steps, which halves its size and is not seen on plain ground."""
    quantised = (picture.astype(np.int16) // step * step + step // 2).clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(path), cv2.cvtColor(quantised, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


SHEETS = {"human": "rest,expressions,channels,turntable,picture", "mask": "expressions,picture",
          "robot": "expressions,channels,picture"}  # fmt: skip
"""What is drawn of each rig unless --only says."""


def draw_sheets(name: str, wanted: list[str], folder: Path) -> None:
    """Draw some sheets of one rig; only the human's do not carry its name."""
    rig, known = load_rig(name), name in known_rigs()
    stem = "rig" if name == "human" else f"rig-{rig.name}"
    bust, face = Framing((0, -2.5, 0), 39), Framing((0, 0.3, 0), 27)
    if "rest" in wanted:
        save(folder / f"{stem}-rest.png", Studio(rig, (640, 720), bust).draw(motion_of({})))
    if "picture" in wanted and known:
        smiling = motion_of(both(mouthSmile=0.6, cheekSquint=0.3), yaw_degrees=12)
        save(rigs_folder() / name / "picture.png", Studio(rig, (640, 480), Framing(), Background()).draw(smiling))
    if "expressions" in wanted:
        studio = Studio(rig, (236, 270), face)
        cells = [labelled(studio.draw(motion_of(*acted)), label) for label, acted in EXPRESSIONS.items()]
        save(folder / f"{stem}-expressions.png", grid(cells, 4))
    if "channels" in wanted:
        studio = Studio(rig, (170, 190), Framing((0, 0.3, 0), 24))
        cells = [labelled(studio.draw(motion_of({name: 1.0}, gaze_of(name))), name) for name in ARKIT]
        save(folder / f"{stem}-channels.png", grid(cells, 9))
    if "turntable" in wanted:
        studio = Studio(rig, (230, 300), bust)
        turned = [(studio.draw(motion_of({}, yaw_degrees=yaw)), f"{yaw:+d} degrees") for yaw in (-60, -30, 0, 30, 60)]
        save(folder / f"{stem}-turntable.png", grid([labelled(*cell) for cell in turned], 5))


def main() -> None:
    """Draw the sheets that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rig", default=",".join(SHEETS), help="one or several, with commas between")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "docs" / "images")
    parser.add_argument("--only", help="rest, expressions, channels, turntable, picture; several with commas between")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.rig.split(","):
        draw_sheets(name, (args.only or SHEETS.get(name, SHEETS["human"])).split(","), args.out)


if __name__ == "__main__":
    main()
