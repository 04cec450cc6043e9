"""A window on the scene: keys, sliders, a status line and a help page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..data import Array
from ..rig import Rig
from . import vtk
from .backdrop import Background
from .opengl import open_plotter
from .scene import Appearance, Scene
from .vtk import vtk_to_numpy

INK, PAPER, ACCENT = (0.96, 0.97, 0.98), (0.09, 0.11, 0.14), (0.35, 0.70, 1.0)
MARGIN_PX = 12
SLIDER_SPAN_PX = (190, 54)
"""Width of a slider and height from one to the next."""
HELP_PX = 540
"""About the width of the help page."""


@dataclass(frozen=True, slots=True)
class Slider:
    """A number that a person can drag."""

    title: str
    low: float
    high: float
    value: float
    changed: Callable[[float], None]
    """Called once, when the person lets go."""
    whole: bool = False
    """Only whole numbers."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a key does."""

    does: str
    """For the help page."""
    pressed: Callable[[], None]


class Window:
    """An open window; belongs to the thread that made it.

    keys : by VTK's key symbol, such as `q`, `space` or `Escape`"""

    def __init__(
        self,
        rig: Rig,
        size_px: tuple[int, int],
        background: Background,
        picture_fov_deg: float,
        keys: Mapping[str, Key],
        sliders: Sequence[Slider],
    ) -> None:
        self._plotter = open_plotter(size_px, off_screen=False)
        self._window = self._plotter.render_window
        self._window.SetWindowName("animator")
        self.scene = Scene(self._plotter, rig, background, picture_fov_deg)
        self._keys = dict(keys)
        self.is_open = True
        self._controls = _layer_above(self._window)
        self._panel = _Panel(self._controls)
        self._status = _text(self._controls, 15)
        self._help = _text(self._controls, 17, page=True)
        self._help.SetInput("\n".join(f"{_spoken(symbol):>8}  {key.does}" for symbol, key in keys.items()))
        self._help.VisibilityOff()
        self._interactor = self._plotter.iren.interactor
        self._interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())  # no camera dragging, no keys of VTK's own
        for event in ("KeyPressEvent", "CharEvent"):
            self._interactor.RemoveObservers(event)  # PyVista's own keys: q would close the window under us
        self._interactor.AddObserver("KeyPressEvent", self._on_key)
        self._interactor.AddObserver("ExitEvent", self._on_exit)
        self._sliders = [_slider(self._interactor, self._controls, s, i, size_px) for i, s in enumerate(sliders)]
        self._window.AddObserver("WindowResizeEvent", lambda *_: self._arrange())
        self._arrange()
        self._interactor.Initialize()

    @property
    def controls(self) -> vtk.vtkRenderer:
        """The layer above the picture, for what is drawn over it, in pixels."""
        return self._controls

    @property
    def interactor(self) -> vtk.vtkRenderWindowInteractor:
        """Where keys and the mouse are heard."""
        return self._interactor

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) as it is now."""
        return tuple(self._window.GetSize())

    def draw(self, view: str, picture_rgb: Array | None, appearances: Sequence[Appearance]) -> None:
        """Show a moment."""
        self.scene.update(view, picture_rgb, appearances)
        self.scene.render()

    def pump(self) -> None:
        """Let keys, the mouse and the window's frame be heard."""
        self._interactor.ProcessEvents()

    def set_status(self, text: str) -> None:
        """The lines at the top left."""
        self._status.SetInput(text)

    def toggle_help(self) -> None:
        """Show or hide the list of keys."""
        self._help.SetVisibility(not self._help.GetVisibility())

    def toggle_sliders(self) -> None:
        """Show or hide the sliders."""
        for widget in self._sliders:
            widget.SetEnabled(not widget.GetEnabled())
        self._panel.toggle()

    def screenshot(self, *, with_controls: bool = False) -> Array:
        """(H, W, 3) uint8 of what is shown, without status, sliders and help unless asked for."""
        self._controls.SetDraw(with_controls)
        self.scene.render()
        width, height = self._window.GetSize()
        pixels = vtk.vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        self._controls.DrawOn()
        return np.ascontiguousarray(vtk_to_numpy(pixels).reshape(height, width, 3)[::-1])

    def close(self) -> None:
        """Close the window. May be called twice."""
        self.is_open = False
        for widget in self._sliders:
            widget.Off()
        self._sliders = []
        self._plotter.close()

    def _arrange(self) -> None:
        width, height = self._window.GetSize()
        self._status.SetPosition(MARGIN_PX, height - MARGIN_PX)
        self._help.SetPosition(max(MARGIN_PX, width // 2 - HELP_PX // 2), height // 2)
        self._panel.set_height(len(self._sliders) * SLIDER_SPAN_PX[1])
        for number, widget in enumerate(self._sliders):
            _place(widget, number, (width, height))

    def _on_key(self, *_event: object) -> None:
        key = self._keys.get(self._interactor.GetKeySym())
        if key is not None:
            key.pressed()

    def _on_exit(self, *_event: object) -> None:
        self.is_open = False


class _Panel:
    """A dark ground under the sliders, so that they can be read over any picture."""

    def __init__(self, renderer: vtk.vtkRenderer) -> None:
        self._plane = vtk.vtkPlaneSource()
        mapper = vtk.vtkPolyDataMapper2D()
        mapper.SetInputConnection(self._plane.GetOutputPort())
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(mapper)
        self._actor.GetProperty().SetColor(*PAPER)
        self._actor.GetProperty().SetOpacity(0.55)
        renderer.AddViewProp(self._actor)

    def set_height(self, height_px: int) -> None:
        """As high as the sliders on it."""
        width_px = SLIDER_SPAN_PX[0] + 2 * MARGIN_PX
        self._plane.SetOrigin(0, 0, 0)
        self._plane.SetPoint1(width_px, 0, 0)
        self._plane.SetPoint2(0, height_px + MARGIN_PX, 0)
        self._actor.SetVisibility(height_px > 0)

    def toggle(self) -> None:
        """Show or hide it."""
        self._actor.SetVisibility(not self._actor.GetVisibility())


def _layer_above(window: vtk.vtkRenderWindow) -> vtk.vtkRenderer:
    """A renderer over all others, for text and sliders, that also receives the mouse."""
    renderer = vtk.vtkRenderer()
    window.SetNumberOfLayers(window.GetNumberOfLayers() + 1)
    renderer.SetLayer(window.GetNumberOfLayers() - 1)
    window.AddRenderer(renderer)
    return renderer


def _text(renderer: vtk.vtkRenderer, points: int, *, page: bool = False) -> vtk.vtkTextActor:
    actor = vtk.vtkTextActor()
    look = actor.GetTextProperty()
    look.SetFontSize(points)
    look.SetFontFamilyToCourier()
    look.SetColor(*INK)
    look.SetBackgroundColor(*PAPER)
    look.SetBackgroundOpacity(0.85 if page else 0.55)
    look.SetVerticalJustificationToTop()
    if page:
        look.SetLineSpacing(1.4)
        look.SetVerticalJustificationToCentered()
    renderer.AddViewProp(actor)
    return actor


def _slider(
    interactor: vtk.vtkRenderWindowInteractor,
    renderer: vtk.vtkRenderer,
    slider: Slider,
    number: int,
    size_px: tuple[int, int],
) -> vtk.vtkSliderWidget:
    look = vtk.vtkSliderRepresentation2D()
    look.SetMinimumValue(slider.low)
    look.SetMaximumValue(slider.high)
    look.SetValue(slider.value)
    look.SetTitleText(slider.title)
    look.SetLabelFormat(_number_format(look.GetLabelFormat(), 0 if slider.whole else 2))
    look.SetTubeWidth(0.004)
    look.SetSliderLength(0.012)
    look.SetSliderWidth(0.018)
    look.SetEndCapLength(0.003)
    look.SetEndCapWidth(0.014)
    look.SetTitleHeight(0.019)
    look.SetLabelHeight(0.019)
    for part in (look.GetTitleProperty(), look.GetLabelProperty()):
        part.SetColor(*INK)
        part.SetShadow(True)
        part.SetBold(False)
        part.SetFontFamilyToArial()
    look.GetTubeProperty().SetColor(*INK)
    look.GetCapProperty().SetColor(*INK)
    look.GetSliderProperty().SetColor(*ACCENT)
    look.GetSelectedProperty().SetColor(*INK)
    widget = vtk.vtkSliderWidget()
    widget.SetInteractor(interactor)
    widget.SetCurrentRenderer(renderer)
    widget.SetDefaultRenderer(renderer)
    widget.SetRepresentation(look)
    widget.SetAnimationModeToJump()
    _place(widget, number, size_px)

    def let_go(*_event: object) -> None:
        value = round(look.GetValue()) if slider.whole else look.GetValue()
        look.SetValue(value)
        slider.changed(value)

    widget.AddObserver("EndInteractionEvent", let_go)
    widget.EnabledOn()
    return widget


def _place(widget: vtk.vtkSliderWidget, number: int, size_px: tuple[int, int]) -> None:
    """At the bottom left, the first lowest."""
    width, height = size_px
    y = (MARGIN_PX + 22 + SLIDER_SPAN_PX[1] * number) / height
    look = widget.GetRepresentation()
    for point, x in (
        (look.GetPoint1Coordinate(), MARGIN_PX),
        (look.GetPoint2Coordinate(), MARGIN_PX + SLIDER_SPAN_PX[0]),
    ):
        point.SetCoordinateSystemToNormalizedDisplay()
        point.SetValue(x / width, y)


def _number_format(usual: str, decimals: int) -> str:
    """In the style of this VTK's own default: printf's up to 9.5, std::format's since."""
    return f"%0.{decimals}f" if usual.startswith("%") else f"{{:.{decimals}f}}"


def _spoken(symbol: str) -> str:
    return {"Escape": "Esc", "question": "?", "comma": ",", "period": "."}.get(symbol, symbol)
