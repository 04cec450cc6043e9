"""Nothing leaves the machine unasked: the program runs where every packet that would is written down. Needs root."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from animator.tracking.model import MODEL_NAME
from tests.conftest import ROOT
from tests.server.live import Server, wait_for

from .helpers import visiting
from .line import NoLineError
from .recorder import BEYOND_IP, DNS_PORT, MDNS_PORT, Recorder, attempt_in, recorded

RUN_S = 300.0
SMALL = ("--size", "64x48")
WITH_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'
"""Gives a program a list of names of its own."""
HOSTS_OF_THE_MODEL = {"storage.googleapis.com", "pypi.org"}
"""It lies in a package on PyPI, too, whose files are asked for once the first has answered."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    opening = recorded()
    try:
        recorder = opening.__enter__()
    except NoLineError as reason:
        pytest.skip(f"a network namespace whose packets are heard cannot be had here: {reason}")
    try:
        yield recorder
    finally:
        opening.__exit__(None, None, None)


@pytest.fixture
def env(tmp_path: Path, model_path: Path) -> dict[str, str]:
    """No display, folders of its own for all that is kept, and the face model at hand."""
    home = {name: str(tmp_path / name.lower()) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return kept | home | {"ANIMATOR_MODEL": str(model_path), "PYTHONPATH": str(ROOT)}


def run(recorder: Recorder, env: dict[str, str], folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """The program, to its end."""
    line = [*recorder.within, sys.executable, str(ROOT / "main.py"), *map(str, words)]
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=RUN_S)
    assert done.returncode in (0, 1), done.stderr
    return done


def test_the_recorder_hears_what_a_program_tries(recorder: Recorder) -> None:
    """Connections, datagrams and names; else the tests below could not fail."""
    script = f"""
import socket
with socket.socket() as one:
    one.setblocking(False)
    one.connect_ex(("{BEYOND_IP}", 80))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.sendto(b"x", ("203.0.113.7", 3478))
    one.sendto(b"x", ("224.0.0.251", {MDNS_PORT}))
    one.sendto(bytes(12) + b"\\x07example\\x03org\\0", ("127.0.0.1", {DNS_PORT}))
"""
    subprocess.run([*recorder.within, sys.executable, "-c", script], check=True)
    heard = wait_until_quiet(recorder)
    assert heard[:3] == [("TCP", BEYOND_IP, 80), ("UDP", "203.0.113.7", 3478), ("UDP", "224.0.0.251", MDNS_PORT)]
    assert [attempt.asked for attempt in recorder.attempts if attempt.port == DNS_PORT] == ["example.org"]


def wait_until_quiet(recorder: Recorder) -> list[tuple[str, str, int]]:
    """What was heard going out, once a packet of ours that was sent last has come through."""
    last = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{BEYOND_IP}', 1))"
    subprocess.run([*recorder.within, sys.executable, "-c", last], check=True)
    wait_for(lambda: any(a.port == 1 and a.device == "out" for a in recorder.attempts), 30.0)
    return [(a.kind, a.host, a.port) for a in recorder.attempts if a.device == "out" and a.port != 1]


def nothing_left(recorder: Recorder) -> bool:
    """Whether nothing went out and no name was asked for; what did is shown by the assertion that fails."""
    wait_until_quiet(recorder)
    told = [str(attempt) for attempt in recorder.outward() if attempt.port != 1]
    assert told == []
    return True


def test_a_clip_is_run_recorded_and_played_without_a_packet(
    recorder: Recorder, env: dict[str, str], tmp_path: Path, face_clip: Path
) -> None:
    run(recorder, env, tmp_path, "run", face_clip, "--out", "a.mp4", "--take", "a.npz", "--profile", "me", *SMALL)
    run(recorder, env, tmp_path, "record", face_clip, "-o", "b.csv")
    run(recorder, env, tmp_path, "play", "a.npz", "--out", "c.mp4", *SMALL)
    run(recorder, env, tmp_path, "convert", "a.npz", "d.bvh")
    assert (tmp_path / "c.mp4").exists()
    assert nothing_left(recorder)
    assert recorder.attempts == [a for a in recorder.attempts if a.port == 1]  # nor to itself


def test_the_doctor_asks_nobody(recorder: Recorder, env: dict[str, str], tmp_path: Path) -> None:
    run(recorder, env, tmp_path, "doctor", "--json")
    assert nothing_left(recorder)


def test_a_page_is_served_without_a_packet_elsewhere(recorder: Recorder, env: dict[str, str]) -> None:
    """No STUN, no mDNS: the client is at the door, and all that it gets comes by addresses of this machine."""
    server = Server("main.py", "serve", "--host", "127.0.0.1", "--port", "0", within=recorder.within, env=env)
    try:
        server.wait_until_ready()
        with visiting(server.url, recorder.within) as performer:
            performer.wait_for("picture", 5)
            performer.wait_for("motion", 5)
    finally:
        server.stop()
    assert nothing_left(recorder)


def test_what_is_sent_goes_where_it_was_told(
    recorder: Recorder, env: dict[str, str], tmp_path: Path, face_clip: Path
) -> None:
    to = f"vmc://{BEYOND_IP}:39539"
    run(recorder, env, tmp_path, "run", face_clip, "--out", "a.mp4", "--send", to, *SMALL)
    assert set(wait_until_quiet(recorder)) == {("UDP", BEYOND_IP, 39539)}


def test_a_stun_server_is_asked_only_where_one_is_named(recorder: Recorder, env: dict[str, str]) -> None:
    flags = ("--host", "127.0.0.1", "--port", "0", "--ice-server", f"stun:{BEYOND_IP}:3478")
    server = Server("main.py", "serve", *flags, within=recorder.within, env=env)
    try:
        server.wait_until_ready()
        with visiting(server.url, recorder.within) as performer:
            performer.wait_for("answered")
    finally:
        server.stop()
    assert set(wait_until_quiet(recorder)) == {("UDP", BEYOND_IP, 3478)}


def test_without_a_model_one_host_is_asked_for_it(
    recorder: Recorder, env: dict[str, str], tmp_path: Path, face_clip: Path
) -> None:
    """The one thing that the program fetches, and it says so."""
    env = env | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PIP_CONFIG_FILE": os.devnull}  # no index of this machine's
    for name in ("ANIMATOR_MODEL", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        env.pop(name, None)
    line = [*recorder.within, sys.executable, str(ROOT / "main.py"), "record", str(face_clip), "-o", "a.npz"]
    done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=RUN_S)
    if done.returncode == 0:
        pytest.skip("the model lies in the package itself here")
    assert MODEL_NAME in done.stderr
    wait_until_quiet(recorder)
    assert {a.asked for a in recorder.outward() if a.port == DNS_PORT} <= HOSTS_OF_THE_MODEL
    assert {a.port for a in recorder.outward() if a.port != 1} <= {DNS_PORT, 443}


def test_what_mediapipe_itself_sends_is_what_the_page_says(
    recorder: Recorder, env: dict[str, str], tmp_path: Path, face_clip: Path
) -> None:
    """docs/privacy.md names the hosts; a new version of the library that asks for others is to be seen here."""
    run(recorder, env, tmp_path, "run", face_clip, "--tracker", "mediapipe", "--out", "a.mp4", *SMALL)
    wait_until_quiet(recorder)
    asked = {attempt.asked for attempt in recorder.outward() if attempt.asked}
    told = {attempt.host for attempt in recorder.outward() if not attempt.asked and attempt.port != 1}
    print(f"mediapipe asked for {sorted(asked) or 'nothing'}, and went to {sorted(told) or 'nobody'}")
    page = (ROOT / "docs" / "privacy.md").read_text("utf-8")
    assert all(name in page for name in asked | told)


def test_where_mediapipe_goes_is_what_the_page_says(
    recorder: Recorder, env: dict[str, str], tmp_path: Path, face_clip: Path
) -> None:
    """With names that lead somewhere it connects; what it would send there is encrypted."""
    page = (ROOT / "docs" / "privacy.md").read_text("utf-8")
    (name,) = {name for name in re.findall(r"`([\w.]+\.googleapis\.com)`", page) if not name.startswith("storage")}
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{BEYOND_IP} {name}\n")
    named = replace(recorder, within=(*recorder.within, "unshare", "-m", "sh", "-c", WITH_HOSTS, str(hosts)))
    run(named, env, tmp_path, "run", face_clip, "--tracker", "mediapipe", "--out", "a.mp4", *SMALL)
    wait_until_quiet(recorder)
    went = {(a.kind, a.host, a.port) for a in recorder.outward() if a.port != 1}
    print(f"mediapipe went to {sorted(went) or 'nobody'}")
    assert went <= {("TCP", BEYOND_IP, 443)}


def test_a_packet_is_read_as_what_it_is() -> None:
    head = bytes([0x45]) + bytes(8) + bytes([6]) + bytes(2) + bytes([10, 0, 0, 1]) + bytes([192, 0, 2, 9])
    ports = bytes([0x9C, 0x40, 1, 0xBB])
    opening, answering = ports + bytes(9) + b"\x02" + bytes(6), ports + bytes(9) + b"\x12" + bytes(6)
    assert str(attempt_in(head + opening, "out")) == "TCP to 192.0.2.9:443"
    assert attempt_in(head + answering, "out") is None
    assert attempt_in(b"", "out") is None
