"""Joining by POST /offer, leaving, recordings, and what a bad offer is told; workers only pretend."""

from __future__ import annotations

import json

import pytest

from animator.errors import ProtocolError
from animator.server.app import MAX_BODY_BYTES
from animator.server.signalling import MAX_WAIT_S
from animator.server.workers import ServerFull, WorkerLost

from .site import OFFER, SDP, Site, at


def test_an_offer_is_answered() -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("POST", "/offer", json=OFFER | {"room": "r", "role": "watch", "view": "mask"})
        said = json.loads(answer.body)
        (joined,) = site.workers.joined
        assert answer.status == 200
        assert said == {"sdp": "v=0 answer", "type": "answer", "session": joined[0]}
        assert joined[1:3] == ("r", "watch")
        assert joined[3]["view"] == "mask"
        await site.ask("POST", "/offer", json=OFFER)
        assert site.workers.joined[1][1:3] == ("main", "perform")
        assert len({session for session, *_ in site.workers.joined}) == 2

    at(test)


def test_a_client_decides_nothing_else() -> None:
    async def test(site: Site) -> None:
        extra = {"session": "mine", "need_video": True, "anything": 1}
        await site.ask("POST", "/offer", json=OFFER | extra)
        session, _, _, wish = site.workers.joined[0]
        assert session != "mine"
        assert not wish.keys() & extra.keys()

    at(test)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"{}", 400),
        (json.dumps({"type": "offer"}).encode(), 400),
        (json.dumps({"sdp": 5, "type": "offer"}).encode(), 400),
        (json.dumps({"sdp": "v=0", "type": "answer"}).encode(), 400),
        (json.dumps(OFFER | {"role": "admin"}).encode(), 400),
        (json.dumps(OFFER | {"role": ["watch"]}).encode(), 400),
        (json.dumps(OFFER | {"view": 3}).encode(), 400),
        (json.dumps(OFFER | {"rig": ["human"]}).encode(), 400),
        (json.dumps(OFFER | {"resume": {}}).encode(), 400),
        (json.dumps(OFFER | {"room": "../etc"}).encode(), 404),
        (json.dumps(OFFER | {"room": ""}).encode(), 404),
        (json.dumps(OFFER | {"room": None}).encode(), 404),
        (json.dumps(OFFER | {"room": "x" * 65}).encode(), 404),
        (json.dumps(OFFER | {"room": "\ud800"}).encode(), 404),
        (json.dumps({"sdp": "x" * 1_000_000, "type": "offer"}).encode(), 413),
        (b"x" * (MAX_BODY_BYTES + 1), 413),
    ],
    ids=lambda value: str(value[:40]) if isinstance(value, bytes) else value,
)
def test_bad_offers(body: bytes, status: int) -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("POST", "/offer", data=body, headers={"Content-Type": "application/json"})
        assert answer.status == status
        assert answer.error
        assert not site.workers.joined

    at(test)


@pytest.mark.parametrize(
    ("trouble", "status", "retry"),
    [
        (ServerFull("This server is full."), 503, True),
        (WorkerLost("This part has died."), 503, True),
        (ProtocolError("the offer has no video"), 400, False),
        (RuntimeError("a fault with a secret in it"), 500, False),
    ],
)
def test_trouble_has_a_sentence(trouble: Exception, status: int, retry: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def test(site: Site) -> None:
        site.workers.trouble = trouble
        for path, options in (("/offer", {"json": OFFER}), ("/whip/r", {"data": "v=0", "headers": SDP})):
            answer = await site.ask("POST", path, **options)
            assert answer.status == status
            assert (answer.headers.get("Retry-After") is not None) == retry
            assert answer.error == str(trouble) or status == 500
            assert "secret" not in answer.error

    at(test)


def test_sessions_end_and_give_their_takes() -> None:
    async def test(site: Site) -> None:
        session = json.loads((await site.ask("POST", "/offer", json=OFFER)).body)["session"]
        for kind in ("npz", "csv"):
            assert (await site.ask("GET", f"/sessions/{session}/take.{kind}")).status == 404
        site.workers.takes = {f"{session}.npz": b"PK", f"{session}.csv": b"Timecode"}
        answer = await site.ask("GET", f"/sessions/{session}/take.csv")
        assert (answer.status, answer.body) == (200, b"Timecode")
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="take.csv"'
        assert (await site.ask("GET", f"/sessions/{session}/take.npz")).body == b"PK"
        for path in (f"/sessions/{session}/take.exe", f"/sessions/{session}/../take.npz", "/sessions/x/take.npz"):
            assert (await site.ask("GET", path)).status == 404
        answer = await site.ask("DELETE", f"/sessions/{session}")
        assert (answer.status, answer.body) == (204, b"")
        answer = await site.ask("DELETE", f"/sessions/{session}")
        assert answer.status == 404
        assert answer.error

    at(test)


def test_the_room_may_stand_in_the_address() -> None:
    async def test(site: Site) -> None:
        for path, body, status, room in (
            ("/offer?room=a", {}, 200, "a"), ("/offer?room=a", {"room": "a"}, 200, "a"),
            ("/offer?room=a&other=1", {}, 200, "a"), ("/offer", {"room": "b"}, 200, "b"), ("/offer", {}, 200, "main"),
            ("/offer?room=a", {"room": "b"}, 400, None), ("/offer?room=a&room=b", {}, 400, None),
            ("/offer?room=main", {"room": "b"}, 400, None), ("/offer?room=", {}, 404, None),
            ("/offer?room=..%2f", {}, 404, None), ("/offer?room=a", {"room": ""}, 404, None),
        ):  # fmt: skip
            answer = await site.ask("POST", path, json=OFFER | body)
            assert (path, answer.status) == (path, status)
            assert status == 200 or answer.error
            assert [joined[1] for joined in site.workers.joined] == ([] if room is None else [room])
            site.workers.joined.clear()

    at(test)


def test_what_follows_an_offer_may_name_the_room_too() -> None:
    async def test(site: Site) -> None:
        session = json.loads((await site.ask("POST", "/offer?room=a", json=OFFER)).body)["session"]
        site.workers.takes = {f"{session}.npz": b"PK"}
        assert (await site.ask("GET", f"/sessions/{session}/take.npz?room=a")).body == b"PK"
        assert (await site.ask("DELETE", f"/sessions/{session}?room=a")).status == 204

    at(test)


def test_a_sessions_end_can_be_waited_for() -> None:
    async def test(site: Site) -> None:
        session = json.loads((await site.ask("POST", "/offer", json=OFFER)).body)["session"]
        for wait, waited_s in (("0", 0), ("2.5", 2.5), ("25", MAX_WAIT_S)):
            assert (await site.ask("GET", f"/sessions/{session}?wait={wait}")).status == 204
            assert site.workers.waited_s.pop() == waited_s
        site.workers.fates = {"a": "ended", "b": "worker-lost"}
        for gone, state in site.workers.fates.items():
            answer = await site.ask("GET", f"/sessions/{gone}?wait=1")
            assert answer.status == 410
            said = json.loads(answer.body)
            assert (said["state"], said.keys()) == (state, {"state", "error"})
        assert (await site.ask("GET", "/sessions/c?wait=1")).status == 404
        for wait in ("", "soon", "-1", "26", "nan", "inf"):
            assert (await site.ask("GET", f"/sessions/{session}?wait={wait}")).status == 400

    at(test)
