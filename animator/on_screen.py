"""On screen: a performance in a window, with keys, and sliders that act when let go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from itertools import cycle
from pathlib import Path
from time import sleep
from typing import Any

from .config import Config
from .data import Array
from .errors import SinkError
from .filming import film_size_px
from .pipeline import Moment, Performance, is_motion_source
from .puppets import Puppets, picture_of
from .recording import record_into
from .rendering.backdrop import background_from_text
from .rendering.framing import VIEWS
from .rendering.window import Key, Slider, Window
from .rendering.x_server import finishing
from .rigging.library import known_rigs, load_rig
from .sinks.images import save_picture
from .timing import Closed, RateMeter
from .tracking.config import MAX_FACES

WAIT_S = 0.01
"""How long to wait for a moment before looking at the keys again."""
STILL_S = 0.05
"""Between two drawings of the last picture."""
MIN_WINDOW_PX = (800, 600)
MESSAGE_FRAMES = 90


class Screen:
    """One performance in one window."""

    def __init__(self, performance: Performance, config: Config, folder: Path = Path("out")) -> None:
        self._performance, self._config, self._folder = performance, config, folder
        self._rigs = cycle(_rigs_from(config.show.rig))
        rig = load_rig(next(self._rigs))
        self._puppets = Puppets(rig, performance.stopwatch)
        self._view = config.show.view
        self._moment: Moment | None = None
        self._message, self._message_left = "? shows the keys", MESSAGE_FRAMES
        self._recording: ExitStack | None = None
        self._rate = RateMeter()
        self._fps = 0.0
        size_px = film_size_px(performance, config)
        if config.show.size_px is None:
            size_px = (max(size_px[0], MIN_WINDOW_PX[0]), max(size_px[1], MIN_WINDOW_PX[1]))
        self._window = Window(
            rig,
            size_px,
            background_from_text(config.show.background),
            config.solving.vertical_fov_deg,
            self._keys(),
            self._sliders(),
        )

    def run(self, after_drawing: Callable[[Moment], None] = lambda _moment: None) -> None:
        """Until the window is closed; a file's last picture stays until then."""
        with finishing(self._stop_recording):
            self._run(after_drawing)

    def _run(self, after_drawing: Callable[[Moment], None]) -> None:
        try:
            over = False
            while self._window.is_open:
                self._window.pump()
                if over:
                    self._draw()
                    sleep(STILL_S)
                    continue
                try:
                    self._moment = self._performance.next_moment(WAIT_S)
                except TimeoutError:
                    if self._moment is None and is_motion_source(self._performance.source):
                        self._moment = Moment(0.0, 0, None, (), ())  # until somebody sends, the avatar rests
                        self._draw()
                    continue
                except Closed:
                    over = True
                    self._say("the end: q closes the window")
                    continue
                self._fps = self._rate.tick()
                self._draw()
                after_drawing(self._moment)
        finally:
            self._stop_recording()
            self._window.close()

    def _draw(self) -> None:
        if self._moment is None or not self._window.is_open:
            return
        moment = self._moment.mirrored() if self._config.show.mirror else self._moment
        stopwatch = self._performance.stopwatch
        view = self._view if moment.frame is not None else "avatar"
        with stopwatch.measuring("overlay"):
            picture = picture_of(moment, view)
        appearances = [] if view == "mesh" else self._puppets.act(moment, view)
        self._window.set_status(self._status())
        with stopwatch.measuring("render"):
            self._window.draw(view, picture, appearances)

    def _status(self) -> str:
        stages = "  ".join(f"{stage} {ms:.1f}" for stage, ms in self._performance.stopwatch.lately_ms().items())
        lines = [f"{self._fps:5.1f} fps   {self._view}   {self._puppets.rig.name}", f"ms: {stages}"]
        if self._recording is not None:
            lines.append("REC")
        if self._message_left > 0:
            self._message_left -= 1
            lines.append(self._message)
        return "\n".join(lines)

    def _say(self, message: str) -> None:
        self._message, self._message_left = message, MESSAGE_FRAMES

    def _keys(self) -> dict[str, Key]:
        quit_key = Key("quit", self.quit)
        help_key = Key("show or hide these keys", lambda: self._window.toggle_help())
        return {
            "q": quit_key,
            "Escape": quit_key,
            "v": Key("next view: " + ", ".join(VIEWS), self._next_view),
            "n": Key("next avatar", self._next_rig),
            "c": Key("calibrate: look straight, face at rest, 1 s", self._calibrate),
            "r": Key("record: start or stop a take", self._toggle_recording),
            "s": Key("save a screenshot", self._screenshot),
            "t": Key("show or hide the sliders", lambda: self._window.toggle_sliders()),
            "m": Key("mirror", self._toggle_mirror),
            "h": help_key,
            "question": help_key,
        }

    def _sliders(self) -> list[Slider]:
        tracking, solving = self._config.tracking, self._config.solving
        return [
            Slider("smoothing", 0, 1, solving.smoothing, lambda v: self._set("solving", "smoothing", v)),
            Slider(
                "tracking confidence", 0, 1, tracking.tracking_confidence,
                lambda v: self._set("tracking", "tracking_confidence", v),
            ),
            Slider(
                "detection confidence", 0, 1, tracking.detection_confidence,
                lambda v: self._set("tracking", "detection_confidence", v),
            ),
            Slider("faces", 1, MAX_FACES, tracking.faces, lambda v: self._set("tracking", "faces", v), whole=True),
        ]  # fmt: skip

    def _set(self, stage: str, name: str, value: Any) -> None:
        self._config = replace(self._config, **{stage: replace(getattr(self._config, stage), **{name: value})})
        self._performance.reconfigure(self._config)
        self._say(f"{name.replace('_', ' ')}: {value:.3g}")

    def quit(self) -> None:
        """Close the window after this picture."""
        self._window.is_open = False

    def picture(self) -> Array:
        """(H, W, 3) uint8 of the whole window, with its sliders and status."""
        return self._window.screenshot(with_controls=True)

    def _next_view(self) -> None:
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        if self._moment is not None and self._moment.frame is None:
            self._view = "avatar"
            self._say("a take has no camera picture: only the avatar can be shown")

    def _next_rig(self) -> None:
        rig = load_rig(next(self._rigs))
        self._puppets.use_rig(rig)
        self._window.scene.use_rig(rig)
        self._say(f"avatar: {rig.name}")

    def _calibrate(self) -> None:
        self._performance.calibrate()
        self._say("calibrating: look straight at the camera, face at rest")

    def _toggle_mirror(self) -> None:
        self._config = replace(self._config, show=replace(self._config.show, mirror=not self._config.show.mirror))

    def _screenshot(self) -> None:
        path = self._folder / f"{_stamp()}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_picture(path, self._window.screenshot())
        self._say(f"saved {path}")

    def _toggle_recording(self) -> None:
        if self._recording is not None:
            self._stop_recording()
            return
        path = self._folder / f"{_stamp()}.npz"
        self._recording = ExitStack()
        source, rig = self._performance.source, self._puppets.rig.name
        recorder = self._recording.enter_context(record_into(path, source.fps, source=source.name, rig=rig))
        self._performance.listen(recorder.fed_by(self._performance))
        self._recording.callback(self._performance.ignore, recorder)
        self._recording.callback(self._say, f"wrote {path}")

    def _stop_recording(self) -> None:
        if self._recording is not None:
            recording, self._recording = self._recording, None
            try:
                recording.close()
            except SinkError as error:  # the disk is full: what there was is kept, and the avatar goes on
                self._say(str(error))


def show(performance: Performance, config: Config) -> None:
    """Open a window on a performance and stay until it is closed."""
    Screen(performance, config).run()


def _rigs_from(first: str) -> list[str]:
    """The chosen avatar and then every built-in one."""
    return [first, *(name for name in known_rigs() if name != first)]


def _stamp() -> str:
    return f"animator-{datetime.now():%Y%m%d-%H%M%S}"
