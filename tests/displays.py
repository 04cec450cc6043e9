"""A virtual X server of a test's own, which it may kill."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def virtual_display() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """(name, process) of one on a free display, ready for clients; skips the test where there is none."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not here")
    read, write = os.pipe()
    # Without -noreset it starts anew, deaf for a moment, whenever its last client has gone.
    # With -displayfd the server chooses a free number and tells it once it is ready: no waiting by guess.
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            pytest.skip("Xvfb does not start here")
        yield f":{number}", server
    finally:
        server.terminate()
        server.wait(10)
