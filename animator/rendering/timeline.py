"""A time line along the bottom of a window: where the take is, its in and out points, and a hand to move them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..data import Array
from . import vtk
from .window import ACCENT, INK, PAPER, Window

HEIGHT_PX = 64
SIDE_PX = 20
TRACK_PX = (24, 44)
"""From where to where, above the window's bottom, the track goes."""
NEAR_PX = 8
"""So near to an in or out point, below the track, a press takes hold of it."""
TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
FEWEST_PX = 70
"""Between two figures."""
DIM, LOST = (0.24, 0.28, 0.33), (0.45, 0.30, 0.28)


class TimeLine:
    """Draws itself above a window's picture and tells what the mouse does to it.

    duration_s : of the take
    lively     : (N,) 0..1, how much goes on in each part of the take, for people to find their way
    lost       : (N,) bool, where no face was seen
    seek, set_in, set_out : called with seconds while the mouse drags"""

    def __init__(
        self,
        window: Window,
        duration_s: float,
        lively: Array,
        lost: Array,
        seek: Callable[[float], None],
        set_in: Callable[[float], None],
        set_out: Callable[[float], None],
    ) -> None:
        self._window, self._duration_s, self._lively, self._lost = window, duration_s, lively, lost
        self._acts = {"seek": seek, "in": set_in, "out": set_out}
        self._held: str | None = None
        self._in_s, self._out_s, self._size_px = 0.0, duration_s, (0, 0)
        renderer = window.controls
        self._ground = _Boxes(renderer, PAPER, 0.72)
        self._track = _Boxes(renderer, DIM)
        self._curve = _Boxes(renderer, (0.50, 0.56, 0.63))
        self._gaps = _Boxes(renderer, LOST)
        self._chosen = _Boxes(renderer, ACCENT, 0.28)
        self._ends = _Boxes(renderer, ACCENT)
        self._head = _Boxes(renderer, INK)
        self._figures: list[vtk.vtkTextActor] = []
        for event, heard in (
            ("LeftButtonPressEvent", self._press),
            ("MouseMoveEvent", self._move),
            ("LeftButtonReleaseEvent", self._release),
        ):
            window.interactor.AddObserver(event, heard)

    @property
    def is_held(self) -> bool:
        """Whether the mouse has hold of it."""
        return self._held is not None

    def show(self, position_s: float, in_s: float, out_s: float) -> None:
        """Set what the next drawing shows."""
        size_px = self._window.size_px
        self._in_s, self._out_s = in_s, out_s
        if size_px != self._size_px:
            self._size_px = size_px
            self._lay_out()
        low, high = TRACK_PX
        x, x_in, x_out = (self._x_of(t) for t in (position_s, in_s, out_s))
        whole = in_s <= 0 and out_s >= self._duration_s
        self._chosen.show([] if whole else [(x_in, low, x_out, high)])
        self._ends.show([(x_in - 1, low - 8, x_in + 5, low), (x_in - 1, low, x_in + 1, high),
                         (x_out - 5, low - 8, x_out + 1, low), (x_out - 1, low, x_out + 1, high)])  # fmt: skip
        self._head.show([(x - 1, low - 4, x + 1, high + 4), (x - 4, high + 2, x + 4, high + 8)])

    def _lay_out(self) -> None:
        """What changes with the window's size alone."""
        width, _ = self._size_px
        low, high = TRACK_PX
        self._ground.show([(0, 0, width, HEIGHT_PX)])
        self._track.show([(SIDE_PX, low, width - SIDE_PX, high)])
        columns = max((width - 2 * SIDE_PX) // 3, 1)
        rows = np.linspace(0, len(self._lively), columns + 1).astype(int)
        places = [(n, rows[n], max(rows[n + 1], rows[n] + 1)) for n in range(columns)]
        bars = [(SIDE_PX + 3 * n, float(self._lively[a:b].max(initial=0))) for n, a, b in places]
        self._curve.show([(x, low, x + 2, low + 1 + level * (high - low - 2)) for x, level in bars])
        gaps = [SIDE_PX + 3 * n for n, a, b in places if self._lost[a:b].any()]
        self._gaps.show([(x, low, x + 3, low + 3) for x in gaps])
        self._write_figures()

    def _write_figures(self) -> None:
        for actor in self._figures:
            self._window.controls.RemoveViewProp(actor)
        room = (self._size_px[0] - 2 * SIDE_PX) / FEWEST_PX
        step_s = next((tick for tick in TICKS_S if self._duration_s / tick <= room), self._duration_s / max(room, 1))
        self._figures = []
        for number in range(int(self._duration_s / step_s + 1e-6) + 1):
            actor = vtk.vtkTextActor()
            actor.SetInput(spoken_time(number * step_s, step_s < 1))
            look = actor.GetTextProperty()
            look.SetFontSize(12)
            look.SetFontFamilyToArial()
            look.SetColor(0.72, 0.76, 0.80)
            look.SetJustificationToCentered()
            actor.SetPosition(self._x_of(number * step_s), 3)
            self._window.controls.AddViewProp(actor)
            self._figures.append(actor)

    def _x_of(self, time_s: float) -> float:
        return SIDE_PX + (self._size_px[0] - 2 * SIDE_PX) * min(max(time_s / self._duration_s, 0), 1)

    def _time_at(self, x: float) -> float:
        share = (x - SIDE_PX) / max(self._size_px[0] - 2 * SIDE_PX, 1)
        return min(max(share, 0.0), 1.0) * self._duration_s

    def _press(self, *_event: object) -> None:
        x, y = self._window.interactor.GetEventPosition()
        if y > HEIGHT_PX:
            return
        self._held = "seek"
        if y < TRACK_PX[0]:
            near = {"in": abs(x - self._x_of(self._in_s) - 2), "out": abs(x - self._x_of(self._out_s) + 2)}
            point = min(near, key=near.get)
            self._held = point if near[point] <= NEAR_PX else "seek"
        self._move()

    def _move(self, *_event: object) -> None:
        if self._held is not None:
            self._acts[self._held](self._time_at(self._window.interactor.GetEventPosition()[0]))

    def _release(self, *_event: object) -> None:
        self._held = None


def spoken_time(time_s: float, tenths: bool = False) -> str:
    """0:07, 1:02:03, or with tenths 0:07.5."""
    whole = round(time_s * 10) / 10 if tenths else round(time_s)
    hours, minutes, seconds = int(whole // 3600), int(whole // 60 % 60), whole % 60
    text = f"{seconds:04.1f}" if tenths else f"{int(seconds):02d}"
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


class _Boxes:
    """Any number of rectangles of one colour, drawn as one thing."""

    def __init__(self, renderer: vtk.vtkRenderer, colour: tuple[float, float, float], opacity: float = 1.0) -> None:
        self._data = vtk.vtkPolyData()
        mapper = vtk.vtkPolyDataMapper2D()
        mapper.SetInputData(self._data)
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        actor.GetProperty().SetColor(*colour)
        actor.GetProperty().SetOpacity(opacity)
        renderer.AddViewProp(actor)

    def show(self, boxes: list[tuple[float, float, float, float]]) -> None:
        """x0, y0, x1, y1 of each, in pixels from the window's lower left."""
        points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
        for number, (x0, y0, x1, y1) in enumerate(boxes):
            for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1)):
                points.InsertNextPoint(x, y, 0)
            cells.InsertNextCell(4, [4 * number + corner for corner in range(4)])
        self._data.SetPoints(points)
        self._data.SetPolys(cells)
        self._data.Modified()
