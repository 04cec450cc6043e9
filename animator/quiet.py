"""Native libraries write to file descriptor 2 what they like; few have a flag of theirs that turns it off."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .logs import EVERYTHING, verbosity

_lock = threading.Lock()
_users, _kept = 0, -1


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Nothing reaches descriptor 2 meanwhile, whichever thread writes it; from several threads at once, until the last
    is through. Python's own words do: the program's command line gives them a descriptor of their own. With -vv all is
    heard."""
    if verbosity() >= EVERYTHING or not _enter():
        yield
        return
    try:
        yield
    finally:
        _leave()


def _enter() -> bool:
    global _users, _kept
    with _lock:
        if _users == 0:
            try:
                _kept = os.dup(2)
            except OSError:  # closed: there is nobody to disturb
                return False
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        _users += 1
    return True


def _leave() -> None:
    global _users, _kept
    with _lock:
        _users -= 1
        if _users == 0:
            os.dup2(_kept, 2)
            os.close(_kept)
            _kept = -1
