"""`animator doctor` and real STUN and TURN servers: Debian's coturn, and ports where nobody answers."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from animator.doctor.servers import helpers
from animator.webrtc import probing

from .helpers import documented, free_port, needs_ice
from .test_turn import Coturn, relaying

needs_coturn = pytest.mark.skipif(shutil.which("turnserver") is None, reason="there is no turnserver (Debian's coturn)")


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    config = documented("ini", "lt-cred-mech")
    login = re.search(r"^user=(.*)$", config, re.MULTILINE)[1].replace(":", ",")
    with relaying(tmp_path_factory.mktemp("coturn"), login, config) as running:
        yield running


@needs_coturn
@needs_ice
def test_a_stun_server_tells_our_address(coturn: Coturn) -> None:
    (finding,) = helpers((f"stun:{coturn.address}",), (), None)
    assert finding.verdict == "ok", finding
    assert re.search(r"sees us as [\d.]+:\d+, in \d+ ms", finding.detail)


@needs_coturn
@needs_ice
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_turn_server_lends_an_address(coturn: Coturn, transport: str) -> None:
    (finding,) = helpers((), (f"turn:{coturn.address}?transport={transport},{coturn.login}",), None)
    assert finding.verdict == "ok", finding
    assert coturn.address.split(":")[0] in finding.detail
    assert coturn.login.split(",")[1] not in str(finding)


@needs_coturn
@needs_ice
def test_a_shared_secret_makes_a_login(tmp_path: Path) -> None:
    (secret,) = re.findall(r"--turn-secret (\S+)", documented("sh", "--turn-secret"))
    config = documented("ini", "lt-cred-mech").replace("lt-cred-mech", "use-auth-secret")
    config = re.sub(r"(?m)^user=.*$", f"static-auth-secret={secret}", config)
    with relaying(tmp_path, "", config) as coturn:
        good, bad = (next(helpers((), (f"turn:{coturn.address}",), told)) for told in (secret, "another"))
    assert (good.verdict, bad.verdict) == ("ok", "bad")


@needs_coturn
@needs_ice
def test_a_wrong_password_is_told_without_being_repeated(coturn: Coturn) -> None:
    (finding,) = helpers((), (f"turn:{coturn.address},animator,not-the-password",), None)
    assert finding.verdict == "bad"
    assert "refuses: 401" in finding.detail
    assert "not-the-password" not in str(finding)


def test_silence_is_told_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "ANSWER_S", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{deaf.getsockname()[1]}"
        findings = list(helpers((f"stun:{place}",), (f"turn:{place},u,p",), None))
    assert [finding.verdict for finding in findings] == ["bad", "bad"]
    assert all("no answer" in finding.detail for finding in findings)


def test_a_closed_tcp_port_is_told() -> None:
    (finding,) = helpers((), (f"turn:127.0.0.1:{free_port()}?transport=tcp,u,p",), None)
    assert (finding.verdict, finding.remedy != "") == ("bad", True)


@pytest.mark.parametrize("text", ["nonsense", "turn:host", "stun:host:99999", "turn:host,user"])
def test_what_is_no_server_is_told(text: str) -> None:
    (finding,) = helpers((text,), (), None)
    assert finding.verdict == "bad"
