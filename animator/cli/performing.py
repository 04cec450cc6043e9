"""What `animator run` and `animator play` have in common: a performance, and all the places it may go."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from . import work

if TYPE_CHECKING:
    from ..config import Config
    from ..pipeline import Performance
    from ..stages import FrameSink, FrameSource, MotionSource

log = logging.getLogger("animator")


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a performance goes; what is left out is not made."""

    film: Path | None = None
    """None: a window or, without a display and anybody who waits, a file in `out/`."""
    take: Path | None = None
    whip: str | None = None
    """Endpoint that the pictures are published to, and the bearer token that it wants."""
    token: str | None = None
    send: Sequence[str] = ()
    """Addresses of programs that the motion is sent to."""
    virtual_camera: bool = False

    @property
    def are_awaited(self) -> bool:
        """Somebody waits for pictures or motion as they come: it is late rather than slow that harms."""
        return self.whip is not None or bool(self.send) or self.virtual_camera


def perform(source: str | None, settings: Config, outputs: Outputs, model: Path | None = None) -> None:
    """Open everything, checking every input before any output is made; then show or film."""
    from ..display import has_display
    from ..rendering.x_server import finishing

    work.check_not_itself(source, outputs.film, outputs.take)
    work.check_looks(settings.show)
    run = _Run(outputs, settings, on_screen=outputs.film is None and has_display())
    try:
        with ExitStack() as stack:
            stack.enter_context(finishing(lambda: run.finish(stack)))
            run.open(stack, source, model)
            if run.on_screen:
                run.show()
            else:
                run.film()
    finally:  # after Ctrl-C, too, a person wants to know where it is
        run.tell_what_was_written()
    work.say_what_came(run.performance)


class _Run:
    """One performance and its outputs, from the opening to what is said of them."""

    def __init__(self, outputs: Outputs, settings: Config, *, on_screen: bool) -> None:
        self.on_screen = on_screen
        self._outputs, self._settings = outputs, settings
        self._film_path, self._film = outputs.film, None
        self._elsewhere: list[FrameSink] = []
        self.performance: Performance | None = None

    def open(self, stack: ExitStack, source: str | None, model: Path | None) -> None:
        from ..filming import open_sink
        from ..pipeline import is_motion_source, open_performance
        from ..puppets import check_picture
        from ..sources import open_source

        show, keeps_up = self._settings.show, self.on_screen or self._outputs.are_awaited
        opened = open_source(source, size_px=show.size_px, fps=show.fps, loop_performance=keeps_up)
        stack.enter_context(closing(opened))
        if not self.on_screen:
            check_picture(show.view, not is_motion_source(opened))
        if self._film_path is None and not keeps_up:
            self._film_path = work.default_out(opened)
        fps = show.fps or opened.fps
        self._film = None if self._film_path is None else open_sink(self._film_path, fps)
        listeners = self._open_listeners(stack, opened)
        if self._outputs.virtual_camera:
            from ..sinks.virtual_camera import VirtualCameraSink

            self._elsewhere.append(stack.enter_context(closing(VirtualCameraSink(fps))))
        self.performance = stack.enter_context(
            open_performance(opened, self._settings, model=model, live=keeps_up or None)
        )
        for listener in listeners:
            self.performance.listen(listener.fed_by(self.performance) if hasattr(listener, "fed_by") else listener)
        if self._outputs.whip is not None:
            self._elsewhere.insert(0, stack.enter_context(closing(self._published(opened.fps))))

    def _open_listeners(self, stack: ExitStack, opened: FrameSource | MotionSource) -> list:
        """What hears every moment: the recorder and the senders."""
        from ..recording import record_into
        from ..sending import sending_to

        listeners = []
        if self._outputs.take is not None:
            recording = record_into(
                self._outputs.take, opened.fps, source=opened.name, rig=str(self._settings.show.rig)
            )
            listeners.append(stack.enter_context(recording))
        if self._outputs.send:
            listeners.append(stack.enter_context(sending_to(self._outputs.send)))
        return listeners

    def _published(self, fps: float) -> FrameSink:
        """Connect to the endpoint, and say so."""
        from ..remote.publishing import WhipSink

        sink = WhipSink(self._outputs.whip, self._outputs.token, fps)
        log.info("publishing to the WHIP endpoint: Ctrl-C ends it")
        return sink

    def show(self) -> None:
        """In a window until it is closed."""
        from ..filming import several

        if self._elsewhere:
            from ..remote.window import PublishingScreen

            PublishingScreen(self.performance, self._settings, several(*self._elsewhere)).run()
        else:
            from ..on_screen import show

            show(self.performance, self._settings)

    def film(self) -> None:
        """Into files and to whoever waits, until the source ends."""
        from ..filming import film, several

        source = self.performance.source
        with work.progress_bar(source.name, source.frame_count) as progress:
            if self._film is not None or self._elsewhere:
                film(self.performance, self._settings, several(self._film, *self._elsewhere), progress)
            else:  # numbers alone: nothing is drawn
                for frames, _moment in enumerate(self.performance, start=1):
                    progress(frames)

    def finish(self, stack: ExitStack) -> None:
        """Where nothing can be drawn any more: finish what was recorded, and say so."""
        try:
            stack.close()
        finally:
            self.tell_what_was_written()

    def tell_what_was_written(self) -> None:
        """Name the files that are there."""
        take = self._outputs.take
        if self._film is not None and self._film.frames and self._film_path.exists():
            typer.echo(f"wrote {self._film_path}")
        if take is not None and self.performance is not None and self.performance.frames and take.exists():
            typer.echo(f"wrote {take}")
