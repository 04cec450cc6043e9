"""Motion from one program to another over real sockets: a wink stays on its side, a performance stays as it was."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from animator.config import Config, ShowConfig
from animator.data import Array, Expression, HeadPose, Motion
from animator.errors import SettingError, SinkError
from animator.filming import Camera
from animator.maths.rotations import wxyz_from_axis_angle
from animator.pipeline import Moment, open_performance
from animator.protocols.motion_stream import Decoder, Encoder
from animator.rigging.library import load_rig
from animator.sending import sending_to
from animator.sinks.network import open_sender
from animator.sources.network import NetworkSource
from animator.sources.network_urls import open_network_source
from animator.takes.npz import load_takes, save_takes
from animator.takes.take import take_from_motions
from animator.timing import Stopwatch

from .conftest import ROOT
from .protocols.faces import talking_face

SIZE_PX = (320, 240)
SENDERS = {
    "vmc": "vmc://127.0.0.1:{port}",
    "vmc in one bundle": "vmc://127.0.0.1:{port}?bundle=one",
    "vmc as vrm 0": "vmc://127.0.0.1:{port}?names=vrm0",
    "vmc as vrm 1": "vmc://127.0.0.1:{port}?names=vrm1&emotions=on",
    "livelink": "livelink://localhost:{port}",
    "ifacialmocap": "ifacialmocap://127.0.0.1:{port}",
    "ifacialmocap v2": "ifacialmocap://127.0.0.1:{port}?version=v2&status=on",
    "ws": "ws://127.0.0.1:{port}",
}


@contextmanager
def sent_over(url: str, motion: Motion) -> Iterator[NetworkSource]:
    """A source to which `motion` is sent over and over by a thread."""
    scheme = url.partition(":")[0]
    done = threading.Event()
    source = open_network_source(f"{scheme}://127.0.0.1:0" if scheme != "ws" else "ws://:0")
    with closing(source), closing(open_sender(url.format(port=source.receiver.port))) as sink:

        def send() -> None:
            time_s = 0.0
            while not done.wait(0.01):
                sink.write([replace(motion, time_s=time_s)], time_s)
                time_s += 0.01

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield source
        finally:
            done.set()
            thread.join()


@pytest.fixture(scope="module")
def camera() -> Iterator[Camera]:
    config = replace(Config(), show=ShowConfig(size_px=SIZE_PX))
    with closing(Camera(load_rig("human"), config, SIZE_PX, Stopwatch())) as made:
        yield made


def drawn(camera: Camera, motions: tuple[Motion, ...]) -> Array:
    return camera.take(Moment(motions[0].time_s, 0, None, (), motions)).astype(int)


@pytest.mark.parametrize("url", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize(("channel", "on_the_right"), [("eyeBlinkLeft", True), ("eyeBlinkRight", False)])
def test_a_wink_closes_the_avatars_eye_of_the_same_side(
    camera: Camera, url: str, channel: str, on_the_right: bool
) -> None:
    """The avatar faces us: its left eye is at the picture's right."""
    still = drawn(camera, (Motion(0.0, 0),))
    with sent_over(url, Motion(0.0, 0, expression=Expression.of(**{channel: 1.0}))) as source:
        winking = drawn(camera, next(iter(source)))
    where = np.abs(winking - still).max(2) > 24
    left, right = where[:, : SIZE_PX[0] // 2].sum(), where[:, SIZE_PX[0] // 2 :].sum()
    near, far = (right, left) if on_the_right else (left, right)
    assert near > 40
    assert near > 10 * far


@pytest.mark.parametrize(("channel", "on_the_right"), [("eyeBlinkLeft", True), ("eyeBlinkRight", False)])
def test_a_wink_keeps_its_side_in_the_motion_stream(camera: Camera, channel: str, on_the_right: bool) -> None:
    still = drawn(camera, (Motion(0.0, 0),))
    (message,) = Encoder().encode(Motion(0.0, 0, expression=Expression.of(**{channel: 1.0})))
    where = np.abs(drawn(camera, (Decoder().decode(message),)) - still).max(2) > 24
    left, right = where[:, : SIZE_PX[0] // 2].sum(), where[:, SIZE_PX[0] // 2 :].sum()
    near, far = (right, left) if on_the_right else (left, right)
    assert near > 40
    assert near > 10 * far


def test_a_mirror_may_stand_at_either_end(camera: Camera) -> None:
    wink = Motion(0.0, 0, expression=Expression.of(eyeBlinkLeft=1.0))
    with sent_over("vmc://127.0.0.1:{port}?mirror=on", wink) as source:
        (motion,) = next(iter(source))
    assert (motion.expression["eyeBlinkLeft"], motion.expression["eyeBlinkRight"]) == (0.0, 1.0)
    source = open_network_source("vmc://127.0.0.1:0?mirror=on")
    with closing(source), closing(open_sender(f"vmc://127.0.0.1:{source.receiver.port}")) as sink:
        sink.write([wink], 0.0)
        (motion,) = next(iter(source))
    assert motion.expression["eyeBlinkRight"] == 1.0


def test_a_performance_is_heard_as_it_was_by_everyone_at_once() -> None:
    motions = talking_face(40)
    with ExitStack() as stack:
        schemes = ("vmc", "livelink", "ifacialmocap")
        sources = [stack.enter_context(closing(open_network_source(f"{name}://127.0.0.1:0"))) for name in schemes]
        urls = [f"{name}://127.0.0.1:{s.receiver.port}" for name, s in zip(schemes, sources, strict=True)]
        with sending_to(urls) as send:
            for motion in motions:
                send(Moment(motion.time_s, 0, None, (), (motion,)))
        for source in sources:
            weights = np.array([m.expression.weights for (m,) in islice(source, 40)])
            np.testing.assert_allclose(weights, [m.expression.weights for m in motions], atol=0.0051)


def test_the_head_of_one_who_is_lost_eases_to_rest() -> None:
    turned = HeadPose(wxyz_from_axis_angle(np.array([0, 1, 0]), 0.6), np.array([0.0, 0, -50]))
    source = open_network_source("ifacialmocap://127.0.0.1:0")
    with closing(source), sending_to([f"ifacialmocap://127.0.0.1:{source.receiver.port}"]) as send:
        for frame in range(61):
            motion = Motion(frame / 30, 0, turned, confidence=float(frame == 0))
            send(Moment(motion.time_s, frame, None, (), (motion,)))
        turns = [2 * np.arcsin(m.pose.rotation_wxyz[2]) for (m,) in islice(source, 61)]
    assert turns[5] == pytest.approx(0.6, abs=1e-6)  # held for a moment
    assert turns[-1] == pytest.approx(0, abs=1e-6)
    assert (np.diff(turns) <= 1e-9).all()


def test_nobody_there_is_said_once_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    source = open_network_source("vmc://127.0.0.1:0")
    port = source.receiver.port
    source.close()  # a port on which surely nobody listens
    now_s = 0.0
    with closing(open_sender(f"vmc://127.0.0.1:{port}", lambda: now_s)) as sink, caplog.at_level(logging.INFO):
        for motion in talking_face(60):
            now_s = motion.time_s
            sink.write([motion], motion.time_s)
        assert sink.refused > 10
        assert [record.message for record in caplog.records] == [
            f"vmc://127.0.0.1:{port}: nobody listens there; going on, in case that changes"
        ]
        with closing(open_network_source(f"vmc://127.0.0.1:{port}")) as source:
            for motion in talking_face(120):
                now_s = 2 + motion.time_s
                sink.write([motion], now_s)
            assert next(iter(source))
        assert caplog.records[-2].message == f"vmc://127.0.0.1:{port}: sent again"


@pytest.mark.parametrize(
    ("url", "error", "reason"),
    [
        ("vmc://127.0.0.1:1?names=vrm2", SettingError, "names=perfect-sync|vrm0|vrm1|both"),
        ("vmc://127.0.0.1:1?nmes=vrm0", SettingError, "no option nmes; it has bones"),
        ("vmc://:39539", SettingError, "wanted vmc://HOST:PORT"),
        ("vmc://127.0.0.1:99999", SettingError, "wanted vmc://HOST:PORT"),
        ("vmc://me@127.0.0.1:5", SettingError, "wanted vmc://HOST:PORT"),
        ("http://127.0.0.1:1", SettingError, "wanted vmc://HOST:PORT, livelink://"),
        ("127.0.0.1:1", SettingError, "wanted vmc://HOST:PORT, livelink://"),
        ("livelink://127.0.0.1:1?flip=up", SettingError, "flip= of yaw,pitch,roll"),
        ("livelink://127.0.0.1:1?subject=", SettingError, "1 to 62 bytes"),
        ("livelink://127.0.0.1:1?fps=1000", SettingError, "fps=1..240"),
        ("livelink://127.0.0.1:1?head=maybe", SettingError, "head=on or head=off"),
        ("livelink://no.such.host.invalid:1", SinkError, "cannot send to livelink://no.such.host.invalid:1"),
        ("ifacialmocap://127.0.0.1:1?reply=5", SettingError, "waits for requests"),
        ("ifacialmocap://:0?version=v2", SettingError, "the asker's choice"),
        ("ws://127.0.0.1", SettingError, "wanted ws://HOST:PORT"),
        ("wss://:1", SettingError, "only ws://:PORT"),
    ],
)
def test_a_wrong_url_is_one_line_with_what_was_wanted(url: str, error: type, reason: str) -> None:
    with pytest.raises(error) as caught:
        open_sender(url)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_when_one_url_is_wrong_the_sockets_of_the_others_are_given_back() -> None:
    with pytest.raises(SettingError), sending_to(["vmc://127.0.0.1:9", "ws://:0", "vmc://"]):
        pass  # a socket that stays open is a ResourceWarning, and so a failure


def test_a_source_drives_a_performance_that_closes_at_once() -> None:
    with closing(open_network_source("livelink://127.0.0.1:0")) as source:
        with open_performance(source) as performance:
            with pytest.raises(TimeoutError):
                performance.next_moment(0.1)
            with closing(open_sender(f"livelink://127.0.0.1:{source.receiver.port}")) as sink:
                sink.write([Motion(0.0, 0, expression=Expression.of(jawOpen=0.5))], 0.0)
            moment = performance.next_moment(30)
            assert moment.motions[0].expression["jawOpen"] == 0.5
            performance.calibrate()
        assert not performance._moments._thread.is_alive()


def test_two_programs_hand_a_performance_over(tmp_path: Path) -> None:
    """`animator run TAKE --send` in one process, `animator record` in another."""
    motions = talking_face(60)
    save_takes(tmp_path / "in.npz", [take_from_motions(motions, 30.0)])
    with closing(open_network_source("livelink://127.0.0.1:0")) as source:
        url = f"livelink://127.0.0.1:{source.receiver.port}"
    program = [sys.executable, str(ROOT / "main.py")]
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    command = [*program, "record", url, "-o", str(tmp_path / "got.npz")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(command, **pipes) as recorder:
        try:
            assert "listening to Live Link Face" in recorder.stderr.readline()
            command = [*program, "run", str(tmp_path / "in.npz"), "--send", url]
            sent = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
            assert sent.returncode == 0, sent.stderr
            assert "has fallen silent" in recorder.stderr.readline()
            recorder.send_signal(signal.SIGTERM)
            out, _ = recorder.communicate(timeout=60)
        finally:
            recorder.kill()
    assert "wrote" in out
    (got,) = load_takes(tmp_path / "got.npz")
    seen = got.confidence > 0
    assert seen.sum() == 60
    np.testing.assert_array_equal(got.weights[seen], [m.expression.weights for m in motions])
    np.testing.assert_allclose(got.rotations_wxyz[seen], [m.pose.rotation_wxyz for m in motions], atol=1e-7)
    np.testing.assert_allclose(got.gaze_rad[seen], [m.gaze.angles_rad for m in motions], atol=1e-6)
    assert np.diff(got.times_s).min() > 0
