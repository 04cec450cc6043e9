"""animator: a face in a picture drives a 3D avatar.

    with animator.open_performance("clip.mp4") as performance:
        for moment in performance:
            for motion in moment.motions:
                print(moment.time_s, motion.expression["jawOpen"])

Names are looked up on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "ARKIT": "channels",
    "AnimatorError": "errors",
    "Config": "config",
    "Expression": "data",
    "Face": "data",
    "Frame": "data",
    "Gaze": "data",
    "HeadPose": "data",
    "Moment": "pipeline",
    "Motion": "data",
    "Performance": "pipeline",
    "ShowConfig": "config",
    "SolverConfig": "solving.solver",
    "Take": "takes.take",
    "TrackingConfig": "tracking.config",
    "TuningConfig": "solving.tuning",
    "film": "filming",
    "known_rigs": "rigging.library",
    "load_rig": "rigging.library",
    "load_takes": "takes.npz",
    "open_performance": "pipeline",
    "open_sink": "filming",
    "open_source": "sources.opening",
    "save_takes": "takes.npz",
}

__all__ = [
    "ARKIT",
    "AnimatorError",
    "Config",
    "Expression",
    "Face",
    "Frame",
    "Gaze",
    "HeadPose",
    "Moment",
    "Motion",
    "Performance",
    "ShowConfig",
    "SolverConfig",
    "Take",
    "TrackingConfig",
    "TuningConfig",
    "film",
    "known_rigs",
    "load_rig",
    "load_takes",
    "open_performance",
    "open_sink",
    "open_source",
    "save_takes",
]

if TYPE_CHECKING:
    from .channels import ARKIT
    from .config import Config, ShowConfig
    from .data import Expression, Face, Frame, Gaze, HeadPose, Motion
    from .errors import AnimatorError
    from .filming import film, open_sink
    from .pipeline import Moment, Performance, open_performance
    from .rigging.library import known_rigs, load_rig
    from .solving.solver import SolverConfig
    from .solving.tuning import TuningConfig
    from .sources.opening import open_source
    from .takes.npz import load_takes, save_takes
    from .takes.take import Take
    from .tracking.config import TrackingConfig


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'animator' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
