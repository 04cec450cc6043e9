"""Pictures become fewer and smaller under overload, and more and larger again when there is room."""

from __future__ import annotations

import itertools

import pytest

from animator.server.governor import CALM, FAST, LADDER, MAX_CALM, PATIENCE, SLOW, Governor

USUAL_S = 0.8 / LADDER[0].fps
SLOW_S = 2 * SLOW / LADDER[-1].fps


def descend(governor: Governor, steps: int) -> None:
    for _ in range(steps * PATIENCE):
        governor.spent(SLOW_S)


def rounds_until_change(governor: Governor, round_s: float) -> int:
    return next(number for number in range(1, 100_000) if governor.spent(round_s))


def test_each_step_asks_for_less_and_never_for_both_at_once() -> None:
    for above, below in itertools.pairwise(LADDER):
        assert (above.fps > below.fps) != (above.scale > below.scale)
    assert (LADDER[0].fps, LADDER[0].scale) == (30, 1.0)
    assert (LADDER[-1].fps, LADDER[-1].scale) == (15, 0.5)
    assert {step.fps for step in LADDER} == {30, 24, 20, 15}


def test_it_begins_on_top_and_stays_while_all_is_well() -> None:
    governor = Governor()
    assert not any(governor.spent(USUAL_S) for _ in range(1000))
    assert governor.step == LADDER[0]
    assert not governor.overloaded


def test_slow_rounds_in_a_row_take_it_down_step_by_step_to_the_last() -> None:
    governor = Governor()
    for step in LADDER[1:]:
        assert rounds_until_change(governor, SLOW_S) == PATIENCE
        assert governor.step == step
        assert governor.overloaded
    assert not any(governor.spent(SLOW_S) for _ in range(10 * PATIENCE))


def test_a_slow_round_now_and_then_changes_nothing() -> None:
    governor = Governor()
    for _ in range(20):
        assert not any(governor.spent(SLOW_S) for _ in range(PATIENCE - 1))
        assert not governor.spent(USUAL_S)


@pytest.mark.parametrize("steps", range(1, len(LADDER)))
def test_it_stays_where_the_load_fits(steps: int) -> None:
    """Between slow on this step and fast for the one above there is room: it does not go to and fro."""
    governor = Governor()
    descend(governor, steps)
    here, above = LADDER[steps], LADDER[steps - 1]
    fits_above_s = FAST / above.fps * (here.scale / above.scale) ** 2
    assert fits_above_s < SLOW / here.fps
    assert not any(governor.spent((fits_above_s + SLOW / here.fps) / 2) for _ in range(2 * MAX_CALM))
    assert governor.step == here


def test_it_recovers_more_slowly_than_it_gave_in() -> None:
    governor = Governor()
    descend(governor, 2)
    for step in (LADDER[1], LADDER[0]):
        assert rounds_until_change(governor, 0.001) == CALM > 2 * PATIENCE
        assert governor.step == step
    assert not any(governor.spent(0.001) for _ in range(1000))


def test_a_recovery_that_did_not_last_is_tried_again_later_and_later() -> None:
    governor = Governor()
    descend(governor, 1)
    waits = []
    for _ in range(5):
        waits.append(rounds_until_change(governor, 0.001))
        descend(governor, 1)
    assert waits == [CALM, 4 * CALM, MAX_CALM, MAX_CALM, MAX_CALM]


def test_after_a_long_calm_it_forgets_that() -> None:
    governor = Governor()
    descend(governor, 1)
    rounds_until_change(governor, 0.001)
    descend(governor, 1)
    rounds_until_change(governor, 0.001)
    for _ in range(10 * CALM):
        governor.spent(USUAL_S)
    descend(governor, 1)
    assert rounds_until_change(governor, 0.001) == CALM
