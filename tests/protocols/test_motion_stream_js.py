"""The page's motion stream is this package's, byte for byte and number for number; needs node."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.data import Motion
from animator.errors import ProtocolError
from animator.protocols.motion_stream import KEY_REQUEST, Decoder, Encoder
from tests.bench.bench_motion_stream import motions_of
from tests.protocols.faces import talking_face, wild_faces

MODULE = Path(__file__).resolve().parents[2] / "animator" / "server" / "page" / "motion_stream.js"
DRIVER = """
import { readFileSync } from "node:fs";
const [path] = process.argv.slice(1);
const text = readFileSync(path).toString("base64");
const { Decoder, Encoder, KEY_REQUEST, ProtocolError } = await import("data:text/javascript;base64," + text);
const { motions, messages, requests } = JSON.parse(readFileSync(0, "utf8"));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const encoder = new Encoder(), decoder = new Decoder();
const encoded = motions.map((motion, i) => {
  if (requests.includes(i)) encoder.requestKey();
  return encoder.encode(motion).map(hex);
});
const decoded = messages.map((message) => {
  let motion;
  try {
    motion = decoder.decode(Uint8Array.from(Buffer.from(message, "hex")));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    motion = "refused";
  }
  return [motion, decoder.wantsKey];
});
console.log(JSON.stringify({ encoded, decoded, request: hex(KEY_REQUEST) }));
"""


def in_node(motions: list[Motion], messages: list[bytes], requests: tuple[int, ...] = ()) -> dict[str, Any]:
    """What the page's encoder makes of `motions`, and its decoder of `messages`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on PATH")
    told = {"motions": [plain(m) for m in motions], "messages": [m.hex() for m in messages], "requests": requests}
    done = subprocess.run(
        [node, "--input-type=module", "-e", DRIVER, str(MODULE)],
        input=json.dumps(told), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def plain(motion: Motion) -> dict[str, Any]:
    """A motion as the page holds it."""
    return {
        "timeS": motion.time_s,
        "trackId": motion.track_id,
        "rotationWxyz": motion.pose.rotation_wxyz.tolist(),
        "translationCm": motion.pose.translation_cm.tolist(),
        "gazeRad": motion.gaze.angles_rad.tolist(),
        "weights": motion.expression.weights.astype(float).tolist(),
        "confidence": motion.confidence,
    }


def encoded_here(motions: list[Motion], requests: tuple[int, ...] = ()) -> list[tuple[bytes, ...]]:
    encoder, groups = Encoder(), []
    for index, motion in enumerate(motions):
        if index in requests:
            encoder.request_key()
        groups.append(encoder.encode(motion))
    return groups


def assert_alike(answers: list[Any], messages: list[bytes]) -> None:
    """The page's decoder answered as this package's does."""
    decoder = Decoder()
    for message, (there, wants_key) in zip(messages, answers, strict=True):
        try:
            here = decoder.decode(message)
        except ProtocolError:
            assert there == "refused"
        else:
            if here is None:
                assert there is None
            else:
                there["weights"] = np.array(there["weights"], np.float32).astype(float).tolist()
                assert plain(here) == there
        assert decoder.wants_key == wants_key


def check_both_ways(motions: list[Motion], requests: tuple[int, ...] = ()) -> None:
    groups = encoded_here(motions, requests)
    messages = [message for group in groups for message in group]
    told = in_node(motions, messages, requests)
    assert told["encoded"] == [[message.hex() for message in group] for group in groups]
    assert_alike(told["decoded"], messages)


def test_wild_faces_cross_both_ways() -> None:
    check_both_ways([m for pair in zip(wild_faces(200), wild_faces(200, 1, 15), strict=True) for m in pair])


def test_a_talking_face_crosses_both_ways_with_requests() -> None:
    check_both_ways(talking_face(200), requests=(1, 17, 40))


@pytest.mark.parametrize("start_s", [-1e9, -0.2, 2**31 / 1000 - 0.2, 2**32 / 1000 - 0.2, 1.7e9])
def test_time_crosses_both_ways(start_s: float) -> None:
    motions = talking_face(20)
    check_both_ways([Motion(start_s + m.time_s, 0, m.pose, m.gaze, m.expression) for m in motions])


def test_a_real_performance_crosses_both_ways(shared: Callable[[str], Path]) -> None:
    check_both_ways(motions_of(shared("recordings/alex_rom_3.csv"))[:1500])


def test_loss_and_damage_are_met_alike() -> None:
    random = np.random.default_rng(5)
    messages = [message for group in encoded_here(talking_face(300)) for message in group]
    kept = [message for message in messages if random.random() > 0.3]
    order = np.argsort(np.arange(len(kept)) + random.uniform(0, 5, len(kept)))
    met: list[bytes] = [KEY_REQUEST, b"", b"\xa1\x00", b"\xa2" * 20]
    for i in order:
        met.append(kept[i])
        damaged = bytearray(kept[i])
        damaged[random.integers(len(damaged))] ^= int(random.integers(1, 256))
        met += [bytes(damaged), bytes(damaged[: random.integers(len(damaged))]), b"\xa1" + random.bytes(40)]
    told = in_node([], met)
    assert told["request"] == KEY_REQUEST.hex()
    assert_alike(told["decoded"], met)
