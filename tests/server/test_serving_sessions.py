"""How sessions of the real server begin, end, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from pathlib import Path

from .live import Client, Server, Visit, until
from .visits import SESSIONS, SILENT_S, needs_ice, run

JOINS, ROUND, LEAK_KB = 104, 8, 1000
"""Sessions in all, those that come and go together, and the memory that each may seem to cost."""

pytestmark = needs_ice


def test_sessions_end_by_delete_by_bye_and_by_silence(server: Server) -> None:
    async def test(visit: Visit) -> None:
        deleted, polite, gone = await visit.perform(), await visit.watch(), await visit.watch()
        await visit.until_sessions(3)
        async with visit.http.delete(f"{server.url}/sessions/{deleted.session}") as answer:
            assert answer.status == 204
        await visit.until_sessions(2)
        await until(lambda: deleted.closed)
        polite.peer.send_control({"type": "bye"})
        await visit.until_sessions(1)
        await until(lambda: polite.closed)
        vanish(gone)
        began_s = time.monotonic()
        await visit.until_sessions(0)
        assert time.monotonic() - began_s < SILENT_S + 4

    run(server, test)


def vanish(client: Client) -> None:
    """As if its battery had gone: nothing more leaves it."""
    client.peer._watch.cancel()
    for transport in {sender.transport.transport for sender in client.peer._pc.getSenders()}:
        connection = transport._connection
        connection.sendto = lambda *_args: asyncio.sleep(0)
        for protocol in connection._protocols:
            protocol.send_stun = lambda *_args: None
            protocol.send_data = lambda *_args: asyncio.sleep(0)


def test_a_resumed_session_replaces_the_old_one(server: Server) -> None:
    async def test(visit: Visit) -> None:
        old = await visit.perform(room="again")
        new = await visit.perform(room="again", resume=old.session)
        await new.hear("welcome", performers=1)
        assert (await visit.health())["sessions"] == 1
        assert new.session != old.session

    run(server, test)


def test_one_too_many_is_sent_away(server: Server) -> None:
    async def test(visit: Visit) -> None:
        for _ in range(SESSIONS):
            await visit.watch(video=False)
        late = Client(server, visit.http, None, receive=True)
        visit.clients.append(late)
        offer = {"sdp": await late.peer.offer(), "type": "offer", "role": "watch"}
        async with visit.http.post(f"{server.url}/offer", json=offer) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert "full" in (await answer.json())["error"]
        await visit.clients[0].peer.close()
        await visit.until_sessions(SESSIONS - 1)
        await late.peer.close()
        await visit.watch(video=False)

    run(server, test)


def test_a_client_may_not_choose_its_session(server: Server) -> None:
    async def test(visit: Visit) -> None:
        victim = await visit.watch(video=False)
        client = await visit.watch(video=False, session=victim.session, need_video=1)
        assert client.session != victim.session
        assert (await visit.health())["sessions"] == 2

    run(server, test)


def test_a_camera_that_stops_is_noticed(server: Server) -> None:
    async def test(visit: Visit) -> None:
        client = await visit.perform()
        await client.hear("stats", faces=1)
        visit.camera.frozen = True
        await client.hear("state", state="no-face")
        visit.camera.frozen = False
        await client.hear("state", state="face")

    run(server, test)


def footprint(pid: int) -> dict[str, int]:
    """Threads, open files and resident kB of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "threads": int(fields["Threads"]),
        "files": len(os.listdir(f"/proc/{pid}/fd")),
        "kB": int(fields["VmRSS"].split()[0]),
    }


def footprints(pids: tuple[int, ...]) -> Counter[str]:
    """Of several processes together."""
    return sum((Counter(footprint(pid)) for pid in pids), Counter())


def test_a_hundred_joins_and_leaves_leave_nothing_behind(server: Server) -> None:
    (worker,) = server.workers()
    pids = (worker, server.process.pid)

    async def test(visit: Visit) -> None:
        async def stay(index: int) -> None:
            join = visit.perform if index % 2 else visit.watch
            client = await join(room=f"room-{index % 3}")
            if index % 4 == 1:
                await client.picture()
            await client.peer.close()

        # Allocators keep what they once had, so memory must come to rest, not back: a leak never does.
        await asyncio.gather(*(stay(index) for index in range(ROUND)))
        await visit.until_sessions(0)
        rounds = [footprints(pids)]
        while ROUND * len(rounds) < JOINS or rounds[-1]["kB"] - rounds[-2]["kB"] > ROUND * LEAK_KB:
            assert ROUND * len(rounds) < 2 * JOINS, rounds
            await asyncio.gather(*(stay(index) for index in range(ROUND // 2)))
            await asyncio.gather(*(stay(index) for index in range(ROUND // 2, ROUND)))
            await visit.until_sessions(0)
            rounds.append(footprints(pids))

        def at_rest() -> bool:
            after = footprints(pids)
            return all(after[name] <= rounds[0][name] + 2 for name in ("threads", "files"))

        await until(at_rest)

    run(server, test, limit_s=240)


def test_a_killed_worker_is_replaced(server: Server) -> None:
    """The last of this server's tests but one: the worker is another one afterwards."""

    async def test(visit: Visit) -> None:
        client = await visit.perform()
        await client.hear("stats", faces=1)
        before = counters(await visit.metrics())
        (worker,) = server.workers()
        os.kill(worker, signal.SIGKILL)
        await visit.until_sessions(0)
        await until(lambda: server.workers() not in ([], [worker]))

        async def ready() -> bool:
            return (await visit.health())["workers"] == 1

        await until(ready)
        await until(lambda: client.closed)  # it hears nothing more
        again = await visit.perform()
        await again.picture()
        after = counters(await visit.metrics())
        assert after["animator_workers_lost_total"] == before["animator_workers_lost_total"] + 1
        assert not [name for name in before if after[name] < before[name]]

    run(server, test)
    assert any("another takes its place" in line for line in server.err)


def counters(text: str) -> dict[str, float]:
    """Those of /metrics that may only rise."""
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines if name.split("{")[0].endswith("_total")}
