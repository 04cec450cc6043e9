"""How the program's log reaches the terminal: few lines, none of them a flood, or JSON for other programs.

Every module logs to `animator` (or below it); a library's user sets handlers as for any package. The command line, and
the processes that it starts, call `set_up`; what they are to say is in the environment, so that all say the same.

    ANIMATOR_VERBOSE=1, -v     with time, level and thread; what happens on the way, too
    ANIMATOR_VERBOSE=2, -vv    what other libraries log, and what native code writes by itself
    ANIMATOR_LOG=json          a JSON object a line
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable

VERBOSE, FORM = "ANIMATOR_VERBOSE", "ANIMATOR_LOG"
QUIET, TALKATIVE, EVERYTHING = 0, 1, 2
BURST, WINDOW_S = 5, 10.0
"""So many lines of one kind in so many seconds; the others are counted."""
MOST_KINDS = 1000


def verbosity() -> int:
    """0, 1 or 2, by the environment."""
    said = os.environ.get(VERBOSE, "")
    return min(int(said), EVERYTHING) if said.isdecimal() else QUIET


class Calm(logging.Filter):
    """Lets so many lines of a kind through in a while, then counts: a kind is what stands in the code, whatever numbers
    are put in. The next line that comes through tells how many did not."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, int, str], list[float]] = {}
        """Kind -> when its window began, lines in it, lines left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now_s = (record.name, record.levelno, str(record.msg)), self._clock()
        if len(self._kinds) > MOST_KINDS:
            self._kinds.clear()
        window = self._kinds.setdefault(kind, [now_s, 0, 0])
        if now_s - window[0] >= WINDOW_S:
            left_out, window[:] = int(window[2]), [now_s, 0, 0]
            if left_out:
                record.msg = f"{record.getMessage()} ({left_out} more like it were left out)"
                record.args = None
        window[1] += 1
        if window[1] > BURST:
            window[2] += 1
            return False
        return True

    def left_out(self) -> int:
        """How many lines have not been told of yet."""
        return sum(int(window[2]) for window in self._kinds.values())


class Terminal(logging.StreamHandler):
    """Standard error, calm; at the end it tells how much was left out."""

    def __init__(self, form: logging.Formatter) -> None:
        super().__init__()
        self._calm = Calm()
        self.setFormatter(form)
        self.addFilter(self._calm)

    def close(self) -> None:
        left_out, self._calm = self._calm.left_out(), Calm()
        if left_out and not self.stream.closed:
            said = f"{left_out} more lines like those above were left out (-v tells when)"
            self.emit(logging.LogRecord("animator", logging.INFO, "", 0, said, None, None))
        super().close()


class AsJson(logging.Formatter):
    """A line that other programs read: time in UTC, level, logger, message, process, thread, a fault's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "thread": record.threadName,
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def set_up(name: str = "animator") -> None:
    """Have the package's log told on standard error, as the environment says; `name` begins each line."""
    level = verbosity()
    if os.environ.get(FORM) == "json":
        form: logging.Formatter = AsJson()
    elif level == QUIET:
        form = logging.Formatter(f"{name}: %(message)s")
    else:
        form = logging.Formatter(
            f"{name} %(asctime)s.%(msecs)03d %(levelname)s %(threadName)s: %(message)s", "%H:%M:%S"
        )
    handler = Terminal(form)
    logger = logging.getLogger("animator")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO if level == QUIET else logging.DEBUG)
    logger.propagate = False
    root = logging.getLogger()
    root.handlers[:] = [*(other for other in root.handlers if not isinstance(other, Terminal)), handler]
    # Other libraries' warnings: aioice has one for every address that does not answer.
    root.setLevel(logging.INFO if level >= EVERYTHING else logging.ERROR)


def keep_stderr_apart() -> None:
    """Give Python's standard error a descriptor of its own: what is muted on 2 is native code's then, never ours."""
    try:
        own = os.dup(2)
    except OSError:  # it was closed
        return
    sys.stderr = open(own, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115 - to the end
