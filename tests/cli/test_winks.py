"""Left and right through each file, by pictures: a wink of the subject's left eye closes the avatar's left eye."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from animator.channels import INDEX
from animator.config import Config, ShowConfig
from animator.data import Array, Expression, Motion
from animator.filming import Camera
from animator.pipeline import Moment
from animator.rigging.library import load_rig
from animator.takes import take_from_motions
from animator.takes.npz import save_takes
from animator.timing import Stopwatch

from ..test_exporting import keys_of

SIZE_PX = (320, 240)
FILES = {
    "npz": (), "csv": (), "json": (), "json as BEAT": ("--layout", "beat"), "glb": (), "vrma": (),
    "vrma with presets": ("--presets",),
}  # fmt: skip


@pytest.fixture(scope="module")
def camera() -> Iterator[Camera]:
    config = replace(Config(), show=ShowConfig(size_px=SIZE_PX))
    with closing(Camera(load_rig("human"), config, SIZE_PX, Stopwatch())) as made:
        yield made


def drawn(camera: Camera, motion: Motion) -> Array:
    motion = replace(motion, time_s=0.0)  # avatars breathe
    return camera.take(Moment(0.0, 0, None, (), (motion,))).astype(int)


def last_motion(path: Path) -> Motion:
    """The last frame of a file, as whoever reads it gets it."""
    if path.suffix in (".npz", ".csv", ".json"):
        from animator.sources import open_source

        *_, (motion,) = open_source(str(path))
        return motion
    weights = np.zeros(52, np.float32)
    for name, values in keys_of(path).items():
        morph = name.rpartition(".")[2]
        channel = {"blinkLeft": "eyeBlinkLeft", "blinkRight": "eyeBlinkRight"}.get(morph, morph[0].lower() + morph[1:])
        if channel in INDEX:
            weights[INDEX[channel]] = max(weights[INDEX[channel]], values.reshape(len(values), -1)[-1, 0])
    return Motion(0.0, 0, expression=Expression(weights))


@pytest.mark.parametrize("how", FILES)
@pytest.mark.parametrize(("channel", "on_the_right"), [("eyeBlinkLeft", True), ("eyeBlinkRight", False)])
def test_a_wink_stays_on_its_side(
    animator, camera: Camera, tmp_path: Path, how: str, channel: str, on_the_right: bool
) -> None:
    """The avatar faces us: its left eye is at the picture's right."""
    winking = [Motion(i / 30, 0, expression=Expression.of(**{channel: float(i > 0)})) for i in range(4)]
    save_takes(tmp_path / "wink.npz", [take_from_motions(winking, 30.0)])
    made = tmp_path / f"made.{how.partition(' ')[0]}"
    assert animator("convert", tmp_path / "wink.npz", made, *FILES[how]).code == 0
    where = np.abs(drawn(camera, last_motion(made)) - drawn(camera, Motion(0.0, 0))).max(2) > 24
    left, right = where[:, : SIZE_PX[0] // 2].sum(), where[:, SIZE_PX[0] // 2 :].sum()
    near, far = (right, left) if on_the_right else (left, right)
    assert near > 40
    assert near > 10 * far
