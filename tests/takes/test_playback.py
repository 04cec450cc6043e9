"""The playhead of a take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animator.errors import TakeError
from animator.takes.playback import LEAST_SPAN_S, SPEEDS, Playback


def playback(frames: int = 60, fps: float = 30.0) -> Playback:
    return Playback(5 + np.arange(frames) / fps, fps)


def test_every_frame_is_shown_in_its_own_time() -> None:
    player = playback()
    seen = []
    for _ in range(60):
        seen.append(player.frame)
        player.advance(1 / 30)
    assert seen == list(range(60))
    assert player.is_at_end
    assert player.frame == 59


def test_it_stops_at_the_out_point_or_begins_again_at_the_in_point() -> None:
    player = playback()
    player.set_in(0.5)
    player.set_out(1.5)
    player.seek(1.4)
    player.advance(0.3)
    assert (player.position_s, player.playing) == (1.5, False)
    player.toggle()
    assert (player.position_s, player.playing) == (0.5, True)
    player.loops = True
    player.advance(2.25)
    assert player.position_s == pytest.approx(0.75)
    assert player.playing


@pytest.mark.parametrize("steps", range(-8, 9))
def test_speed_is_a_factor(steps: int) -> None:
    player = playback(6000)
    player.change_speed(steps)
    assert player.speed in SPEEDS
    player.advance(1.0)
    assert player.position_s == pytest.approx(player.speed)


def test_a_step_pauses_and_goes_one_frame_on_uneven_times_too() -> None:
    player = Playback(np.array([0, 0.01, 0.5, 0.6]), 30.0)
    for want in (1, 2, 3, 3):
        player.step(1)
        assert (player.frame, player.playing) == (want, False)
    for want in (2, 1, 0, 0):
        player.step(-1)
        assert player.frame == want


@given(st.lists(st.tuples(st.sampled_from(("advance", "seek", "step", "set_in", "set_out", "toggle", "clear", "speed")),
                          st.floats(-10, 10)), max_size=30), st.booleans())  # fmt: skip
def test_nothing_leads_out_of_the_take(acts: list[tuple[str, float]], loops: bool) -> None:
    player = playback()
    player.loops = loops
    for act, value in acts:
        if act == "speed":
            player.change_speed(int(value))
        elif act in ("toggle", "clear"):
            getattr(player, act)()
        else:
            getattr(player, act)(int(value) if act == "step" else value)
        assert 0 <= player.position_s <= player.duration_s
        assert 0 <= player.frame < 60
        assert 0 <= player.in_s < player.out_s <= player.duration_s
        assert player.out_s - player.in_s >= LEAST_SPAN_S - 1e-9


def test_a_take_without_frames_cannot_be_played() -> None:
    with pytest.raises(TakeError):
        Playback(np.zeros(0), 30.0)
    assert Playback(np.zeros(1), 30.0).frame == 0
