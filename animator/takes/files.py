"""Writing files so that nothing half-written ever stands under a final name."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import SinkError


def check_writable(path: Path) -> None:
    """Raise SinkError, before any work is done, if `path` cannot be written later. Makes its folder."""
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write {path}: the folder {folder} cannot be made ({error.strerror})") from error
    if path.is_dir():
        raise SinkError(f"cannot write {path}: it is a folder; name a file inside it")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise SinkError(f"cannot write {path}: no permission; choose another folder")


def scratch_beside(path: Path) -> Path:
    """A name beside `path` to write to before renaming. The suffix stays, as writers choose the format by it."""
    return path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A scratch file beside `path`: renamed to `path` if all went well, removed if not."""
    check_writable(path)
    scratch = scratch_beside(path)
    try:
        yield scratch
        _settle(scratch)
        os.replace(scratch, path)
        _settle(path.parent)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        scratch.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Have the system put a file, or the names in a folder, where a power cut does not reach."""
    if os.name == "nt" and path.is_dir():
        return  # folders cannot be opened there, and need not be
    try:
        opened = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # nothing was written: the writer says so itself
        return
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
    finally:
        os.close(opened)
