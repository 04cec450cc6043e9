"""JSON frames: readable by any parser, forgiving of what is absent, strict about the rest."""

from __future__ import annotations

import json

import numpy as np
import pytest

from animator.channels import ARKIT
from animator.data import Expression, Motion
from animator.errors import ProtocolError
from animator.protocols.motion_json import JsonReader, JsonWriter, decode, encode

from .faces import talking_face


def test_any_parser_reads_it() -> None:
    motion = talking_face(3, track_id=4)[2]
    frame = json.loads(encode([motion], 1.25))
    assert frame["animator"] == 1
    assert frame["time_s"] == 1.25
    (performer,) = frame["performers"]
    assert performer["id"] == 4
    assert list(performer["weights"]) == list(ARKIT)
    np.testing.assert_allclose(list(performer["weights"].values()), motion.expression.weights, atol=1e-5)
    np.testing.assert_allclose(performer["rotation_wxyz"], motion.pose.rotation_wxyz, atol=1e-6)
    np.testing.assert_allclose(performer["gaze_rad"], motion.gaze.angles_rad, atol=1e-6)


def test_several_performers_and_none() -> None:
    assert [h.key for h in JsonReader().read(JsonWriter().write([Motion(0, 0), Motion(0, 3)], 0.0)[0], 9.0)] == [
        "0",
        "3",
    ]
    assert JsonReader().read(JsonWriter().write([], 0.0)[0], 9.0) == []
    assert len(json.loads(JsonWriter().write([Motion(0, i) for i in range(20)], 0.0)[0])["performers"]) == 8


def test_what_is_absent_is_at_rest() -> None:
    ((number, motion),) = decode(b'{"animator": 1, "time_s": 2, "performers": [{"weights": {"jawOpen": 1, "x": 5}}]}')
    assert (number, motion.time_s, motion.confidence) == (0, 2.0, 1.0)
    np.testing.assert_array_equal(motion.expression.weights, Expression.of(jawOpen=1).weights)
    np.testing.assert_array_equal(motion.pose.translation_cm, [0, 0, -50])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "wanted an object"), ("{", "not a JSON frame"), ('{"animator": 2}', '"animator": 1'),
        ('{"animator": 1, "time_s": 0}', "performers are a list"), ('{"animator": 1, "time_s": "0"}', "wanted numbers"),
        ('{"animator": 1, "time_s": 0, "performers": [0]}', "object with weights"),
        ('{"animator": 1, "time_s": 0, "performers": [{"weights": {"jawOpen": null}}]}', "wanted numbers"),
        ('{"animator": 1, "time_s": 0, "performers": [{"weights": {"jawOpen": Infinity}}]}', "not a number"),
        ('{"animator": 1, "time_s": 0, "performers": [{"weights": {}, "rotation_wxyz": [0, 0, 0, 0]}]}', "no length"),
        ('{"animator": 1, "time_s": 0, "performers": [{"weights": {}, "rotation_wxyz": [1, 0, 0]}]}', "4 numbers"),
        ('{"animator": 1, "time_s": 0, "performers": [{"weights": {}, "id": -1}]}', "whole number"),
        ('{"animator": 1, "time_s": 0, "performers": [{"weights": {}, "id": true}]}', "whole number"),
        ('{"animator": 1, "time_s": 0, "performers": [{"weights": {}, "gaze_rad": 5}]}', "2 numbers"),
        ('{"animator": 1, "time_s": 0, "performers": [{"weights": {}, "translation_cm": [0, 0, 1e9]}]}', "within"),
        ('{"animator": 1, "time_s": 0, "performers": [' + ",".join(['{"weights": {}}'] * 9) + "]}", "at most 8"),
    ],
)  # fmt: skip
def test_other_objects_are_refused_and_the_reason_is_told(text: str, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        decode(text.encode())
