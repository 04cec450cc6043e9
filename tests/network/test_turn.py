"""Debian's coturn, configured as docs/deployment.md shows, between a real server and a real client."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def relaying(folder: Path, login: str, config: str) -> Iterator[Coturn]:
    """coturn with this configuration, at ports of its own."""
    port, ip, log = free_port(socket.SOCK_DGRAM), own_ip(), folder / "log"
    config = config.replace("listening-port=3478", f"listening-port={port}")
    config += f"listening-ip={ip}\nrelay-ip={ip}\nlog-file={log}\nsimple-log\nverbose\npidfile={folder / 'pid'}\n"
    (folder / "turnserver.conf").write_text(config)
    log.touch()
    program = subprocess.Popen(
        ["turnserver", "-c", str(folder / "turnserver.conf")], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        running = Coturn(f"{ip}:{port}", login, log)
        wait_for(lambda: running.logged(f"UDP listener opened on.*{ip}:{port}") or program.poll() is not None, START_S)
        assert program.poll() is None, log.read_text()[-2000:]
        yield running
    finally:
        program.terminate()
        program.wait()


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    config = documented("ini", "lt-cred-mech")
    login = re.search(r"^user=(.*)$", config, re.MULTILINE)[1].replace(":", ",")
    with relaying(tmp_path_factory.mktemp("coturn"), login, config) as running:
        yield running


@contextmanager
def serving(*flags: str) -> Iterator[Server]:
    server = Server("main.py", "serve", "--host", "127.0.0.1", "--port", "0", *flags)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(coturn: Coturn) -> Iterator[Server]:
    with serving("--ice-server", f"stun:{coturn.address}", "--ice-server", coturn.turn) as running:
        yield running
    assert "gives us no address" not in "".join(running.err)


def check_relayed(url: str, coturn: Coturn, server: str) -> None:
    """A client that goes by this server only gets everything, and by it."""
    with visiting(url, ice=[server], relay_only=True) as performer:
        performer.wait_for("picture", 10)
        performer.wait_for("motion", 10)
        assert set(performer.lines("offering")[0]["candidates"]) == {"relay"}
        ours, _theirs = performer.lines("joined")[0]["route"]
        assert ours == "relay"
        user = server.split(",")[1]
        assert coturn.logged(rf"user <{user}>.*ALLOCATE processed, success")
        assert coturn.logged(rf"user <{user}>.*CHANNEL_BIND processed, success")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_relayed_session_brings_pictures_and_motion_back(coturn: Coturn, server: Server, transport: str) -> None:
    check_relayed(server.url, coturn, f"turn:{coturn.address}?transport={transport},{coturn.login}")


def test_a_login_made_for_one_client_is_taken(tmp_path: Path) -> None:
    """By a secret that the server and coturn share, in place of a user."""
    (secret,) = re.findall(r"--turn-secret (\S+)", documented("sh", "--turn-secret"))
    config = documented("ini", "lt-cred-mech").replace("lt-cred-mech", "use-auth-secret")
    config = re.sub(r"(?m)^user=.*$", f"static-auth-secret={secret}", config)
    with (
        relaying(tmp_path, "", config) as coturn,
        serving("--ice-server", f"turn:{coturn.address}", "--turn-secret", secret) as server,
    ):
        with urllib.request.urlopen(f"{server.url}/config.json") as answer:
            (given,) = json.load(answer)["ice_servers"]
        check_relayed(server.url, coturn, f"{given['urls'][0]},{given['username']},{given['credential']}")


def test_stun_tells_both_ends_their_address(coturn: Coturn, server: Server) -> None:
    with visiting(server.url, ice=[f"stun:{coturn.address}"]) as performer:
        performer.wait_for("joined")
        assert set(performer.lines("offering")[0]["candidates"]) == {"host", "srflx"}
        assert set(performer.lines("answered")[0]["candidates"]) == {"host", "srflx", "relay"}


def test_a_refused_login_is_told_in_a_line_and_holds_nobody_up(coturn: Coturn) -> None:
    wrong = f"turn:{coturn.address},animator,not-the-password"
    with serving("--ice-server", wrong) as server, visiting(server.url) as performer:
        performer.wait_for("picture")
        assert set(performer.lines("answered")[0]["candidates"]) == {"host"}
    (complaint,) = (line for line in server.err if "TURN" in line)
    assert f"the TURN server turn:{coturn.address} gives us no address" in complaint
    assert "not-the-password" not in "".join(server.err + server.out)
