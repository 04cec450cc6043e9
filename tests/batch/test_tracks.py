"""A film that is cut is what it was before."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from animator.batch import work
from animator.batch.tracks import Part, agree, cut, going_on
from animator.config import Config
from animator.sources.film_parts import FilmPart, Survey, survey_film
from animator.sources.video import VideoSource
from animator.takes.npz import load_takes


def test_parts_begin_at_key_frames_and_leave_nothing_out():
    survey = Survey(30.0, (640, 480), 9000, tuple(np.arange(0.0, 300.0, 7.0)))
    parts = cut(survey, 60.0)
    assert len(parts) == 5
    assert parts[0] == Part(0.0, 0.0, parts[1].own_from_s)
    assert parts[-1].stop_s is None
    for before, after in pairwise(parts):
        assert before.stop_s == after.own_from_s
        assert after.start_s in survey.key_times_s
        assert 0.9 < after.own_from_s - after.start_s < 1.0


@pytest.mark.parametrize("keys_s", [(), (0.0,), (0.0, 299.9)])
def test_a_film_without_key_frames_to_begin_at_stays_whole(keys_s: tuple[float, ...]):
    assert cut(Survey(30.0, (640, 480), 9000, keys_s), 60.0) == [Part()]
    assert cut(Survey(30.0, (640, 480), None), 60.0) == [Part()]


def test_a_part_has_the_pictures_and_times_of_the_whole(performance_path: Path):
    whole = list(VideoSource(performance_path))
    keys_s = survey_film(performance_path, 1.0).key_times_s
    assert len(keys_s) == 5
    part = FilmPart(performance_path, keys_s[3], keys_s[4])
    for frame, same in zip(part, (f for f in whole if f.time_s >= keys_s[3]), strict=False):
        assert frame.time_s == same.time_s
        assert np.array_equal(frame.rgb, same.rgb)
    part.close()


def test_takes_are_the_same_bit_for_bit_however_a_film_is_cut(performance_path: Path, model_path: Path, tmp_path: Path):
    whole = take_by_parts(performance_path, model_path, tmp_path, [Part()])
    parts = cut(survey_film(performance_path, 1.0), 3.0)
    assert len(parts) == 3
    cut_up = take_by_parts(performance_path, model_path, tmp_path, parts)
    # A part that begins with its own first picture never has the time to find to the same: it is looked at again.
    again = take_by_parts(performance_path, model_path, tmp_path, [Part(0.0, 0.0, 4.0), Part(4.0, 4.0, None)])
    for take in (cut_up, again):
        for name in ("times_s", "weights", "rotations_wxyz", "translations_cm", "gaze_rad", "confidence"):
            assert np.array_equal(getattr(take, name), getattr(whole, name)), name


def take_by_parts(film: Path, model: Path, folder: Path, parts: list[Part]):
    tracked = [work.track_part(film, part, Config(), model, []) for part in parts]
    solved = work.solve(film, parts, Config(), model, ("npz",), *tracked)
    (folder / "take.npz").write_bytes(solved.files[".npz"])
    return load_takes(folder / "take.npz")[0]


def test_a_second_look_ends_where_both_agree():
    def sight(value: float) -> list:
        return [(np.full((478, 3), value, np.float32), 1.0)]

    looked = []

    def look(frame: int) -> list:
        looked.append(frame)
        return sight(frame if frame < 2 else 10 + frame)

    before = [sight(10 + frame) for frame in range(6)]
    seen = going_on(range(6), look, before)
    assert looked == [0, 1, 2]
    assert [s[0][0][0, 0] for s in seen] == [0, 1, 12, 13, 14, 15]
    assert agree([], [])
    assert not agree([], sight(1))
