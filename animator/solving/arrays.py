"""Reading named arrays from an `.npz` file that may be damaged or something else altogether."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..data import Array


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, Array]:
    """The arrays by those names; raises OSError or ValueError, with a reason that fits in one line.

    The file is opened here, so that it is closed whatever is wrong with it; nothing is unpickled."""
    with path.open("rb") as file:
        try:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is no .npz archive")
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in names}
        except KeyError as error:
            raise ValueError(f"it lacks {error}") from error
        except (EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise ValueError(" ".join(str(error).split())) from error
