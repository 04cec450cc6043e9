"""Rooms elsewhere: links, refusals, connections that are lost, and what comes out of a room."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from animator.data import Expression, Motion
from animator.errors import SettingError, SourceError
from animator.protocols.motion_stream import KEY_REQUEST, Encoder
from animator.remote.keeping import Kept
from animator.remote.room import Room
from animator.remote.signalling import Address, Unreachable, address_from_link, ice_servers_of, join
from animator.remote.watching import GONE_S, RemoteMotion
from animator.server.certificates import self_signed_context

DEADLINE_S = 10.0


@pytest.mark.parametrize(
    ("link", "token", "want"),
    [
        ("http://here:8443/", None, Address("http://here:8443")),
        ("https://here", None, Address("https://here")),
        ("https://here/r/a-b_1", None, Address("https://here", "a-b_1")),
        ("https://here/r/a/#token=x%26y", None, Address("https://here", "a", "x&y")),
        ("https://here/#token=x", "y", Address("https://here", "main", "y")),
        ("https://here/puppets/r/a", None, Address("https://here/puppets", "a")),
        ("http://[::1]:80/r/a", None, Address("http://[::1]:80", "a")),
    ],
)
def test_a_link_names_server_room_and_token(link: str, token: str | None, want: Address) -> None:
    assert address_from_link(link, token) == want


@pytest.mark.parametrize("link", ["here:8443", "ftp://here/", "http://", "http://here:x/", "http://here/r/a%20b", ""])
def test_what_is_no_link_is_told_in_one_line(link: str) -> None:
    with pytest.raises(SettingError) as told:
        address_from_link(link)
    assert "\n" not in str(told.value)


def test_a_token_is_not_shown() -> None:
    assert "sesame" not in repr(address_from_link("https://here/#token=sesame"))


class Answering:
    """A server that gives every request the same answer."""

    def __init__(self, status: int, body: str, headers: dict[str, str], *, tls: bool = False) -> None:
        self.heard: list[tuple[str, str, str | None]] = []
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answering.heard.append((self.command, self.path, self.headers.get("Authorization")))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body.encode())), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_about: object) -> None:
                pass  # a client that does not trust the certificate hangs up

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = self_signed_context().wrap_socket(self._server.socket, server_side=True)
        self.link = f"http{'s' * tls}://127.0.0.1:{self._server.server_port}/r/a#token=sesame"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Answering]]:
    monkeypatch.setenv("no_proxy", "*")
    servers: list[Answering] = []

    def make(status: int = 200, body: str = "{}", headers: dict[str, str] | None = None, **more: bool) -> Answering:
        servers.append(Answering(status, body, headers or {}, **more))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def refusal_of(link: str) -> Unreachable:
    with pytest.raises(Unreachable) as told:
        asyncio.run(join(address_from_link(link), "an offer", {"role": "watch"}))
    assert str(told.value).isprintable()
    assert "sesame" not in str(told.value)
    return told.value


@pytest.mark.parametrize(
    ("status", "may_pass", "says"),
    [
        (401, False, "check it"),
        (403, False, "check it"),
        (404, False, "animator serve"),
        (429, True, "No, thanks"),
        (503, True, "No, thanks"),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(answering, status: int, may_pass: bool, says: str) -> None:
    error = refusal_of(answering(status, json.dumps({"error": "No, thanks.\n\x1b"})).link)
    assert error.may_pass is may_pass
    assert all(part in str(error) for part in (str(status), "No, thanks", says))


def test_a_redirect_is_not_followed_with_a_token(answering) -> None:
    elsewhere = answering()
    place = elsewhere.link.partition("#")[0]
    assert f"redirects to {place}" in str(refusal_of(answering(307, "", {"Location": place}).link))
    assert not elsewhere.heard


def test_who_is_no_server_of_ours_is_told_from_one(answering) -> None:
    for body in ("<html>", "[]", "{}"):
        with pytest.raises(Unreachable, match="not an `animator serve`"):
            asyncio.run(ice_servers_of(address_from_link(answering(200, body).link)))


def test_ice_servers_are_those_that_the_server_names(answering) -> None:
    named = [{"urls": ["stun:a:1"]}, {"urls": ["turn:b:2"], "username": "u", "credential": "c"}]
    server = answering(200, json.dumps({"ice_servers": named}))
    stun, turn = asyncio.run(ice_servers_of(address_from_link(server.link)))
    assert (stun.url, turn.url, turn.user, turn.password) == ("stun:a:1", "turn:b:2", "u", "c")
    assert server.heard == [("GET", "/config.json", "Bearer sesame")]


def test_a_self_made_certificate_needs_insecure(answering) -> None:
    server = answering(200, json.dumps({"sdp": "s", "session": "i"}), tls=True)
    assert "--insecure" in str(refusal_of(server.link))
    assert not server.heard
    trusting = address_from_link(server.link, insecure=True)
    assert asyncio.run(join(trusting, "an offer", {})).session == "i"


@pytest.mark.parametrize("server", ["127.0.0.1:1", "no-such-host.invalid"])
def test_who_is_not_there_may_come_back(monkeypatch, server: str) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert refusal_of(f"http://{server}/").may_pass


class Line:
    """Connections that a test breaks, and attempts that fail as it says."""

    def __init__(self, *attempts: Exception | None) -> None:
        self.attempts, self.lost, self.closed, self.said = list(attempts), None, 0, []
        self.said_so = threading.Condition()
        self.kept = Kept(self.connect, self.tell, waits_s=(0.01, 0.02))

    async def connect(self, lost: Callable[[str], None]) -> Line:
        error = self.attempts.pop(0) if self.attempts else None
        if error is not None:
            raise error
        self.lost = lost
        return self

    async def close(self) -> None:
        self.closed += 1

    def tell(self, line: str) -> None:
        with self.said_so:
            self.said.append(line)
            self.said_so.notify_all()

    def until(self, done: Callable[[], bool]) -> None:
        with self.said_so:
            assert self.said_so.wait_for(done, DEADLINE_S), self.said


def test_a_lost_connection_is_made_again() -> None:
    down = Unreachable("it is down", may_pass=True)
    line = Line(None, down, down)
    line.kept.open()
    line.kept.soon(line.lost, "the cable")
    line.until(lambda: line.said[-1:] == ["connected again"])
    assert line.said == [
        "not connected (the cable): trying again in 0.01 s",
        "not connected (it is down): trying again in 0.02 s",
        "not connected (it is down): trying again in 0.02 s",
        "connected again",
    ]
    assert (line.kept.connections, line.closed) == (2, 1)
    line.kept.close()
    line.kept.close()
    assert line.closed == 2


def test_who_is_refused_for_good_does_not_try_again() -> None:
    line = Line(None, Unreachable("another token now", may_pass=False))
    line.kept.open()
    line.kept.soon(line.lost, "restarted")
    line.kept._thread.join(DEADLINE_S)
    with pytest.raises(SourceError, match="another token"):
        line.kept.check()
    line.kept.close()


def test_the_first_attempt_fails_at_once() -> None:
    line = Line(Unreachable("it is down", may_pass=True))
    with pytest.raises(Unreachable):
        line.kept.open()
    assert not line.said


class Stage:
    """Gives a RemoteMotion its messages without a network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s, self.sent = 100.0, []
        monkeypatch.setattr(Room, "open", lambda _room: None)
        monkeypatch.setattr(Room, "send_motion", lambda _room, payload: self.sent.append(payload))
        self.source = RemoteMotion(Address("http://here"), clock=lambda: self.now_s)
        self.encoders: dict[int, Encoder] = {}

    def hear(self, track_id: int, time_s: float, jaw: float) -> None:
        encoder = self.encoders.setdefault(track_id, Encoder())
        for message in encoder.encode(Motion(time_s, track_id, expression=Expression.of(jawOpen=jaw))):
            self.source._hear(message)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def test_performers_with_clocks_of_their_own_share_an_instant(stage) -> None:
    stage.hear(8, 5000.0, 0.75)
    stage.hear(0, 3.0, 0.25)
    stage.now_s += 0.5
    first, second = next(iter(stage.source))
    assert (first.track_id, second.track_id) == (0, 8)
    assert first.time_s == second.time_s == 0.5
    assert (first.expression["jawOpen"], second.expression["jawOpen"]) == pytest.approx((0.25, 0.75), abs=0.01)


