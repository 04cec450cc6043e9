"""A tracker that waits for somebody: fresh, taken once, made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from animator.errors import ModelError, TrackingError
from animator.server.warm import WarmTracker, rehearse
from animator.tracking.config import TrackingConfig

USUAL, OTHER = TrackingConfig(), TrackingConfig(faces=3, detection_confidence=0.3)


class FakeTracker:
    def __init__(self, config: TrackingConfig) -> None:
        self.config, self.closed, self.remade = config, 0, 0

    def configure(self, config: TrackingConfig) -> None:
        self.config, self.remade = config, self.remade + 1

    def close(self) -> None:
        self.closed += 1


class Factory:
    def __init__(self) -> None:
        self.made: list[FakeTracker] = []
        self.broken = False

    def __call__(self, config: TrackingConfig) -> FakeTracker:
        if self.broken:
            raise TrackingError("no model")
        self.made.append(FakeTracker(config))
        return self.made[-1]


@pytest.fixture
def factory() -> Factory:
    return Factory()


def test_nobody_gets_the_tracker_of_another(factory: Factory) -> None:
    warm = WarmTracker(factory, USUAL)
    warm.refill()
    taken = [warm.take(USUAL) for _ in range(3)]
    assert len(set(map(id, taken))) == 3
    warm.refill()
    assert warm.take(USUAL) not in taken


def test_the_first_to_come_waits_for_nothing(factory: Factory) -> None:
    warm = WarmTracker(factory, USUAL)
    warm.refill()
    (ready,) = factory.made
    assert warm.take(USUAL) is ready
    assert not ready.remade
    assert len(factory.made) == 1


def test_it_takes_on_the_settings_that_are_wanted(factory: Factory) -> None:
    warm = WarmTracker(factory, USUAL)
    warm.refill()
    assert warm.take(OTHER).config == OTHER
    assert warm.take(OTHER).config == OTHER
    warm.refill()
    assert warm.take(USUAL).config == USUAL


def test_no_more_than_one_waits(factory: Factory) -> None:
    warm = WarmTracker(factory, USUAL)
    for _ in range(3):
        warm.refill()
    assert len(factory.made) == 1


def test_closing_frees_the_one_that_waits_and_makes_no_other(factory: Factory) -> None:
    warm = WarmTracker(factory, USUAL)
    warm.refill()
    taken = warm.take(USUAL)
    warm.refill()
    warm.close()
    warm.close()
    warm.refill()
    assert [tracker.closed for tracker in factory.made] == [0, 1]
    assert not taken.closed


def test_what_is_missing_is_told_to_who_takes_one(factory: Factory) -> None:
    warm, factory.broken = WarmTracker(factory, USUAL), True
    warm.refill()
    with pytest.raises(TrackingError, match="no model"):
        warm.take(USUAL)


def test_a_rehearsal_finds_a_model_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "wrong.task").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="not the known"):
        rehearse(tmp_path / "wrong.task")
