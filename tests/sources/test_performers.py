"""Who is heard over the network: places, times, silence and rest, all by an imagined clock."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from animator.data import Expression, Gaze, HeadPose, Motion
from animator.maths.rotations import wxyz_from_axis_angle
from animator.protocols.reading import Heard
from animator.sources.performers import (
    FORGOTTEN_S,
    FRAME_BURST,
    MOST_FRAMES_A_SECOND,
    MOST_PERFORMERS,
    SILENT_S,
    Performers,
    SenderClock,
    printable,
)

PHONE = "10.0.0.7:5000"


def saying(time_s: float, *, jaw: float = 0.8, seen: bool = True, key: str = "", label: str = "Ada") -> Heard:
    gaze = Gaze(np.full((2, 2), 0.2))
    return Heard(
        key, label, Motion(time_s, 0, gaze=gaze, expression=Expression.of(jawOpen=jaw), confidence=float(seen))
    )


def hearing(those: Performers, seconds: float, start_s: float = 0.0, sender: str = PHONE, **said) -> float:
    """60 frames a second; returns when the last one came."""
    frames = round(seconds * 60)
    for frame in range(frames):
        assert those.hear(sender, saying(start_s + frame / 60, **said), start_s + frame / 60)
    return start_s + (frames - 1) / 60


def ticking(those: Performers, start_s: float, end_s: float) -> list[tuple[Motion, ...]]:
    return [found for t in np.arange(start_s, end_s, 1 / 30) if (found := those.tick(float(t)))]


def test_who_falls_silent_is_told_once_eases_to_rest_and_is_told_again_when_back() -> None:
    those = Performers()
    last_s = hearing(those, 1.0)
    assert ticking(those, last_s, last_s + SILENT_S) == []
    assert not those.said
    eased = ticking(those, last_s + SILENT_S + 0.001, last_s + 5)
    assert list(those.said) == ["Ada at 10.0.0.7 has fallen silent"]
    jaws = [motions[0].expression["jawOpen"] for motions in eased]
    assert jaws[0] == pytest.approx(0.8)
    assert all(a >= b for a, b in pairwise(jaws))
    assert jaws[-1] == 0
    assert not eased[-1][0].gaze.angles_rad.any()
    assert {motions[0].confidence for motions in eased} == {0.0}
    assert len(eased) < 50  # at rest nothing more is told
    (back,) = those.hear(PHONE, saying(9.0), 9.0)
    assert back.expression["jawOpen"] == pytest.approx(0.8)
    assert list(those.said)[1:] == ["Ada at 10.0.0.7 is back"]


def test_a_face_that_is_lost_is_held_then_eases_while_its_sender_goes_on() -> None:
    those = Performers()
    last_s = hearing(those, 1.0)
    jaws = []
    for frame in range(1, 120):
        (motion,) = those.hear(PHONE, saying(last_s + frame / 60, jaw=0.0, seen=False), last_s + frame / 60)
        jaws.append(motion.expression["jawOpen"])
        assert motion.confidence == 0
    assert jaws[10] == pytest.approx(0.8)
    assert 0 < jaws[40] < 0.8
    assert jaws[-1] == 0
    assert not those.said


def test_times_rise_whatever_senders_say_and_keep_even_where_they_are_even() -> None:
    those, random = Performers(), np.random.default_rng(0)
    came_s = np.sort(np.arange(600) / 60 + random.exponential(0.01, 600))
    times_s = [those.hear(PHONE, saying(5000 + i / 60), float(t))[0].time_s for i, t in enumerate(came_s)]
    steps = np.diff(times_s)
    assert np.abs(steps - 1 / 60).max() < 1e-3  # arrivals jitter by 10 ms and more
    wild = Performers()
    for frame in range(200):
        wild.hear(PHONE, saying(float(random.normal(0, 1e6))), frame / 60)
        wild.hear("10.0.0.8:1", saying(frame / 60), frame / 60)
    found = [m[0].time_s for t in range(50) if (m := wild.hear(PHONE, saying(1e9 + t), 4 + t / 60))]
    assert (np.diff(found) > 0).all()


def test_late_and_repeated_frames_are_left_out() -> None:
    clock = SenderClock()
    assert clock.local_s(10.0, 100.0) == 100.0
    assert clock.local_s(10.02, 100.02) == pytest.approx(100.02)
    assert clock.local_s(10.02, 100.021) is None
    assert clock.local_s(10.01, 100.03) is None
    assert clock.local_s(3.0, 100.04) == pytest.approx(100.04)  # set anew: the sender was started again
    assert clock.local_s(3.01, 100.06) == pytest.approx(100.05, abs=1e-3)


def test_a_clock_that_stands_or_is_coarse_loses_no_frame() -> None:
    for coarse_hz in (0.01, 15, 60):
        clock = SenderClock()
        found = [clock.local_s(int(i / 120 * coarse_hz) / coarse_hz, 50 + i / 120) for i in range(600)]
        assert None not in found
        assert np.abs(np.array(found) - 50 - np.arange(600) / 120).max() < 0.14


def test_a_clock_that_drifts_is_followed() -> None:
    clock = SenderClock()
    for frame in range(60 * 600):
        now_s = frame / 60
        assert abs(clock.local_s(now_s * 1.0002, now_s) - now_s) < 0.01


def test_too_many_frames_are_left_out() -> None:
    those = Performers()
    taken = sum(bool(those.hear(PHONE, saying(i / 10_000), i / 10_000)) for i in range(20_000))
    assert taken <= 2 * MOST_FRAMES_A_SECOND + FRAME_BURST + 1


def test_each_sender_and_each_subject_has_a_place_of_its_own() -> None:
    those = Performers()
    those.hear(PHONE, saying(0.0, key="a"), 0.0)
    those.hear(PHONE, saying(0.0, key="b", jaw=0.1), 0.01)
    found = those.hear("10.0.0.8:1", saying(0.0, jaw=0.3), 0.02)
    assert [m.track_id for m in found] == [0, 1, 2]
    assert [round(m.expression["jawOpen"], 3) for m in found] == [0.8, 0.1, 0.3]
    assert len({m.time_s for m in found}) == 1


def test_there_is_room_for_eight_and_nothing_grows() -> None:
    those = Performers()
    for number in range(500):
        found = those.hear(f"10.0.0.{number % 250}:{number}", saying(0.0, key=str(number)), 0.001 * number)
        assert bool(found) == (number < MOST_PERFORMERS)
    later_s = 1 + FORGOTTEN_S + SILENT_S
    assert those.hear("10.1.0.1:1", saying(0.0), later_s)
    assert len(those._those) <= MOST_PERFORMERS


def test_a_program_that_is_started_again_takes_its_old_place() -> None:
    those = Performers()
    last_s = hearing(those, 0.5)
    ticking(those, last_s, last_s + 2)
    (motion,) = those.hear("10.0.0.7:6000", saying(0.0), last_s + 2)
    assert motion.track_id == 0
    assert "is back" in those.said[-1]


def test_who_is_long_gone_leaves_the_stage_to_the_others() -> None:
    those = Performers()
    hearing(those, 0.5)
    last_s = hearing(those, 1.0 + FORGOTTEN_S, start_s=0.5, sender="10.0.0.8:1")
    those.tick(last_s)
    (motion,) = those.hear("10.0.0.8:1", saying(last_s + 0.1), last_s + 0.1)
    assert motion.track_id == 1


@pytest.mark.parametrize("straight", [True, False])
def test_straight_ahead_may_be_what_came_first_or_what_comes_next(straight: bool) -> None:
    tilted = wxyz_from_axis_angle([1, 0, 0], -0.4)
    said = Heard("", "", Motion(0.0, 0, HeadPose(tilted, np.zeros(3))))
    those = Performers(straight=straight)
    (first,) = those.hear(PHONE, said, 0.0)
    if not straight:
        np.testing.assert_array_equal(first.pose.rotation_wxyz, tilted)
        those.calibrate()
        (first,) = those.hear(PHONE, said._replace(motion=Motion(0.1, 0, HeadPose(tilted, np.zeros(3)))), 0.1)
    np.testing.assert_allclose(np.abs(first.pose.rotation_wxyz), [1, 0, 0, 0], atol=1e-9)


def test_what_strangers_say_does_nothing_to_a_terminal() -> None:
    those = Performers()
    those.hear(PHONE, saying(0.0, label="\x1b[2Jboo\r\n" + "x" * 500), 0.0)
    those.tick(2.0)
    (line,) = those.said
    assert line.isprintable()
    assert len(line) < 100
    assert printable("a\x00b\u202ec") == "a b c"
