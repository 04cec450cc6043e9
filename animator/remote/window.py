"""Windows for what goes to a network and what comes from one."""

from __future__ import annotations

from collections.abc import Callable

from ..config import Config
from ..data import Frame
from ..on_screen import WAIT_S, Screen
from ..pipeline import Moment, Performance
from ..rendering.backdrop import Background
from ..rendering.window import Key, Window
from ..rigging.library import load_rig
from ..stages import FrameSink
from ..timing import Closed, RateMeter


class PublishingScreen(Screen):
    """A window whose picture, without sliders and lines, goes to a sink too."""

    def __init__(self, performance: Performance, config: Config, sink: FrameSink) -> None:
        super().__init__(performance, config)
        self._sink = sink

    def run(self, after_drawing: Callable[[Moment], None] = lambda _moment: None) -> None:
        """Until the window is closed."""

        def publish(moment: Moment) -> None:
            if self._window.is_open:
                self._sink.write(Frame(self._window.screenshot(), moment.time_s, moment.index))
            after_drawing(moment)

        super().run(publish)


def show_pictures(performance: Performance, size_px: tuple[int, int], status: Callable[[], str]) -> None:
    """The pictures of a performance in a window, as they are, until it is closed or they end."""
    rate, fps = RateMeter(), 0.0

    def quit_now() -> None:
        window.is_open = False

    keys = {"q": Key("quit", quit_now), "Escape": Key("quit", quit_now)}
    window = Window(load_rig("human"), size_px, Background(), 50.0, keys, ())
    try:
        while window.is_open:
            window.pump()
            try:
                moment = performance.next_moment(WAIT_S)
            except TimeoutError:
                continue
            except Closed:
                return
            fps = rate.tick()
            window.set_status(f"{fps:5.1f} fps   {status()}")
            window.draw("mesh", moment.frame.rgb, ())
    finally:
        window.close()
