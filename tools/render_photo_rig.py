"""Draw `docs/images/rig-photo.png`: a portrait and the avatar made of it, at rest, smiling, turned.

python -m tools.render_photo_rig [PHOTO] [--out FILE]

Without a photo it is NASA's portrait of Eileen Collins (public domain), which scikit-image carries.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np

from animator.data import Array
from animator.photo.making import rig_from_photo
from animator.rendering.framing import Framing
from animator.rigging.library import load_rig
from animator.sources.images import ImageSource
from tools.render_rig_sheets import Studio, both, grid, labelled, motion_of, save

SIDE = 300
ACTED = (
    ("at rest", {}, 0),
    ("smiling", both(mouthSmile=0.75, cheekSquint=0.4, eyeSquint=0.2), 0),
    ("turned", both(mouthSmile=0.3), 35),
    ("blinking", both(eyeBlink=1.0), -20),
    ("surprised", both(eyeWide=0.7, browOuterUp=0.8) | {"browInnerUp": 0.8, "jawOpen": 0.45}, 0),
)


def nasa_portrait(folder: Path) -> Path:
    """Write the portrait out of scikit-image into a folder."""
    from skimage import data

    path = folder / "astronaut.png"
    cv2.imwrite(str(path), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    return path


def head_in(rgb: Array, landmarks_px: Array) -> Array:
    """(SIDE, SIDE, 3) the head in a photo, as large as the avatar's beside it."""
    middle, reach = landmarks_px[:468].mean(0), 0.88 * np.ptp(landmarks_px[:468], axis=0).max()
    x, y = np.maximum(np.round(middle - reach - [0, 0.12 * reach]), 0).astype(int)
    part = rgb[y : y + round(2 * reach), x : x + round(2 * reach)]
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def landmarks_of(rgb: Array) -> Array:
    """(478, 2) pixels of the largest face."""
    from animator.data import Frame
    from animator.tracking.config import TrackingConfig
    from animator.tracking.model import find_or_fetch_model
    from animator.tracking.opening import open_tracker

    return open_tracker(find_or_fetch_model(), TrackingConfig()).track(Frame(rgb, 0.0, 0))[0].landmarks_px


def main() -> None:
    """Make the avatar in a scratch folder and draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path)
    images = Path(__file__).resolve().parents[1] / "docs" / "images"
    parser.add_argument("--out", type=Path, default=images / "rig-photo.png")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        photo = args.photo or nasa_portrait(Path(scratch))
        rig_from_photo(photo, Path(scratch) / "avatar", largest=True, tell=print)
        studio = Studio(load_rig(Path(scratch) / "avatar"), (SIDE, SIDE), Framing((0, 0.6, 0), 30))
        rgb = next(iter(ImageSource(photo))).rgb
        cells = [labelled(head_in(rgb, landmarks_of(rgb)), "the photo")]
        cells += [labelled(studio.draw(motion_of(acted, yaw_degrees=yaw)), label) for label, acted, yaw in ACTED]
    save(args.out, grid(cells, 3))


if __name__ == "__main__":
    main()
