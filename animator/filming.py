"""Off screen: a performance becomes pictures, and pictures a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from .config import Config
from .data import Array, Frame
from .pipeline import Moment, Performance, resampled
from .puppets import Puppets, picture_of
from .rig import Rig
from .rigging.library import load_rig
from .sinks.behind import WriteBehind
from .stages import FrameSink
from .timing import Stopwatch

Progress = Callable[[int], None]
"""Called with the number of finished frames."""


class Camera:
    """Takes pictures of moments: the drawing half of the corridor, off screen.

    The view `mesh` is the camera's own picture with lines in it and needs no OpenGL."""

    def __init__(self, rig: Rig, config: Config, size_px: tuple[int, int], stopwatch: Stopwatch) -> None:
        self._show, self._size_px, self._stopwatch = config.show, size_px, stopwatch
        self._puppets = Puppets(rig, stopwatch)
        self._renderer = None
        if self._show.view != "mesh":
            from .rendering.backdrop import background_from_text
            from .rendering.renderer import Renderer

            self._renderer = Renderer(
                rig, size_px, background_from_text(self._show.background), config.solving.vertical_fov_deg
            )

    def take(self, moment: Moment) -> Array:
        """(H, W, 3) uint8 of one moment."""
        if self._show.mirror:
            moment = moment.mirrored()
        with self._stopwatch.measuring("overlay"):
            picture = picture_of(moment, self._show.view)
        if self._renderer is None:
            from .rendering.overlay import resized

            return resized(picture, self._size_px)
        appearances = self._puppets.act(moment, self._show.view)
        with self._stopwatch.measuring("render"):
            return self._renderer.draw(self._show.view, picture, appearances)

    def close(self) -> None:
        """Give OpenGL's memory back."""
        if self._renderer is not None:
            self._renderer.close()


def film(performance: Performance, config: Config, sink: FrameSink, progress: Progress = lambda _frames: None) -> int:
    """Draw every moment into `sink`; returns the number of frames.

    However it ends, by its end, an error, Ctrl-C or with its display, the sink is closed and what was written plays."""
    from .rendering.x_server import finishing

    stopwatch = performance.stopwatch
    with ExitStack() as stack:
        behind = stack.enter_context(closing(WriteBehind(sink, stopwatch)))
        stack.enter_context(finishing(behind.close))
        rig = load_rig(config.show.rig)
        camera = stack.enter_context(closing(Camera(rig, config, film_size_px(performance, config), stopwatch)))
        frames = 0
        for moment in resampled(iter(performance), config.show.fps):
            rgb = camera.take(moment)
            behind.write(Frame(rgb, moment.time_s, moment.index))
            frames += 1
            progress(frames)
    return frames


def film_size_px(performance: Performance, config: Config) -> tuple[int, int]:
    """What was asked for, or what suits the source and the view."""
    from .rendering.framing import natural_size_px

    source_px = getattr(performance.source, "size_px", None)
    return config.show.size_px or natural_size_px(config.show.view, source_px)


def open_sink(path: str | Path, fps: float) -> FrameSink:
    """A sink by its name's ending: a picture or a video."""
    path = Path(path)
    from .sinks.images import PICTURE_SUFFIXES, ImageSink
    from .sinks.video import VideoSink

    return ImageSink(path) if path.suffix.lower() in PICTURE_SUFFIXES else VideoSink(path, fps)


class _Several:
    def __init__(self, sinks: Sequence[FrameSink]) -> None:
        self._sinks = sinks

    def write(self, frame: Frame) -> None:
        for sink in self._sinks:
            sink.write(frame)

    def close(self) -> None:
        with ExitStack() as stack:  # each, whatever happens to the others
            for sink in self._sinks:
                stack.callback(sink.close)


def several(*sinks: FrameSink | None) -> FrameSink:
    """One sink of several; None among them is left out."""
    wanted = [sink for sink in sinks if sink is not None]
    return wanted[0] if len(wanted) == 1 else _Several(wanted)
