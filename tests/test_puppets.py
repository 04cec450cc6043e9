"""Bodies on the stage: who stands where, and that nobody is left over."""

from __future__ import annotations

import numpy as np
import pytest

from animator.data import HeadPose, Motion
from animator.pipeline import Moment
from animator.puppets import OVERTAKE_CM, Puppets
from animator.rig import Rig
from animator.rigging.library import load_rig
from animator.timing import Stopwatch
from animator.tracking.config import MAX_FACES


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig("human")


@pytest.fixture
def puppets(rig: Rig) -> Puppets:
    return Puppets(rig, Stopwatch())


def order(puppets: Puppets, x_cm: dict[int, float], time_s: float = 0.0) -> list[int]:
    """Track numbers from left to right, given where each face is."""
    turned = np.array([1.0, 0, 0, 0])
    motions = tuple(
        Motion(time_s, track, HeadPose(turned, np.array([x, 0.0, -50.0 - track])), confidence=1.0)
        for track, x in x_cm.items()
    )
    appearances = puppets.act(Moment(time_s, 0, None, (), motions), "avatar")
    return [round(-appearance.pose.translation_cm[2] - 50) for appearance in appearances]


def test_faces_of_one_camera_stand_as_the_picture_shows_them(puppets: Puppets) -> None:
    assert order(puppets, {0: 20.0, 1: -20.0, 2: 0.0}) == [1, 2, 0]


def test_faces_above_one_another_do_not_flicker(puppets: Puppets) -> None:
    random = np.random.default_rng(1)
    shown = [order(puppets, {0: random.normal(0, 1), 1: random.normal(0, 1)}, t / 30) for t in range(40)]
    assert len(set(map(tuple, shown))) == 1


def test_who_overtakes_changes_places_once(puppets: Puppets) -> None:
    shown = [order(puppets, {0: x, 1: 0.0}) for x in np.linspace(-20, 20, 41)]
    assert shown[0] == [0, 1]
    assert shown[-1] == [1, 0]
    assert shown.index([1, 0]) == 20 + OVERTAKE_CM + 1
    assert all(after == [1, 0] for after in shown[shown.index([1, 0]) :])


def test_who_comes_later_stands_where_the_picture_shows_them(puppets: Puppets) -> None:
    order(puppets, {0: -10.0, 1: 10.0})
    assert order(puppets, {0: -10.0, 1: 10.0, 2: 1.0}) == [0, 2, 1]
    assert order(puppets, {1: 10.0, 2: 1.0}) == [2, 1]


def test_people_before_different_cameras_keep_their_seats(puppets: Puppets) -> None:
    """Where each sits before a camera of their own says nothing of the others."""
    for x_cm in (-30.0, 0.0, 30.0):
        assert order(puppets, {MAX_FACES: x_cm, 0: 0.0, 1: -5.0}) == [1, 0, MAX_FACES]


def test_bodies_go_back_to_the_spares_and_are_used_again(rig: Rig) -> None:
    spares = []
    puppets = Puppets(rig, Stopwatch(), spares)
    order(puppets, {0: 0.0, 1: 10.0})
    order(puppets, {1: 10.0})
    assert len(spares) == 1
    puppets.close()
    assert len(spares) == 2
    kept = set(map(id, spares))
    order(Puppets(rig, Stopwatch(), spares), {3: 0.0, 4: 10.0})
    assert not spares
    assert len(kept) == 2


def test_a_spare_body_shows_nothing_of_its_last_use(rig: Rig) -> None:
    spares = []
    first, fresh = Puppets(rig, Stopwatch(), spares), Puppets(rig, Stopwatch())
    first.act(Moment(0.0, 0, None, (), (Motion(0.0, 0, confidence=1.0),)), "avatar")
    smiling = Motion(0.0, 0, confidence=1.0)
    smiling.expression.weights[:] = 0.7
    first.act(Moment(0.1, 0, None, (), (smiling,)), "avatar")
    first.close()
    at_rest = Moment(0.0, 0, None, (), ())
    (again,) = Puppets(rig, Stopwatch(), spares).act(at_rest, "avatar")
    (new,) = fresh.act(at_rest, "avatar")
    np.testing.assert_array_equal(again.mesh.positions, new.mesh.positions)


def test_another_rig_has_bodies_of_its_own(rig: Rig) -> None:
    spares = []
    puppets = Puppets(rig, Stopwatch(), spares)
    order(puppets, {0: 0.0})
    puppets.use_rig(load_rig("human"))
    order(puppets, {0: 0.0, 1: 5.0})
    puppets.close()
    assert not spares
