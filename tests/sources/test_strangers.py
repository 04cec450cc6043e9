"""Strangers' connections: a short run of what tests/soak/fuzz_streams.py does a million times."""

from __future__ import annotations

import pytest

from tests.soak.fuzz_streams import KINDS, fuzz


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_streams_and_frames_that_are_nearly_right_do_no_harm(kind: str, seed: int) -> None:
    frames, _seconds, _grown_mb = fuzz(KINDS[kind], 2000, seed)
    assert frames > 0
