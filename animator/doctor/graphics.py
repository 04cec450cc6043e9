"""Drawing: the libraries that can do it, the one that does, and how fast."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

from .findings import Finding
from .machine import has_library

GL_TIMEOUT_S = 120.0
SLOW_MS = 40.0
"""A frame of 640x480: beyond it there are fewer than 25 a second, whatever else is fast."""

# In a process of its own: a driver that crashes takes that one down, and the report still comes.
_PROBE = """
import sys, time
from animator.errors import AnimatorError
from animator.rendering.opengl import open_plotter
try:
    plotter = open_plotter((64, 64), off_screen=True)
    plotter.set_background((1.0, 0.0, 0.0))
    window = plotter.render_window
    window.Render()
    red = plotter.screenshot(return_img=True)
    if not (red[..., 0] > 250).all():
        sys.exit("it draws, but the picture read back is wrong: update the graphics driver, or install libosmesa6")
    said = window.ReportCapabilities().splitlines()
    names = [line.split(":", 1)[1].strip() for line in said if "renderer string" in line]
    kind = window.GetClassName().removeprefix("vtk").removesuffix("RenderWindow").removesuffix("OpenGL")
    print(kind, *names, sep=": ", flush=True)
    plotter.close()
    from animator.data import Motion
    from animator.rendering.renderer import Renderer
    from animator.rendering.scene import Appearance
    from animator.rigging.deform import Deformer
    from animator.rigging.library import load_rig
    rig = load_rig(sys.argv[1])
    deformer, renderer, spent = Deformer(rig), Renderer(rig, (640, 480)), []
    for number in range(13):
        motion = Motion(number / 30, 0)
        start_s = time.perf_counter()
        renderer.draw("avatar", None, [Appearance(0, deformer.deform(motion), motion.pose)])
        spent.append(time.perf_counter() - start_s)
    print(1000 * sorted(spent[3:])[5])
except AnimatorError as error:
    sys.exit(str(error))
"""


def libraries(is_there: Callable[[str], bool] = has_library) -> Iterator[Finding]:
    """Which ways there are to OpenGL without a window."""
    if not sys.platform.startswith("linux"):
        return
    ways = {"EGL": ("libEGL.so.1",), "OSMesa": ("libOSMesa.so.8", "libOSMesa.so.6"), "GLES": ("libGLESv2.so.2",)}
    here = [way for way, names in ways.items() if any(is_there(name) for name in names)]
    missing = ", ".join(way for way in ways if way not in here)
    detail = f"{', '.join(here) or 'none'} found" + (f"; no {missing}" if missing else "")
    if "EGL" in here or "OSMesa" in here:
        yield Finding("ways to OpenGL", "ok", detail)
    else:
        yield Finding("ways to OpenGL", "bad", detail, "apt-get install libegl1 libgl1-mesa-dri, or libosmesa6")


def drawing(rig: str | None, probe: Sequence[str] = (sys.executable, "-c", _PROBE)) -> Iterator[Finding]:
    """Draw a picture and read it back, then the avatar some times."""
    remedy = "apt-get install libegl1 libgl1-mesa-dri, or libosmesa6"
    try:
        done = subprocess.run(
            [*probe, rig or "human"], capture_output=True, text=True, timeout=GL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        yield Finding("OpenGL", "bad", f"no picture within {GL_TIMEOUT_S:.0f} s", "update the graphics driver")
        return
    renderer, *figures = done.stdout.splitlines() or [""]
    said = done.stderr.strip().splitlines()
    reason = said[-1] if said else f"the test drawing ended with code {done.returncode}"
    if not renderer:
        yield Finding("OpenGL", "bad", reason, remedy)
        return
    yield Finding("OpenGL", "ok", renderer)
    if done.returncode or not figures:
        yield Finding("drawing", "bad", reason, "animator run --rig human; update the graphics driver")
        return
    spent_ms = float(figures[-1])
    detail = f"{rig or 'human'} in 640x480: {spent_ms:.1f} ms a frame"
    if spent_ms > SLOW_MS:
        yield Finding("drawing", "warn", detail, "a smaller --size, or a machine with a graphics card")
    else:
        yield Finding("drawing", "ok", detail)
