"""A lost performer: held, eased, and back at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from animator.maths.easing import EASE_S, HOLD_S
from animator.rigging.posing import Poser

from .conftest import motion

TURNED = motion((0.6, 0.1, 0.0))


def at(time_s: float, confidence: float, track_id: int = 0) -> object:
    return replace(TURNED, time_s=time_s, confidence=confidence, track_id=track_id)


def test_a_seen_performer_passes_unchanged() -> None:
    given = at(3.0, 0.2)
    assert Poser().pose(given) is given


def test_a_lost_head_is_held_then_eases_to_rest() -> None:
    poser = Poser()
    poser.pose(at(0.0, 1.0))
    held = poser.pose(at(HOLD_S, 0.0)).pose.rotation_wxyz
    np.testing.assert_allclose(held, TURNED.pose.rotation_wxyz, atol=1e-9)
    shares = [poser.pose(at(HOLD_S + EASE_S * k / 10, 0.0)).pose.rotation_wxyz[0] for k in range(11)]
    assert (np.diff(shares) > 0).all()
    np.testing.assert_allclose(shares[-1], 1.0, atol=1e-9)


def test_performers_are_lost_one_by_one() -> None:
    poser = Poser()
    poser.pose(at(0.0, 1.0, track_id=0))
    poser.pose(at(5.0, 1.0, track_id=1))
    gone = poser.pose(at(5.1, 0.0, track_id=0)).pose.rotation_wxyz
    held = poser.pose(at(5.1, 0.0, track_id=1)).pose.rotation_wxyz
    np.testing.assert_allclose(gone, [1, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(held, TURNED.pose.rotation_wxyz, atol=1e-9)


def test_a_recording_that_starts_again_is_seen_afresh() -> None:
    poser = Poser()
    poser.pose(at(10.0, 1.0))
    np.testing.assert_allclose(poser.pose(at(0.0, 0.0)).pose.rotation_wxyz, TURNED.pose.rotation_wxyz, atol=1e-9)
