"""A calibration comes back as it went; what is not ours is refused."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from animator.errors import ProtocolError
from animator.server.keepsake import STEP_CM, keepsake, profile_from_keepsake
from animator.solving.profile import Profile

GIVEN = keepsake(2, Profile("", np.random.default_rng(1).normal(0, 6, (478, 3)).astype(np.float32), {"eyeBlink": 0.83}))


def test_what_was_given_comes_back() -> None:
    neutral_cm = np.random.default_rng(0).uniform(-14, 14, (478, 3)).astype(np.float32)
    given = json.loads(json.dumps(keepsake(3, Profile("me", neutral_cm, {"eyeBlink": 0.912345}))))
    face, profile = profile_from_keepsake(given)
    assert face == 3
    assert np.abs(profile.neutral_cm - neutral_cm).max() <= 0.51 * STEP_CM
    assert profile.ranges == {"eyeBlink": pytest.approx(0.9123, abs=1e-4)}
    assert len(json.dumps(given)) < 5000


@pytest.mark.parametrize(
    "change",
    [
        {"face": 8}, {"face": -1}, {"face": True}, {"face": "0"}, {"face": None},
        {"neutral": None}, {"neutral": 5}, {"neutral": "not base64!"}, {"neutral": base64.b64encode(b"abc").decode()},
        {"neutral": base64.b64encode(bytes(400)).decode()}, {"neutral": "é"},
        {"ranges": None}, {"ranges": {"eyeBlink": 7}}, {"ranges": {"eyeBlink": float("nan")}},
        {"ranges": {"eyeBlink": "much"}}, {"ranges": {str(i): 0.5 for i in range(99)}},
    ],
)  # fmt: skip
def test_what_is_not_ours_is_refused(change: dict) -> None:
    with pytest.raises(ProtocolError, match="calibration: "):
        profile_from_keepsake(GIVEN | change)
