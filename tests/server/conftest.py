"""One server for all tests that visit a real one: starting it takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .live import Server, serving
from .visits import SESSIONS, SILENT_S


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving(silent_s=SILENT_S, max_sessions=SESSIONS) as running:
        yield running
        assert "Traceback" not in "".join(running.err)
