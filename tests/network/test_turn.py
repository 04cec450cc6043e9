"""Debian's coturn, configured as docs/deployment.md shows, between a real server and a real client."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.server.live import Server, wait_for

from .helpers import documented, free_port, needs_ice, own_ip, visiting

START_S = 20.0

pytestmark = [
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="there is no turnserver (Debian's coturn)"),
    needs_ice,
]


@dataclass(frozen=True)
class Coturn:
    """One that runs."""

    address: str
    login: str
    log: Path

    @property
    def turn(self) -> str:
        return f"turn:{self.address},{self.login}"

    def logged(self, words: str) -> list[str]:
        """Lines of its log that match."""
        return re.findall(f".*{words}.*", self.log.read_text())


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    folder, port, ip = tmp_path_factory.mktemp("coturn"), free_port(socket.SOCK_DGRAM), own_ip()
    config = documented("ini", "lt-cred-mech").replace("listening-port=3478", f"listening-port={port}")
    log = folder / "log"
    config += f"listening-ip={ip}\nrelay-ip={ip}\nlog-file={log}\nsimple-log\nverbose\npidfile={folder / 'pid'}\n"
    (folder / "turnserver.conf").write_text(config)
    log.touch()
    program = subprocess.Popen(
        ["turnserver", "-c", str(folder / "turnserver.conf")], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        running = Coturn(f"{ip}:{port}", re.search(r"^user=(.*)$", config, re.MULTILINE)[1].replace(":", ","), log)
        wait_for(lambda: running.logged(f"UDP listener opened on.*{ip}:{port}") or program.poll() is not None, START_S)
        assert program.poll() is None, log.read_text()[-2000:]
        yield running
    finally:
        program.terminate()
        program.wait()


def serving(*ice_servers: str) -> Server:
    flags = [word for server in ice_servers for word in ("--ice-server", server)]
    return Server("main.py", "serve", "--host", "127.0.0.1", "--port", "0", *flags)


def test_a_relayed_session_brings_pictures_and_motion_back(coturn: Coturn) -> None:
    server = serving(f"stun:{coturn.address}", coturn.turn)
    try:
        url = server.wait_until_ready().url
        with visiting(url, ice=[coturn.turn], relay_only=True) as performer:
            performer.wait_for("picture", 10)
            performer.wait_for("motion", 10)
            assert set(performer.lines("offering")[0]["candidates"]) == {"relay"}
            assert {"host", "srflx", "relay"} <= set(performer.lines("answered")[0]["candidates"])
            ours, _theirs = performer.lines("joined")[0]["route"]
            assert ours == "relay"
            user = coturn.login.partition(",")[0]
            assert coturn.logged(rf"user <{user}>.*ALLOCATE processed, success")
            assert coturn.logged(rf"user <{user}>.*CHANNEL_BIND processed, success")
    finally:
        server.stop()
    assert "gives us no address" not in "".join(server.err)


def test_stun_tells_a_client_its_address(coturn: Coturn) -> None:
    server = serving()
    try:
        with visiting(server.wait_until_ready().url, ice=[f"stun:{coturn.address}"]) as performer:
            performer.wait_for("joined")
            assert "srflx" in performer.lines("offering")[0]["candidates"]
            assert set(performer.lines("answered")[0]["candidates"]) == {"host"}
    finally:
        server.stop()


def test_a_refused_login_is_told_in_a_line_and_holds_nobody_up(coturn: Coturn) -> None:
    server = serving(f"turn:{coturn.address},animator,not-the-password")
    try:
        with visiting(server.wait_until_ready().url) as performer:
            performer.wait_for("picture")
            assert set(performer.lines("answered")[0]["candidates"]) == {"host"}
    finally:
        server.stop()
    (complaint,) = (line for line in server.err if "TURN" in line)
    assert f"the TURN server turn:{coturn.address} gives us no address" in complaint
    assert "not-the-password" not in "".join(server.err + server.out)
