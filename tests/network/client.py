"""A client of a server as a process of its own: says in lines of JSON what comes to it.

python -m tests.network.client URL '{"offer": {"role": "perform"}, "ice": ["turn:HOST,me,secret"], "relay_only": true}'

`token` is the server's, `name` the one to ask it by, `offer` what the offer says besides its description.
Each line has `time_s`, of the clock that all processes share, and `what`:
offering and answered (`candidates`, their kinds), joined (`session`, `route`), picture and motion (`number`),
closed (`why`)."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

from animator.webrtc.config import IceServer
from animator.webrtc.peer import Listeners, Peer
from tests.server.live import DEADLINE_S, Camera


def say(what: str, **more: Any) -> None:
    print(json.dumps({"time_s": time.monotonic(), "what": what, **more}), flush=True)


def route(peer: Peer) -> list[str]:
    """Kinds of the two addresses that the media takes: host, srflx, prflx or relay; ours first."""
    (transport,) = {transceiver.receiver.transport.transport for transceiver in peer._pc.getTransceivers()}
    (pair,) = transport._connection._nominated.values()
    return [pair.local_candidate.type, pair.remote_candidate.type]


def kinds(sdp: str) -> list[str]:
    return [line.split()[7] for line in sdp.splitlines() if line.startswith("a=candidate")]


async def report_pictures(peer: Peer) -> None:
    told = 0
    while True:
        await asyncio.sleep(0.005)
        if peer.pictures.received != told:
            told = peer.pictures.received
            say("picture", number=told)


async def main(url: str, wish: dict[str, Any]) -> None:
    offer = {"role": "perform", "view": "mesh"} | wish.get("offer", {})
    camera = Camera() if offer["role"] == "perform" else None
    closed, motions = asyncio.Event(), 0

    def on_motion(_payload: bytes) -> None:
        nonlocal motions
        motions += 1
        say("motion", number=motions)

    def on_closed(why: str) -> None:
        say("closed", why=why)
        closed.set()

    peer = Peer(
        camera and camera.fanout,
        receive=True,
        listeners=Listeners(
            on_open=lambda: peer.send_control({"type": "want-motion", "on": True}),
            on_motion=on_motion,
            on_closed=on_closed,
        ),
        ice_servers=[IceServer.from_text(text) for text in wish.get("ice", [])],
        relay_only=wish.get("relay_only", False),
    )
    reporting = None
    try:
        sdp = await peer.offer()
        say("offering", candidates=kinds(sdp))
        trusting = aiohttp.TCPConnector(ssl=False)  # what a test certifies for itself, nobody knows
        headers = {"Host": wish["name"]} if "name" in wish else {}
        headers |= {"Authorization": f"Bearer {wish['token']}"} if "token" in wish else {}
        async with aiohttp.ClientSession(connector=trusting, headers=headers) as http:
            async with http.post(f"{url}/offer", json={"sdp": sdp, "type": "offer", **offer}) as answer:
                said = await answer.json()
            if answer.status != 200:
                raise SystemExit(f"{answer.status}: {said}")
        say("answered", candidates=kinds(said["sdp"]))
        await peer.accept(said["sdp"])
        if not await peer.connected(DEADLINE_S):
            raise SystemExit("it could not connect")
        say("joined", session=said["session"], route=route(peer))
        reporting = asyncio.create_task(report_pictures(peer))
        await closed.wait()
    finally:
        if reporting is not None:
            reporting.cancel()
        await peer.close()
        if camera is not None:
            await asyncio.to_thread(camera.close)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
