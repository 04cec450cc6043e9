"""When the X server goes: Xlib ends the program then and there, whatever is half written. Here it is finished first.

Xlib can be kept from ending the program, but then it comes back into OpenGL with sizes that were never set: Mesa's
software OpenGL broke its stack in 2 of 34 tries. So nothing is drawn any more and the program ends, but in order."""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from ..errors import AnimatorError

if TYPE_CHECKING:
    from . import vtk

log = logging.getLogger("animator")

GONE = (
    "the display {!r} has gone: its X server ended, or the window was killed; "
    "with DISPLAY unset all but windows is drawn without one"
)
EXIT_CODE = 2
_Finish = Callable[[], object]
_finishing: list[_Finish] = []
"""What is under way, the innermost last: a process has one handler for all of its X connections."""


@contextmanager
def finishing(finish: _Finish) -> Iterator[None]:
    """Should the display go meanwhile, `finish` is called, on the thread that draws, and then those around it; after
    that the program ends. So `finish` must neither draw nor close what draws."""
    _finishing.append(finish)
    try:
        yield
    finally:
        _finishing.remove(finish)


def watch(window: vtk.vtkRenderWindow) -> None:
    """Have the program end in order once the display of an open window goes. Windows by other ways have none."""
    if window.IsA("vtkXOpenGLRenderWindow"):
        _install()


@cache
def _install() -> None:
    try:
        library = ctypes.CDLL("libX11.so.6")
    except OSError:  # another name than VTK loads it by: Xlib does as it likes
        return
    library.XSetIOErrorHandler(_gone)
    atexit.register(library.XSetIOErrorHandler, None)  # nothing of ours is called once Python takes itself down


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
def _gone(_display: int) -> int:
    """Xlib's last call; never returns."""
    try:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):  # a desktop that ends says so, too: we are at it
                signal.signal(number, signal.SIG_IGN)
        for finish in reversed(_finishing.copy()):
            _finish(finish)
        log.error(GONE.format(os.environ.get("DISPLAY", "")))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(EXIT_CODE)


def _finish(finish: _Finish) -> None:
    try:
        finish()
    except AnimatorError as error:
        log.error("%s", error)
    except Exception:
        log.exception("not finished")
