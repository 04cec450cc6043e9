"""Puppets that come as video: which pictures are shown, and how they share the stage."""

from __future__ import annotations

import numpy as np
import pytest

from animator.config import Config
from animator.data import Array, Frame
from animator.pipeline import Moment
from animator.server.drawing import STAGE_SIZE_PX, Output, Painter
from animator.server.finished import Nobody, finished_pictures, side_by_side
from animator.server.performer import Performer
from animator.tracking.config import TrackingConfig

from .helpers import motion_at

GREEN, RED = (0, 255, 0), (255, 0, 0)
DRAWN = 77
"""The grey that stands for what is drawn here."""


def picture(colour: tuple[int, int, int], size_px: tuple[int, int] = (640, 480)) -> Array:
    return np.full((size_px[1], size_px[0], 3), colour, np.uint8)


def sending(rgb: Array | None) -> Performer:
    """A performer whose puppet comes as video; None: its first picture is still to come."""
    performer = Performer(Config(), lambda: None)
    performer.is_finished = True
    if rgb is not None:
        performer.newest = Moment(0.0, 0, Frame(rgb, 0.0, 0), (), ())
    return performer


def moving() -> Performer:
    performer = Performer(Config(), lambda: None)
    performer.hear(motion_at(0.0))
    return performer


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch):
    """Draws a stage, with a plain grey for avatars: (its picture, whose motion was drawn)."""
    painter = Painter(lambda: 0.0)
    moments: list[Moment] = []

    def render(_output: Output, moment: Moment, _view: str, _rig: str, size_px: tuple[int, int]) -> Array:
        moments.append(moment)
        return picture((DRAWN,) * 3, size_px)

    monkeypatch.setattr(painter, "_render", render)

    def draw(*performers: Performer) -> tuple[Array, int]:
        moments.clear()
        for seat, performer in enumerate(performers):
            performer.seat = seat
        output = Output(None, lambda: list(performers), of_room=True)
        return painter._stage(output, list(performers)), sum(len(moment.motions) for moment in moments)

    return draw


def columns(rgb: Array) -> list[tuple[int, ...]]:
    """The colours from left to right, each named once."""
    row = [tuple(int(v) for v in pixel) for pixel in rgb[rgb.shape[0] // 2]]
    return [colour for index, colour in enumerate(row) if not index or row[index - 1] != colour]


def test_a_stage_without_them_is_as_ever(stage) -> None:
    rgb, drawn = stage(moving(), moving())
    assert (rgb.shape[1], rgb.shape[0]) == STAGE_SIZE_PX
    assert drawn == 2
    assert stage()[1] == 0


def test_one_is_shown_as_it_is(stage) -> None:
    mine = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    rgb, drawn = stage(sending(mine))
    assert np.array_equal(rgb, mine)
    assert drawn == 0


@pytest.mark.parametrize("others", [0, 1, 2, 5])
@pytest.mark.parametrize("finished", [1, 2, 3])
def test_all_of_a_room_share_its_stage(stage, others: int, finished: int) -> None:
    colours = [GREEN, RED, GREEN][:finished]
    rgb, drawn = stage(*(moving() for _ in range(others)), *(sending(picture(c)) for c in colours))
    assert rgb.shape[0] == STAGE_SIZE_PX[1]
    assert abs(rgb.shape[1] - STAGE_SIZE_PX[0]) <= 2
    assert rgb.shape[1] % 2 == 0  # as encoders want
    assert drawn == others
    assert columns(rgb) == [(DRAWN,) * 3] * bool(others) + colours
    share = (rgb == DRAWN).all(axis=2).mean()
    assert share == pytest.approx(others / (others + finished), abs=0.01)


def test_who_has_sent_nothing_yet_takes_no_place(stage) -> None:
    assert finished_pictures([sending(None), moving()]) == []
    rgb, _ = stage(sending(None), sending(picture(GREEN)))
    assert columns(rgb) == [GREEN]
    assert stage(sending(None))[0].shape == (480, 640, 3)


@pytest.mark.parametrize("size_px", [(640, 480), (1280, 720), (16, 900), (900, 16), (1, 1)])
def test_pictures_of_any_shape_fill_their_column(size_px: tuple[int, int]) -> None:
    rgb = side_by_side([picture(GREEN, size_px), picture(RED, size_px), picture(GREEN, size_px)], (640, 480))
    assert rgb.shape == (480, 640, 3)
    assert not (rgb == 0).all(axis=2).any()  # no border


def test_the_middle_is_what_is_kept() -> None:
    wide = picture(RED)
    wide[:, 240:400] = GREEN
    rgb = side_by_side([wide] * 4, (640, 480))
    assert columns(rgb) == [GREEN]


def test_nobody_is_looked_for() -> None:
    tracker = Nobody(TrackingConfig())
    assert tracker.track(Frame(picture(RED), 0.0, 0)) == ()
    tracker.close()
