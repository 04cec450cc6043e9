from __future__ import annotations

from pathlib import Path

import pytest

from animator.config import Config, ShowConfig, config_from_toml, size_from_text
from animator.errors import SettingError
from animator.tracking.config import TrackingConfig


def write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, "utf-8")
    return path


def test_what_is_not_named_keeps_its_default(tmp_path: Path) -> None:
    config = config_from_toml(write(tmp_path, '[tracking]\nfaces = 3\n[show]\nview = "mask"\nsize_px = [320, 240]\n'))
    assert config.tracking == TrackingConfig(faces=3)
    assert config.show == ShowConfig(view="mask", size_px=(320, 240))
    assert config.solving == Config().solving


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tracking]\nfaces = 9\n", "faces: wanted 1 to 8, got 9"),
        ("[tracking]\nface = 1\n", "has no `face`"),
        ("[trackin]\n", r"unknown table \[trackin\]"),
        ("faces = 1\n", "unknown table"),
        ("[tracking\n", "cannot read the settings"),
        ("[tracking]\nfaces = 'two'\n", "faces: wanted a whole number, got 'two'"),
        ("[tracking]\nfaces = 2.5\n", "faces: wanted a whole number, got 2.5"),
        ("[show]\nrig = 5\n", "rig: wanted a text, got 5"),
        ("[show]\nmirror = 'no'\n", "mirror: wanted true or false, got 'no'"),
        ("[show]\nsize_px = [640]\n", r"size_px: wanted \[a whole number, a whole number\]"),
        ("[solving]\ncalibrate = true\n", "calibrate: wanted a text or a number, got True"),
        ("[tracking]\ndetection_confidence = 1.5\n", "from 0 to 1, got 1.5"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        config_from_toml(write(tmp_path, text))


def test_sizes() -> None:
    assert size_from_text("1280x720") == (1280, 720)
    for bad in ("1280", "ax3", "1280x", "-1x5"):
        with pytest.raises(SettingError, match="WIDTHxHEIGHT"):
            size_from_text(bad)
    with pytest.raises(SettingError, match="from 16 to 8192"):
        ShowConfig(size_px=(4, 4))
