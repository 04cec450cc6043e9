"""Pictures become smaller under overload, and larger again when there is room."""

from __future__ import annotations

from animator.server.governor import FAST_S, PATIENCE, SCALES, SLOW_S, Governor

USUAL_S = (SLOW_S + FAST_S) / 2


def test_it_begins_at_full_size_and_stays_while_all_is_well() -> None:
    governor = Governor()
    assert not any(governor.spent(USUAL_S) for _ in range(1000))
    assert governor.scale == 1.0


def test_slow_rounds_in_a_row_make_pictures_smaller_down_to_a_limit() -> None:
    governor = Governor()
    changes = [governor.spent(2 * SLOW_S) for _ in range(10 * PATIENCE)]
    assert sum(changes) == len(SCALES) - 1
    assert changes.index(True) == PATIENCE - 1
    assert governor.scale == SCALES[-1]


def test_a_slow_round_now_and_then_changes_nothing() -> None:
    governor = Governor()
    for _ in range(20):
        assert not any(governor.spent(2 * SLOW_S) for _ in range(PATIENCE - 1))
        assert not governor.spent(USUAL_S)


def test_it_recovers_more_slowly_than_it_gave_in() -> None:
    governor = Governor()
    for _ in range(PATIENCE):
        governor.spent(2 * SLOW_S)
    rounds = next(number for number in range(1, 10_000) if governor.spent(FAST_S / 2))
    assert rounds > 2 * PATIENCE
    assert governor.scale == 1.0
    assert not any(governor.spent(FAST_S / 2) for _ in range(1000))
