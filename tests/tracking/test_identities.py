from __future__ import annotations

import numpy as np

from animator.tracking.identities import KEEP_S, Identities


def face(x_px: float, y_px: float = 200.0, size_px: float = 100.0) -> np.ndarray:
    unit = np.random.default_rng(0).random((478, 2)) - 0.5
    return unit * size_px + (x_px, y_px)


def test_faces_keep_their_seats_whatever_the_order() -> None:
    seats = Identities()
    assert seats.assign([face(100), face(400)], 0.0) == [0, 1]
    assert seats.assign([face(405), face(102)], 0.03) == [1, 0]
    assert seats.assign([face(110)], 0.06) == [0]


def test_crossing_slowly_keeps_identity() -> None:
    seats = Identities()
    for step in range(40):
        a, b = face(100 + 8 * step, 200), face(412 - 8 * step, 330)
        assert seats.assign([b, a] if step % 2 else [a, b], step / 30) == ([1, 0] if step % 2 else [0, 1])


def test_a_face_that_comes_back_soon_has_its_seat() -> None:
    seats = Identities()
    seats.assign([face(100), face(400)], 0.0)
    assert seats.assign([face(400)], 0.5) == [1]
    assert seats.assign([face(120), face(400)], 0.9) == [0, 1]


def test_a_stranger_elsewhere_does_not_take_a_seat_that_is_kept() -> None:
    seats = Identities()
    seats.assign([face(100)], 0.0)
    assert seats.assign([face(900)], 0.1) == [1]


def test_seats_are_free_after_a_while() -> None:
    seats = Identities()
    seats.assign([face(100)], 0.0)
    assert seats.assign([], KEEP_S + 0.1) == []
    assert seats.assign([face(900)], KEEP_S + 0.2) == [0]


def test_a_face_seen_twice_counts_once() -> None:
    assert Identities().assign([face(100), face(108)], 0.0) == [0, None]
