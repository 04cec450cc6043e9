"""What the commands share: showing progress, saying what came of it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SinkError, SourceError

if TYPE_CHECKING:
    from ..config import ShowConfig
    from ..pipeline import Performance
    from ..stages import FrameSource, MotionSource

log = logging.getLogger("animator")


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[object]:
    """A rich progress bar on stderr, called with the number of finished frames."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]:5.1f} fps"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=total, fps=0.0)

        def advance(frames: int) -> None:
            bar.update(task, completed=frames, fps=bar.tasks[task].speed or 0.0)

        yield advance


def say_what_came(performance: Performance) -> None:
    """Warn of a source without a face; raise SourceError for one that broke off, after all was written."""
    if performance.frames and not performance.frames_with_face:
        log.warning(
            "no face was found in %s: the avatar rests (a face should be lit from the front and not be too small)",
            performance.source.name,
        )
    broken = getattr(performance.source, "broken", None)
    if broken:
        raise SourceError(f"{performance.source.name} is damaged: {broken}; what came before is kept")


def check_not_itself(source: str | None, *outputs: Path | None) -> None:
    """Raise SinkError if an output would overwrite the source while it is being read."""
    for path in outputs:
        if source is not None and path is not None and path.resolve() == Path(source).resolve():
            raise SinkError(f"cannot write {path}: it is the source itself; choose another name")


def check_looks(show: ShowConfig) -> None:
    """Raise for a view, avatar or background that cannot be had, before anything is opened or written."""
    from ..rendering.framing import check_view
    from ..rigging.library import load_rig

    check_view(show.view)
    load_rig(show.rig)
    if show.background is not None:
        from ..rendering.backdrop import background_from_text

        background_from_text(show.background)


def default_out(source: FrameSource | MotionSource) -> Path:
    """Where what is made goes when nobody said: `out/` and the source's name; a picture stays a picture."""
    from ..sources.images import SUFFIXES

    name = Path(source.name)
    suffix = ".png" if name.suffix.lower() in SUFFIXES and source.frame_count == 1 else ".mp4"
    return Path("out") / f"{name.stem.replace(' ', '-') or 'animation'}{suffix}"
