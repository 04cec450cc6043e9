"""Opening OpenGL: with or without a window, on a graphics card or in software, or one clear error."""

from __future__ import annotations

import os

import pyvista as pv

from ..errors import RenderError
from ..quiet import quiet_stderr
from . import vtk, x_server

_REMEDY = (
    "install libEGL (Debian and Ubuntu: apt-get install libegl1 libgl1-mesa-dri) or OSMesa (libosmesa6); "
    "`animator doctor` tells more"
)
NO_OPENGL = f"there is no OpenGL to draw with: {_REMEDY}"
NO_SUCH_OPENGL = f"there is no OpenGL to draw with by {{}}: unset it, or {_REMEDY}"
NO_DISPLAY = (
    "the display {!r} does not answer, so no window can be opened: start it, correct or unset DISPLAY, "
    "or use --out FILE to make a video instead"
)
CHOOSERS = ("VTK_DEFAULT_OPENGL_WINDOW", "VTK_EGL_DEVICE_INDEX", "LIBGL_DRIVERS_PATH",
            "__EGL_VENDOR_LIBRARY_DIRS", "__EGL_VENDOR_LIBRARY_FILENAMES")  # fmt: skip
"""Settings by which somebody may have chosen a way to OpenGL that is not here."""
SAMPLES = 4
"""Anti-aliasing samples a pixel on a graphics card."""


def open_plotter(size_px: tuple[int, int], *, off_screen: bool, title: str = "animator") -> pv.Plotter:
    """A PyVista plotter whose window is open and empty; raises RenderError without OpenGL or, on screen, a display."""
    # VTK reports on its own log otherwise, and a missing library is ours to tell in one line.
    vtk.vtkObject.GlobalWarningDisplayOff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    with quiet_stderr():  # Mesa tells of every driver that it looks for in vain
        plotter = pv.Plotter(off_screen=off_screen, window_size=size_px, lighting="none", title=title)
        plotter.disable_anti_aliasing()
        problem = _problem(plotter.render_window, off_screen)
    if problem is not None:
        plotter.close()
        raise RenderError(problem)
    x_server.watch(plotter.render_window)
    # In software, 640x480 with 4 samples a pixel costs 3x as much as with one; a graphics card does not notice.
    plotter.render_window.SetMultiSamples(0 if is_software(plotter.render_window) else SAMPLES)
    return plotter


def is_software(window: vtk.vtkRenderWindow) -> bool:
    """True if OpenGL is computed by the processor."""
    capabilities = window.ReportCapabilities().lower()
    return any(name in capabilities for name in ("llvmpipe", "softpipe", "swrast", "swiftshader", "software"))


def _problem(window: vtk.vtkRenderWindow, off_screen: bool) -> str | None:
    """What keeps a window from drawing. VTK itself says that all is well and crashes later on:
    without OpenGL in the first render, without an X server in the first look at the keys."""
    window.Initialize()
    if window.GetGenericContext() is None:
        chosen = [f"{name}={os.environ[name]}" for name in CHOOSERS if os.environ.get(name)]
        return NO_SUCH_OPENGL.format(" and ".join(chosen)) if chosen else NO_OPENGL
    if not off_screen and window.GetGenericWindowId() is None:
        return NO_DISPLAY.format(os.environ.get("DISPLAY", ""))
    return None
