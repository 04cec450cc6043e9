"""WHIP and WHEP, by their documents; workers only pretend."""

from __future__ import annotations

import pytest

from animator.server.turn import SharedSecret
from animator.webrtc.config import IceServer

from .site import SDP, TOKEN, Site, at, bearing


@pytest.mark.parametrize(("protocol", "role"), [("whip", "perform"), ("whep", "watch")])
def test_whip_and_whep(protocol: str, role: str) -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("POST", f"/{protocol}/r", data="v=0 offer", headers=SDP)
        session, room, joined_as, wish = site.workers.joined[0]
        assert answer.status == 201
        assert answer.headers["Content-Type"].startswith("application/sdp")
        assert answer.body == b"v=0 answer"
        assert answer.headers["Location"] == f"/sessions/{session}?room=r"
        assert "ETag" not in answer.headers  # it would promise that PATCH can change the connection
        assert "Link" not in answer.headers
        assert (room, joined_as, wish["sdp"]) == ("r", role, "v=0 offer")
        assert wish["need_video"] is True
        upper = {"Content-Type": "Application/SDP; charset=nonsense"}
        assert (await site.ask("POST", f"/{protocol}/r", data=b"\xff", headers=upper)).status == 201
        for kind in ("application/json", "text/plain", "application/sdp-x"):
            answer = await site.ask("POST", f"/{protocol}/r", data="v=0", headers={"Content-Type": kind})
            assert answer.status == 415
            assert answer.error
        assert (await site.ask("POST", f"/{protocol}/r", data="x" * 70_000, headers=SDP)).status == 413
        assert (await site.ask("POST", f"/{protocol}/a.b", data="v=0", headers=SDP)).status == 404
        for method in ("PUT", "PATCH", "DELETE"):
            answer = await site.ask(method, f"/{protocol}/r")
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET,HEAD,OPTIONS,POST"
            assert answer.error
        for method in ("GET", "HEAD"):
            answer = await site.ask(method, f"/{protocol}/r")
            assert (answer.status, answer.body) == (204, b"")

    at(test)


@pytest.mark.parametrize("token", [None, TOKEN])
def test_options_of_whip(token: str | None) -> None:
    async def test(site: Site) -> None:
        for path in ("/whip/r", "/whep/r"):
            answer = await site.ask("OPTIONS", path)
            assert answer.status == 204
            assert answer.headers["Accept-Post"] == "application/sdp"
        assert (await site.ask("OPTIONS", "/whip/a.b")).status == 404
        foreign = {"Origin": "https://studio.example", "Access-Control-Request-Method": "POST"}
        for path in ("/whip/r", "/sessions/x"):
            answer = await site.ask("OPTIONS", path, headers=foreign)
            assert answer.status == (403 if token is None else 204)
            assert ("Access-Control-Allow-Origin" in answer.headers) == (token is not None)
        if token is not None:
            asking = {"Origin": "https://studio.example"} | SDP
            assert (await site.ask("POST", "/whip/r", data="v=0", headers=asking)).status == 401
            answer = await site.ask("POST", "/whip/r", data="v=0", headers=asking | bearing(token))
            assert answer.status == 201
            assert "Location" in answer.headers["Access-Control-Expose-Headers"]
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert (await site.ask("GET", "/config.json", headers=foreign)).status == 403

    at(test, token=token)


VIDEO = "v=0\r\ns=-\r\nt=0 0\r\n{session}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendrecv\r\nm=video 9 X 96\r\n{media}"


@pytest.mark.parametrize(
    ("protocol", "session", "media", "status"),
    [
        ("whip", "", "a=sendonly\r\n", 201), ("whip", "", "a=sendrecv\r\n", 201), ("whip", "", "", 201),
        ("whip", "", "a=recvonly\r\n", 400), ("whip", "", "a=inactive\r\n", 400),
        ("whip", "a=recvonly\r\n", "", 400), ("whip", "a=recvonly\r\n", "a=sendonly\n", 201),
        ("whep", "", "a=recvonly\r\n", 201), ("whep", "", "a=sendrecv\r\n", 201),
        ("whep", "", "a=sendonly\r\n", 400), ("whep", "", "a=inactive\r\n", 400),
    ],
)  # fmt: skip
def test_video_must_go_the_right_way(protocol: str, session: str, media: str, status: int) -> None:
    async def test(site: Site) -> None:
        sdp = VIDEO.format(session=session, media=media)
        answer = await site.ask("POST", f"/{protocol}/r", data=sdp, headers=SDP)
        assert answer.status == status
        assert len(site.workers.joined) == (status == 201)
        assert status == 201 or "video is" in answer.error

    at(test)


def test_a_session_ends_by_delete_and_is_never_patched() -> None:
    async def test(site: Site) -> None:
        made = await site.ask("POST", "/whip/r", data="v=0", headers=SDP)
        where = made.headers["Location"]
        for method in ("GET", "HEAD"):
            assert (await site.ask(method, where)).status == 204
        fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
        answer = await site.ask("PATCH", where, data="a=ice-ufrag:x", headers=fragment)
        assert answer.status == 501
        assert answer.error
        for method in ("PUT", "POST"):
            assert (await site.ask(method, where)).status == 405
        # Entity tags are none of a DELETE's business (RFC 9725).
        assert (await site.ask("DELETE", where, headers={"If-Match": '"other"'})).status == 204
        for method in ("GET", "DELETE"):
            assert (await site.ask(method, where)).status == 404

    at(test)


def test_ice_servers_are_told_to_those_who_joined() -> None:
    async def test(site: Site) -> None:
        for protocol in ("whip", "whep"):
            answer = await site.ask("POST", f"/{protocol}/r", data="v=0", headers=SDP | bearing(TOKEN))
            stun, turn, fresh = answer.headers.getall("Link")
            assert stun == '<stun:a.example:3478>; rel="ice-server"'
            assert turn == (
                '<turn:b.example?transport=udp>; rel="ice-server"; username="u"; credential="p\\"\\\\q"; '
                'credential-type="password"'
            )
            assert fresh.startswith('<turns:c.example>; rel="ice-server"; username="')
            assert "Link" in answer.headers["Access-Control-Expose-Headers"]
            for options in ({"headers": SDP}, {"headers": SDP | bearing("wrong")}):
                assert "Link" not in (await site.ask("POST", f"/{protocol}/r", data="v=0", **options)).headers
            assert "Link" not in (await site.ask("OPTIONS", f"/{protocol}/r")).headers

    servers = (IceServer("stun:a.example:3478"), IceServer("turn:b.example?transport=udp", "u", 'p"\\q'))
    at(test, token=TOKEN, ice_servers=servers, turn=SharedSecret(("turns:c.example",), "north"))
