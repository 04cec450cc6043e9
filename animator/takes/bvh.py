"""The head's and the eyes' motion as BVH, which nearly every 3D program reads. It has no place for expressions.

Y up, facing +z, centimetres, degrees. The root moves with the head's place (from where the take begins) and does not
turn; `Head` turns, and the eyes turn in it. Angles are in the order that they are applied: R = Rz @ Rx @ Ry.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..data import Array
from ..errors import TakeError
from ..maths.rotations import matrix_from_wxyz
from .editing import resampled
from .files import written_beside
from .live_link_csv import eye_matrices
from .take import Take

_HIERARCHY = """HIERARCHY
ROOT Neck
{
  OFFSET 0 0 0
  CHANNELS 3 Xposition Yposition Zposition
  JOINT Head
  {
    OFFSET 0 8 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT LeftEye
    {
      OFFSET 3.2 4 7
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 0 0 2
      }
    }
    JOINT RightEye
    {
      OFFSET -3.2 4 7
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 0 0 2
      }
    }
  }
}
"""


def save_bvh(path: Path, take: Take) -> None:
    """Write one performer's head and eyes, at the take's nominal rate."""
    if not len(take):
        raise TakeError(f"cannot write {path}: the take has no frames")
    take = resampled(take, take.fps)
    turns = [matrix_from_wxyz(take.rotations_wxyz), *eye_matrices(take)]
    columns = [take.translations_cm - take.translations_cm[0], *(_zxy_deg(turn) for turn in turns)]
    rows = np.concatenate(columns, axis=1)
    form = " ".join(["%.6f"] * rows.shape[1]) + "\n"
    with written_beside(path) as scratch, scratch.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"{_HIERARCHY}MOTION\nFrames: {len(take)}\nFrame Time: {1 / take.fps:.9f}\n")
        file.writelines(form % tuple(row) for row in rows.tolist())


def _zxy_deg(matrix: Array) -> Array:
    """(N, 3, 3) -> (N, 3) degrees about z, x, y of R = Rz @ Rx @ Ry."""
    x = np.arcsin(np.clip(matrix[:, 2, 1], -1, 1))
    z = np.arctan2(-matrix[:, 0, 1], matrix[:, 1, 1])
    y = np.arctan2(-matrix[:, 2, 0], matrix[:, 2, 2])
    return np.degrees(np.stack([z, x, y], axis=1))
