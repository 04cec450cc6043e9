"""WHIP and WHEP against a small server in a thread, whose media end is a Peer on the test's own loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from animator.errors import AnimatorError, SinkError, SourceError
from animator.webrtc import whip
from animator.webrtc.outbound import Fanout
from animator.webrtc.peer import Peer

from .helpers import needs_ice, publishing, run, until

TOKEN, SECRET_PATH = "very-secret-token", "/session/very-secret-session"


class Endpoint:
    """Answers on /ok as WHIP asks for, and elsewhere as badly as a test wants."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str | None, str | None]] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self.make_peer = lambda: Peer(receive=True)
        self.peers: list[Peer] = []
        self.status, self.headers, self.body = 201, {"Content-Type": "application/sdp", "Location": SECRET_PATH}, ""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                endpoint.requests.append(
                    (self.command, self.path, self.headers.get("Authorization"), self.headers.get("Content-Type"))
                )
                status, headers, answer = endpoint.reply(self.command, self.path, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.encode())))
                self.end_headers()
                self.wfile.write(answer.encode())

            do_POST = do_DELETE = handle_any  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def reply(self, method: str, path: str, body: str) -> tuple[int, dict[str, str], str]:
        if method == "DELETE":
            return 200, {}, ""
        if path == "/ok":
            answer = asyncio.run_coroutine_threadsafe(self._answer(body), self.loop).result(10)
            return self.status, self.headers, answer
        return self.status, self.headers, self.body

    async def _answer(self, offer: str) -> str:
        self.peers.append(self.make_peer())
        return await self.peers[-1].answer(offer, need_video=True)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("no_proxy", "*")
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@needs_ice
@pytest.mark.parametrize("status", [201, 200])
def test_a_puppet_is_published(endpoint: Endpoint, status: int, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        endpoint.loop, endpoint.status = asyncio.get_running_loop(), status
        fanout = Fanout(endpoint.loop)
        with publishing(fanout):
            session = await whip.publish(fanout, endpoint.url + "/ok", token=TOKEN)
            (server,) = endpoint.peers
            await until(lambda: server.pictures.received > 5)
            assert session.peer.codec == "H264"
            assert TOKEN not in repr(session)
            assert SECRET_PATH not in repr(session)
            await session.close()
            await session.close()
            await server.close()
        assert fanout.subscribers == 0
        bearer = f"Bearer {TOKEN}"
        assert endpoint.requests == [
            ("POST", "/ok", bearer, "application/sdp"),
            ("DELETE", SECRET_PATH, bearer, None),
        ]

    with caplog.at_level(logging.DEBUG, "animator"):
        run(test())
    assert "very-secret" not in caplog.text
    assert ("wants 201" in caplog.text) == (status == 200)


@needs_ice
def test_pictures_are_received_after_a_redirect(endpoint: Endpoint) -> None:
    elsewhere = Endpoint()

    async def test() -> None:
        endpoint.loop = elsewhere.loop = asyncio.get_running_loop()
        fanout = Fanout(endpoint.loop)
        elsewhere.make_peer = lambda: Peer(fanout)
        elsewhere.headers["Location"] = "session/7"  # relative to what took the offer
        endpoint.status, endpoint.headers = 307, {"Location": elsewhere.url + "/ok"}
        with publishing(fanout):
            session = await whip.watch(endpoint.url + "/whep", token=TOKEN)
            await until(lambda: session.peer.pictures.received > 5)
            await session.close()
            await elsewhere.peers[0].close()
        assert endpoint.requests[0][2] == f"Bearer {TOKEN}"
        assert [(method, path, token) for method, path, token, _ in elsewhere.requests] == [
            ("POST", "/ok", None),  # the token was not for this server
            ("DELETE", "/session/7", None),
        ]

    try:
        run(test())
    finally:
        elsewhere.close()


@needs_ice
def test_a_session_without_a_connection_is_given_back(endpoint: Endpoint) -> None:
    async def test() -> None:
        endpoint.loop = asyncio.get_running_loop()
        fanout = Fanout(endpoint.loop)
        begun = asyncio.ensure_future(whip.publish(fanout, endpoint.url + "/ok", connect_s=0.0))
        with pytest.raises(SinkError, match="no connection came about"):
            await begun
        assert [request[0] for request in endpoint.requests] == ["POST", "DELETE"]
        await endpoint.peers[0].close()
        await until(lambda: len(asyncio.all_tasks()) == 2)

    run(test())


SDP = {"Content-Type": "application/sdp"}
BAD_ANSWERS = {
    "refused": (401, {}, "", "refused with 401: check the token"),
    "forbidden": (403, {}, "", "refused with 403"),
    "absent": (404, {}, "", "answered 404"),
    "busy": (503, {"Retry-After": "3"}, "", "answered 503"),
    "moved": (302, {"Location": "/ok"}, "", "answered 302, wanted 201"),
    "in circles": (307, {"Location": "/again"}, "", "redirected more than 5 times"),
    "to a file": (308, {"Location": "file:///etc/passwd"}, "", "wanted an http"),
    "html": (201, {"Content-Type": "text/html", "Location": "/x"}, "<p>", "text/html, wanted application/sdp"),
    "no session": (201, SDP, "v=0", "no Location"),
    "nonsense": (201, SDP | {"Location": SECRET_PATH}, "nonsense", "names no media|not a session description"),
    "huge": (201, SDP | {"Location": SECRET_PATH}, "x" * 200_000, "larger than 64 kB"),
    "empty": (204, {}, "", "answered 204, wanted 201"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_is_one_line(endpoint: Endpoint, name: str) -> None:
    endpoint.status, endpoint.headers, endpoint.body, why = BAD_ANSWERS[name]

    async def test() -> None:
        fanout = Fanout(asyncio.get_running_loop())
        for attempt, error_class in (
            (whip.publish(fanout, endpoint.url + "/very-secret-key", token=TOKEN), SinkError),
            (whip.watch(endpoint.url + "/very-secret-key", token=TOKEN), SourceError),
        ):
            with pytest.raises(error_class, match=why) as caught:
                await attempt
            assert "\n" not in str(caught.value)
            assert "very-secret" not in str(caught.value)
            assert "127.0.0.1" in str(caught.value)
        await until(lambda: len(asyncio.all_tasks()) == 2)

    run(test())
    deleted = [path for method, path, *_ in endpoint.requests if method == "DELETE"]
    assert deleted == (
        [SECRET_PATH] * 2 if "Location" in endpoint.headers and endpoint.status == 201 and name != "html" else []
    )


@pytest.mark.parametrize(
    "url", ["", "ftp://a.example/x", "http://", "file:///etc/passwd", "http://127.0.0.1:1/x", "http://[/"]
)
def test_an_address_that_leads_nowhere_is_one_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(SourceError) as caught:
        run(whip.watch(url, token="with\nbreak"))
    assert isinstance(caught.value, AnimatorError)
    assert "\n" not in str(caught.value)
