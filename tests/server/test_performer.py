"""One performer: settings, motion, clocks, and what goes wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from animator.config import Config, ShowConfig
from animator.errors import SettingError, SourceError
from animator.pipeline import Moment
from animator.rendering.framing import VIEWS
from animator.rigging.library import known_rigs
from animator.server.performer import (
    HEARD_FOR_S,
    NAMES,
    RESTART_S,
    SLIDERS,
    TRACKS_EACH,
    Performer,
    motions_of_all,
)
from animator.tracking.config import MAX_FACES

from .helpers import Motions, motion_at, performance_of
from .live import wait_for


class Watch:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def performer() -> Performer:
    return Performer(Config(), lambda: None, Watch())


def test_every_setting_is_told(performer: Performer) -> None:
    assert performer.settings().keys() == set(NAMES)
    assert performer.set({}) == performer.settings()


@pytest.mark.parametrize("name", SLIDERS)
@pytest.mark.parametrize("value", [0, 37, 62.0, 100])
def test_sliders(performer: Performer, name: str, value: float) -> None:
    assert performer.set({name: value})[name] == value
    stage, field = SLIDERS[name]
    assert getattr(getattr(performer.config, stage), field) == pytest.approx(value / 100)


@pytest.mark.parametrize(
    ("name", "values"),
    [("faces", [1, MAX_FACES]), ("view", VIEWS), ("rig", known_rigs()), ("mirror", [True, False])],
)
def test_other_settings(performer: Performer, name: str, values: list[Any]) -> None:
    for value in values:
        assert performer.set({name: value})[name] == value


def test_what_is_not_named_stays(performer: Performer) -> None:
    performer.set({"faces": 4, "smoothing": 10, "mirror": True})
    before = performer.settings()
    assert performer.set({"view": "mask"}) == before | {"view": "mask"}


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: value} for name in SLIDERS for value in (-1, 101, "50", None, True, [50], float("nan"), 1e400)),
        *({"faces": value} for value in (0, MAX_FACES + 1, 1.5, "1", True, None, float("inf"))),
        *({"mirror": value} for value in ("false", 0, 1, None, [])),
        *({"view": value} for value in ("", "front", None, 3, ["avatar"], {})),
        *(
            {"rig": value}
            for value in ("", "..", "../human", "human/", "./human", "/etc/passwd", "HUMAN", None, 1, [], {})
        ),
        {"rig": f"{known_rigs()[0]}/../{known_rigs()[0]}"},
        {"calibrate": 1},
        {"": 1},
        {"__class__": 1},
        {"background": "/etc/passwd"},
    ],
    ids=repr,
)
def test_what_cannot_be_set_changes_nothing(performer: Performer, wrong: dict[str, Any]) -> None:
    before = performer.config
    for changes in (wrong, {"faces": 2, "mirror": True} | wrong):
        with pytest.raises(SettingError) as error:
            performer.set(changes)
        assert "\n" not in str(error.value)
        assert performer.config is before


def test_settings_begin_with_the_servers(performer: Performer) -> None:
    config = Config(show=ShowConfig(view="mesh", mirror=True))
    settings = Performer(config, lambda: None).settings()
    assert (settings["view"], settings["mirror"]) == ("mesh", True)


def test_motion_from_the_network_is_the_newest_moment() -> None:
    told: list[int] = []
    performer = Performer(Config(), lambda: told.append(1), Watch())
    performer.hear(motion_at(5.0))
    performer.hear(motion_at(5.03, jaw=0.9))
    assert performer.newest.motions == (performer.newest.motions[0],)
    assert performer.newest.time_s == 5.03
    assert performer.faces == 1
    assert performer.frames_solved == len(told) == 2


def test_motion_that_comes_late_is_let_go(performer: Performer) -> None:
    performer.hear(motion_at(5.0))
    performer.hear(motion_at(5.0 - RESTART_S / 2))
    assert performer.newest.time_s == 5.0
    performer.hear(motion_at(1.0))  # a sender that has begun anew
    assert performer.newest.time_s == 1.0


def test_faces_of_one_sender_stand_together_until_one_is_gone(performer: Performer) -> None:
    for time_s in (1.0, 1.03):
        for track in (0, 1):
            performer.hear(motion_at(time_s, track))
    assert [motion.track_id for motion in performer.newest.motions] == [0, 1]
    performer.hear(motion_at(1.03 + HEARD_FOR_S / 2, 1))
    assert performer.faces == 2
    performer.hear(motion_at(1.1 + HEARD_FOR_S, 1))
    assert [motion.track_id for motion in performer.newest.motions] == [1]


def heard_by(performer: Performer) -> list[Moment]:
    moments: list[Moment] = []
    performer.listen(moments.append)
    return moments


def faces_of(moment: Moment) -> list[tuple[int, float]]:
    return [(motion.track_id, motion.time_s) for motion in moment.motions]


def test_faces_of_one_instant_make_one_moment(performer: Performer) -> None:
    for track in (0, 1, 2):
        performer.hear(motion_at(1.0, track))
    moments = heard_by(performer)
    for frame in range(1, 20):
        for track in (0, 1, 2):
            performer.hear(motion_at(1.0 + frame / 30, track))
    assert len(moments) == 19
    for frame, moment in enumerate(moments, 1):
        assert faces_of(moment) == [(track, 1.0 + frame / 30) for track in (0, 1, 2)]


@pytest.mark.parametrize("behind_s", [0.0, 0.01, 0.05, 0.3])
def test_a_face_whose_clock_is_behind_is_shown_all_the_same(performer: Performer, behind_s: float) -> None:
    for frame in range(30):
        performer.hear(motion_at(1.0 + frame / 30, 0))
        performer.hear(motion_at(1.0 + frame / 30 - behind_s, 1))
        assert performer.faces == (2 if frame or behind_s <= HEARD_FOR_S else 1)
        assert performer.newest.motions[1].time_s == pytest.approx(1.0 + frame / 30 - behind_s)


def test_no_face_flickers_whatever_is_lost_or_overtaken(performer: Performer) -> None:
    """Three faces at 30 a second, a tenth of the messages lost, others in any order."""
    random = np.random.default_rng(3)
    moments = heard_by(performer)
    for frame in range(300):
        for track in random.permutation(3):
            if random.random() > 0.1:
                performer.hear(motion_at(1.0 + frame / 30, int(track)))
    all_here = next(i for i, moment in enumerate(moments) if len(moment.motions) == 3)
    assert all_here < 10
    for moment in moments[all_here:]:
        assert [track for track, _ in faces_of(moment)] == [0, 1, 2]
        assert max(moment.time_s - time_s for _, time_s in faces_of(moment)) < 0.2
    times_s = [moment.time_s for moment in moments]
    assert times_s == sorted(times_s)
    assert len(moments) < 450  # not one for each of 810 messages


def test_one_face_that_is_gone_holds_up_no_other(performer: Performer) -> None:
    for track in (0, 1):
        performer.hear(motion_at(1.0, track))
    moments = heard_by(performer)
    for frame in range(1, 40):
        performer.hear(motion_at(1.0 + frame / 30, 0))
        if frame > 1:
            assert moments[-1].time_s == pytest.approx(1.0 + frame / 30)
    assert [track for track, _ in faces_of(moments[-1])] == [0]


def test_a_sender_takes_no_other_performers_tracks(performer: Performer) -> None:
    performer.hear(motion_at(1.0, TRACKS_EACH))
    assert performer.newest is None


def test_all_performers_go_by_one_clock() -> None:
    watch = Watch()
    first, second = (Performer(Config(), lambda: None, watch) for _ in range(2))
    second.seat = 1
    first.hear(motion_at(0.0))
    second.hear(motion_at(9e5))
    watch.now_s += 0.5
    first.hear(motion_at(0.4))  # this one came 0.1 s late, which is the network's doing
    second.hear(motion_at(9e5 + 0.5))
    motions = motions_of_all([first, second])
    assert [motion.track_id for motion in motions] == [0, TRACKS_EACH]
    assert [motion.time_s for motion in motions] == pytest.approx([100.4, 100.5])
    first.hear(motion_at(8e5))  # its clock jumps: it is set anew
    assert motions_of_all([first])[0].time_s == pytest.approx(watch.now_s)


def test_seats_not_places_number_the_tracks() -> None:
    performers = [Performer(Config(), lambda: None, Watch()) for _ in range(3)]
    for seat, performer in enumerate(performers):
        performer.seat = seat
        performer.hear(motion_at(1.0))
    assert [motion.track_id for motion in motions_of_all(performers[1:])] == [TRACKS_EACH, 2 * TRACKS_EACH]
    assert motions_of_all([Performer(Config(), lambda: None)]) == ()


def test_listeners_hear_every_moment_until_they_stop(performer: Performer) -> None:
    heard: list[Moment] = []
    performer.listen(heard.append)
    performer.hear(motion_at(1.0))
    performer.hear(motion_at(1.1))
    performer.ignore(heard.append)
    performer.hear(motion_at(1.2))
    assert [moment.time_s for moment in heard] == [1.0, 1.1]


def test_a_performance_is_followed_to_its_end(performer: Performer) -> None:
    source = Motions([motion_at(t / 30) for t in range(5)])
    performer.perform(performance_of(source))
    wait_for(lambda: performer.frames_solved == 5)
    assert performer.has_camera
    assert performer.failure() is None
    performer.close()
    assert source.closed


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(SourceError("the camera is gone"), "the camera is gone"), (KeyError("x"), "log tells more")],
)
def test_a_performance_that_breaks_off_says_so_once(performer: Performer, error: Exception, sentence: str) -> None:
    performer.perform(performance_of(Motions([motion_at(0.0)], error)))
    said = wait_for(performer.failure)
    assert sentence in said
    assert performer.failure() is None
    performer.close()


def test_without_a_camera_nothing_fails(performer: Performer) -> None:
    performer.apply()
    performer.calibrate()
    assert performer.failure() is None
    assert performer.faces == 0
    performer.close()
