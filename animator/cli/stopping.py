"""How the program is asked to stop: by Ctrl-C, or by a service manager."""

from __future__ import annotations

import signal
from types import FrameType

LOADER = "<frozen importlib"
AGAIN_S = 0.05


def stop_in_order() -> None:
    """From now on both raise KeyboardInterrupt on the main thread, so that files are finished the same way.

    Not while a library is being loaded, though: VTK's crash where that is broken off in the middle, or say later that
    something is missing. The interrupt then comes as soon as they are there."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _stop)


def _stop(_number: int, frame: FrameType | None) -> None:
    if _is_loading(frame) and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        return
    raise KeyboardInterrupt


def _is_loading(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(LOADER):
            return True
        frame = frame.f_back
    return False
