"""`animator bench`: figures for every stage."""

from __future__ import annotations

import json

import pytest

from animator.cli import main


def test_every_stage_has_its_figures(capsys: pytest.CaptureFixture, model_path) -> None:
    assert main(["bench", "--frames", "20", "--json"]) == 0
    rows = {row["what"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"decode", "track, litert", "track, mediapipe", "solve", "encode H.264", "all, camera to file"} <= set(rows)
    for row in rows.values():
        assert row["trouble"] or (row["wall_ms"] > 0 and row["cpu_ms"] >= 0)
    assert rows["all, camera to file"]["wall_ms"] > rows["solve"]["wall_ms"]


def test_too_few_frames_are_refused(capsys: pytest.CaptureFixture) -> None:
    assert main(["bench", "--frames", "3"]) == 2
    assert "frames" in capsys.readouterr().err
