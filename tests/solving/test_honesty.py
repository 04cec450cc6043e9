from __future__ import annotations

import json

import pytest

from animator.channels import ARKIT, UNSEEN
from animator.errors import ModelError
from animator.resources import asset_path
from animator.solving.honesty import SCORES, ChannelScore, load_scores


@pytest.mark.parametrize(
    ("correlation", "verdict"),
    [(0.95, "good"), (0.7, "good"), (0.69, "fair"), (0.4, "fair"), (0.39, "weak"), (0.02, "unseen"), (None, "unseen")],
)
def test_verdicts(correlation, verdict):
    assert ChannelScore("jawOpen", correlation, 0.1).verdict == verdict
    assert ChannelScore(UNSEEN[0], correlation, 0.1).verdict == "unseen"


def test_what_is_shipped_tells_of_every_channel():
    scores = load_scores()
    assert tuple(channel.name for channel in scores.channels) == ARKIT
    assert scores.frames > 1000
    assert scores.people > 10
    without = [channel.name for channel in scores.channels if channel.correlation is None]
    assert without == ["tongueOut"]
    listed = dict(scores.by_verdict())
    assert sorted(name for names in listed.values() for name in names) == sorted(ARKIT)
    assert {"eyeBlinkLeft", "jawOpen", "mouthSmileRight"} <= set(listed["good"])
    assert set(UNSEEN) <= set(listed["unseen"])


def test_measured_with_another_model_is_told(tmp_path):
    said = json.loads(asset_path(SCORES).read_text())
    (tmp_path / "old.json").write_text(json.dumps(said | {"face_model": "0" * 64}))
    assert not load_scores(tmp_path / "old.json").is_current


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"channels": {"jawOpen": {"correlation": 7, "error": 0}}}'])
def test_damaged_scores_are_told_of_in_one_line(tmp_path, content):
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match=r"bad\.json holds no scores") as raised:
        load_scores(path)
    assert "\n" not in str(raised.value)
