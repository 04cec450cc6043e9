"""A take in a window with a time line: paused, stepped, scrubbed, looped, slower or faster, on any avatar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import cycle
from pathlib import Path
from time import sleep

import numpy as np

from .config import Config
from .data import Array
from .pipeline import Moment
from .puppets import Puppets
from .rendering.backdrop import background_from_text
from .rendering.framing import natural_size_px
from .rendering.timeline import TimeLine, spoken_time
from .rendering.window import Key, Window
from .rigging.library import known_rigs, load_rig
from .sinks.images import save_picture
from .takes.playback import Playback
from .takes.take import Take
from .timing import Clock, Stopwatch, monotonic_s

MIN_WINDOW_PX = (960, 720)
TICK_S = 1 / 60
STILL_S = 1 / 20
"""Between two drawings while nothing moves."""
JUMP_S = 1.0
MESSAGE_S = 3.0
LIVELY_S = 0.15
"""How far apart two frames are whose difference tells how much goes on."""


class Player:
    """Takes that were recorded together, in one window.

    tell : called with each moment that is shown, on the window's clock, for those who are sent the motion"""

    def __init__(
        self,
        takes: Sequence[Take],
        name: str,
        config: Config,
        tell: Callable[[Moment], None] = lambda _moment: None,
        clock: Clock = monotonic_s,
    ) -> None:
        self._takes, self._name, self._tell, self._clock = takes, name, tell, clock
        self._mirrors = config.show.mirror
        first = takes[0]
        self.playback = Playback(first.times_s, first.fps)
        chosen = config.show.rig
        self._rigs = cycle([chosen, *(rig for rig in known_rigs() if rig != chosen)])
        rig = load_rig(next(self._rigs))
        self._puppets = Puppets(rig, Stopwatch())
        size_px = config.show.size_px or tuple(map(max, natural_size_px("avatar", None), MIN_WINDOW_PX))
        background = background_from_text(config.show.background)
        self.window = Window(rig, size_px, background, config.solving.vertical_fov_deg, self._keys(), ())
        self.time_line = TimeLine(
            self.window, self.playback.duration_s, lively(first), np.array(first.confidence) == 0,
            self.playback.seek, self.playback.set_in, self.playback.set_out,
        )  # fmt: skip
        self._message, self._message_until_s = "? shows the keys", clock() + MESSAGE_S
        self._told_frame = -1

    def run(self, after_drawing: Callable[[], None] = lambda: None) -> None:
        """Until the window is closed."""
        before_s = self._clock()
        try:
            while self.window.is_open:
                self.window.pump()
                now_s = self._clock()
                if not self.time_line.is_held:
                    self.playback.advance(now_s - before_s)
                before_s = now_s
                self.draw()
                after_drawing()
                sleep(max((TICK_S if self.playback.playing else STILL_S) - (self._clock() - now_s), 0.001))
        finally:
            self.window.close()

    def draw(self) -> None:
        """Show where the take is."""
        if not self.window.is_open:
            return
        playback = self.playback
        frame = min(playback.frame, min(map(len, self._takes)) - 1)
        motions = tuple(take.motion(frame, track_id) for track_id, take in enumerate(self._takes))
        moment = Moment(motions[0].time_s, frame, None, (), motions)
        if frame != self._told_frame:
            self._told_frame = frame
            self._tell(replace(moment, time_s=self._clock()))
        shown = moment.mirrored() if self._mirrors else moment
        self.window.set_status(self._status(frame))
        self.time_line.show(playback.position_s, playback.in_s, playback.out_s)
        self.window.draw("avatar", None, self._puppets.act(shown, "avatar"))

    def picture(self) -> Array:
        """(H, W, 3) uint8 of the whole window, with its time line."""
        return self.window.screenshot(with_controls=True)

    def _status(self, frame: int) -> str:
        playback = self.playback
        doing = "playing" if playback.playing else "paused"
        place = f"{spoken_time(playback.position_s, True)} of {spoken_time(playback.duration_s, True)}"
        lines = [
            f"{self._name}   {self._puppets.rig.name}",
            f"{place}   frame {frame + 1} of {len(self._takes[0])}",
            f"{doing}   x{playback.speed:g}{'   loop' if playback.loops else ''}",
        ]
        if self._clock() < self._message_until_s:
            lines.append(self._message)
        return "\n".join(lines)

    def _say(self, message: str) -> None:
        self._message, self._message_until_s = message, self._clock() + MESSAGE_S

    def _keys(self) -> dict[str, Key]:
        playback = self.playback
        quit_key = Key("quit", self.quit)
        help_key = Key("show or hide these keys", lambda: self.window.toggle_help())
        return {
            "space": Key("play or pause", playback.toggle),
            "Left": Key("one frame back", lambda: playback.step(-1)),
            "Right": Key("one frame on", lambda: playback.step(1)),
            "comma": Key("one second back", lambda: playback.seek(playback.position_s - JUMP_S)),
            "period": Key("one second on", lambda: playback.seek(playback.position_s + JUMP_S)),
            "Home": Key("to the in point", lambda: playback.seek(playback.in_s)),
            "End": Key("to the out point", lambda: playback.seek(playback.out_s)),
            "Up": Key("faster", lambda: playback.change_speed(1)),
            "Down": Key("slower", lambda: playback.change_speed(-1)),
            "i": Key("begin here", lambda: playback.set_in(playback.position_s)),
            "o": Key("end here", lambda: playback.set_out(playback.position_s)),
            "x": Key("from the first frame to the last again", playback.clear),
            "l": Key("loop", self._toggle_loop),
            "n": Key("next avatar", self._next_rig),
            "m": Key("mirror", self._toggle_mirror),
            "s": Key("save a screenshot", self._screenshot),
            "q": quit_key,
            "Escape": quit_key,
            "h": help_key,
            "question": help_key,
        }

    def quit(self) -> None:
        """Close the window after this picture."""
        self.window.is_open = False

    def _toggle_loop(self) -> None:
        self.playback.loops = not self.playback.loops
        self._say("loop on" if self.playback.loops else "loop off")

    def _toggle_mirror(self) -> None:
        self._mirrors = not self._mirrors

    def _next_rig(self) -> None:
        rig = load_rig(next(self._rigs))
        self._puppets.use_rig(rig)
        self.window.scene.use_rig(rig)
        self._say(f"avatar: {rig.name}")

    def _screenshot(self) -> None:
        path = Path("out") / f"animator-{datetime.now():%Y%m%d-%H%M%S}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_picture(path, self.window.screenshot())
        self._say(f"saved {path}")


def lively(take: Take) -> Array:
    """(N,) 0..1: how much the face changes around each frame, for people to find their way in a take."""
    if len(take) < 3:
        return np.zeros(len(take))
    step = max(round(LIVELY_S * take.fps), 1)
    later = np.minimum(np.arange(len(take)) + step, len(take) - 1)
    earlier = np.maximum(np.arange(len(take)) - step, 0)
    change = np.abs(take.weights[later] - take.weights[earlier]).sum(1)
    most = np.percentile(change, 99)
    return np.clip(change / most, 0, 1) if most > 1e-3 else np.zeros(len(take))
