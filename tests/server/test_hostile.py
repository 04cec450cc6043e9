"""Hostile clients at a real server: nothing of it dies, nothing is thrown, and who performs goes on."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress

import pylibsrtp

from animator.webrtc.peer import Peer

from . import hostility
from .live import Client, Server, Visit, until
from .visits import needs_ice, run

pytestmark = needs_ice
OFFERS, DATAGRAMS, PACKETS, MESSAGES, REQUESTS_PER_S, FLOOD_S = 150, 3000, 600, 400, 1000, 3.0


@asynccontextmanager
async def undisturbed(visit: Visit):
    """Somebody performs meanwhile: pictures come before, during and after, by the same connection and worker."""
    innocent = await visit.perform(room="innocent")
    await innocent.picture()
    lost, said = await _workers_lost(visit), len(visit.server.err)
    yield innocent
    seen = innocent.peer.pictures.received
    await until(lambda: innocent.peer.pictures.received >= seen + 5)
    await innocent.ask("ping", "pong", t=2)
    assert not innocent.closed
    assert await _workers_lost(visit) == lost
    assert "Traceback" not in "".join(visit.server.err[said:])


async def _workers_lost(visit: Visit) -> str:
    (line,) = [line for line in (await visit.metrics()).splitlines() if line.startswith("animator_workers_lost_total ")]
    return line


def test_spoilt_offers_are_refused_or_come_to_nothing(server: Server) -> None:
    async def test(visit: Visit) -> None:
        chance = random.Random(8)
        caller = Peer(None, receive=True)
        sdp = await caller.offer()
        statuses: dict[int, int] = {}
        async with undisturbed(visit):
            for number in range(OFFERS):
                spoilt = hostility.spoilt_sdp(sdp, chance)
                if number % 3:
                    path, body = (
                        ("/whip/hostile", "/whep/hostile")[number % 2],
                        {"data": spoilt.encode(errors="replace")},
                    )
                    body["headers"] = {"Content-Type": "application/sdp"}
                else:
                    path, body = "/offer", {"json": {"sdp": spoilt, "type": "offer", "role": "watch"}}
                async with visit.http.post(visit.server.url + path, **body) as answer:
                    statuses[answer.status] = statuses.get(answer.status, 0) + 1
                    session = (await answer.json())["session"] if answer.status == 200 else None
                    place = f"/sessions/{session}" if session else answer.headers.get("Location")
                if place:
                    async with visit.http.delete(visit.server.url + place) as gone:
                        assert gone.status in (204, 404)
        await caller.close()
        assert statuses.keys() <= {200, 201, 400}, statuses
        assert statuses[400] > OFFERS / 10

    run(server, test, 120)


def test_datagrams_of_strangers_at_the_media_ports_do_nothing(server: Server) -> None:
    async def test(visit: Visit) -> None:
        async with undisturbed(visit) as innocent:
            places = hostility.places_in(innocent.peer._pc.remoteDescription.sdp)
            assert places
            await asyncio.to_thread(hostility.pester, places, DATAGRAMS, random.Random(8))

    run(server, test, 120)


def test_a_guest_who_sends_malformed_media_harms_nobody_else(server: Server) -> None:
    """Through the encryption of a connection of its own: what strangers cannot send."""

    async def test(visit: Visit) -> None:
        chance = random.Random(8)
        async with undisturbed(visit):
            guest = await visit.perform(room="hostile")
            await guest.picture()
            sender = guest.peer._pc.getSenders()[0]
            for number in range(PACKETS):
                payload = chance.randbytes(chance.randint(0, 200))
                media = hostility.rtp_packet(chance, chance.choice((97, 98, 99, 100, 101)), sender._ssrc, payload)
                await _send(sender.transport, media if number % 2 else hostility.rtcp_packet(chance))

    run(server, test, 120)


async def _send(transport, packet: bytes) -> None:
    with suppress(pylibsrtp.Error, ConnectionError):  # what cannot be encrypted; the server has ended the connection
        await transport._send_rtp(packet)


def test_a_guest_who_talks_nonsense_is_told_so_and_then_shown_out(server: Server) -> None:
    async def test(visit: Visit) -> None:
        chance = random.Random(8)
        async with undisturbed(visit):
            guest = await visit.perform(room="hostile")
            for _ in range(MESSAGES):
                _say(guest, "control", hostility.control_message(chance))
                _say(guest, "motion", chance.choice((chance.randbytes(chance.randint(0, 400)), "text")))
                await asyncio.sleep(0)
            _say(guest, "control", "x" * 60_000)
            await until(lambda: guest.said("error") or guest.closed)
            # What it asks for by chance may be had; but so much nonsense ends its connection.
            await until(lambda: bool(guest.closed))

    run(server, test, 120)


def _say(guest: Client, name: str, what: str | bytes) -> None:
    channel = guest.peer.channels._channels[name]
    if channel.readyState == "open":
        channel.send(what)


def test_a_flood_of_requests_leaves_sessions_their_pictures(server: Server) -> None:
    async def test(visit: Visit) -> None:
        async with undisturbed(visit) as innocent:
            before = innocent.peer.pictures.received
            host, _, port = visit.server.url.partition("//")[2].partition(":")
            answered = await hostility.flood(host, int(port), REQUESTS_PER_S, FLOOD_S)
            assert answered > 0
            assert innocent.peer.pictures.received > before + 3

    run(server, test, 120)
