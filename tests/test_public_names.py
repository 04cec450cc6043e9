"""What users import is listed, sorted, documented and cheap to ask for."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import animator


def test_names_are_listed_once_and_sorted() -> None:
    assert animator.__all__ == sorted(set(animator.__all__))
    assert set(animator.__all__) == set(animator._HOMES)


@pytest.mark.parametrize("name", animator.__all__)
def test_each_name_is_there_and_documented(name: str) -> None:
    value = getattr(animator, name)
    assert not (inspect.isclass(value) or inspect.isfunction(value)) or inspect.getdoc(value)


def test_no_public_name_is_unlisted() -> None:
    public = {n for n, v in vars(animator).items() if n[0] != "_" and not inspect.ismodule(v)}
    assert public - {"TYPE_CHECKING", "annotations"} <= set(animator.__all__)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = animator.nothing


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from animator.cli import app; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("numpy", "cv2", "mediapipe", "vtkmodules", "pyvista", "av", "scipy", "aiortc"):
        assert f"'{heavy}'" not in loaded