def test_who_is_silent_has_left_and_an_empty_room_rests(stage) -> None:
    stage.hear(0, 0.0, 0.5)
    stage.now_s += GONE_S + 0.1
    (motion,) = next(iter(stage.source))
    assert (motion.confidence, motion.expression["jawOpen"]) == (0.0, 0.0)


def test_motion_that_comes_late_does_not_turn_time_back(stage) -> None:
    encoder = Encoder()
    key, late, newest = (encoder.encode(Motion(t, 0, expression=Expression.of(jawOpen=t)))[-1] for t in (0.1, 0.2, 0.3))
    for message in (key, newest, late):
        stage.source._hear(message)
    assert next(iter(stage.source))[0].expression["jawOpen"] == pytest.approx(0.3, abs=0.01)


def test_a_key_frame_is_asked_for_once_it_lacks_but_not_with_every_message(stage) -> None:
    encoder = Encoder()
    encoder.encode(Motion(0.0, 0))
    for number in (3, 4, 5):
        stage.source._hear(encoder.encode(Motion(number / 30, 0))[-1])
    assert stage.sent == [KEY_REQUEST]


def test_nonsense_is_passed_over(stage) -> None:
    stage.source._hear(b"nonsense")
    assert stage.source.received == 0


def test_closing_ends_it(stage) -> None:
    stage.source.close()
    assert list(stage.source) == []
