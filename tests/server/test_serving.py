"""The real server in its own process, the real Peer as its client."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aioice.ice
import numpy as np
import pytest

from animator.channels import ARKIT
from animator.data import Array, Expression, HeadPose, Motion
from animator.protocols.motion_stream import Decoder, Encoder
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_takes

from .live import Client, Server, Visit, clip, serving, until, visiting, wait_for

SILENT_S = 3.0
SESSIONS = 8
ROUND, LEAK_KB = 8, 1000
"""Sessions that come and go together, and the memory that each may seem to cost."""
JAW = ARKIT.index("jawOpen")

pytestmark = pytest.mark.skipif(
    not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True),
    reason="peers cannot connect here: there is no network interface but the loopback",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(silent_s=SILENT_S, max_sessions=SESSIONS) as running:
        yield running
        assert "Traceback" not in "".join(running.err)


def run(server: Server, test: Any) -> None:
    """Run `test(visit)`; everybody has left after it."""

    async def visit() -> None:
        async with asyncio.timeout(60), visiting(server) as visit:
            await test(visit)

    asyncio.run(visit())


def difference(rgb: Array, other: Array) -> float:
    """Mean difference of two pictures' colours, of 255."""
    return float(np.abs(rgb.astype(float) - other).mean())


def shows_camera(rgb: Array) -> bool:
    mean = np.mean(clip(), axis=0)
    return rgb.shape == mean.shape and difference(rgb, mean) < 15


def shows_mirrored_camera(rgb: Array) -> bool:
    return shows_camera(rgb[:, ::-1]) and not shows_camera(rgb)


def shows_avatar(rgb: Array) -> bool:
    return not shows_camera(rgb) and not shows_camera(rgb[:, ::-1])


def test_a_performer_sees_the_puppet_and_its_settings_act(server: Server) -> None:
    async def test(visit: Visit) -> None:
        client = await visit.perform(room="studio", view="avatar")
        welcome = await client.hear("welcome", session=client.session, room="studio", role="perform", performers=1)
        assert welcome["settings"]["view"] == "avatar"
        await client.picture_where(shows_avatar)
        assert (await client.ask("set", "settings", view="mesh"))["view"] == "mesh"
        await client.picture_where(shows_camera)
        assert (await client.ask("set", "settings", mirror=True))["mirror"] is True
        await client.picture_where(shows_mirrored_camera)
        await client.ask("set", "settings", view="side-by-side", mirror=False)
        await client.picture_where(lambda rgb: rgb.shape[1] == 2 * clip()[0].shape[1])
        said = await client.ask("set", "settings", faces=2, smoothing=80, detection=30, tracking=40, presence=60)
        assert [said[k] for k in ("faces", "smoothing", "detection", "tracking", "presence")] == [2, 80, 30, 40, 60]
        since = len(client.said("stats"))
        stats = await client.hear("stats", since, faces=1)  # a tracker made anew finds the face again
        assert stats["fps_in"] > 3
        assert stats["fps_out"] > 3
        assert stats["kbit_s"] > 0
        assert {"track", "solve", "deform", "render", "encode"} <= stats["stages"].keys()
        assert "capture" not in stats["stages"]

    run(server, test)


def test_many_settings_at_once_are_all_kept(server: Server) -> None:
    async def test(visit: Visit) -> None:
        client = await visit.perform()
        for message in ({"faces": 3}, {"view": "mask"}, {"smoothing": 10}, {"mirror": True}):
            client.peer.send_control({"type": "set", **message})
        await until(lambda: len(client.said("settings")) == 4)
        last = client.said("settings")[-1]
        assert (last["faces"], last["view"], last["smoothing"], last["mirror"]) == (3, "mask", 10, True)

    run(server, test)


def test_wrong_messages_are_answered_by_a_sentence(server: Server) -> None:
    async def test(visit: Visit) -> None:
        client = await visit.perform()
        for wrong, word in (
            ({"type": "set", "faces": 0}, "faces"),
            ({"type": "set", "rig": "/etc/passwd"}, "rig"),
            ({"type": "set", "nonsense": 1}, "no setting"),
            ({"type": "sing"}, "type"),
            ({"type": ["set"]}, "type"),
            ({"type": "record", "on": False}, "nothing is being recorded"),
        ):
            said = await client.ask(wrong.pop("type"), "error", **wrong)
            assert word in said["message"]
            assert "\n" not in said["message"]
        assert (await client.ask("ping", "pong", t=7))["t"] == 7
        watcher = await visit.watch()
        assert "watching" in (await watcher.ask("set", "error", view="mask"))["message"]

    run(server, test)


def test_calibration(server: Server) -> None:
    async def test(visit: Visit) -> None:
        client = await visit.perform()
        await client.hear("stats", faces=1)
        await client.ask("calibrate", "state", seconds=1)
        await client.hear("state", state="calibrating")
        await client.hear("state", state="calibrated")

    run(server, test)


def test_motion_is_sent_to_who_wants_it(server: Server) -> None:
    async def test(visit: Visit) -> None:
        await visit.perform()
        watcher = await visit.watch(video=False)
        await watcher.hear("welcome", role="watch")
        assert not watcher.motion
        watcher.peer.send_control({"type": "want-motion", "on": True})
        decoder, decoded = Decoder(), []

        def moves() -> bool:
            while watcher.motion:
                motion = decoder.decode(watcher.motion.pop(0))
                if motion is not None:
                    decoded.append(motion)
            jaw = [motion.expression.weights[JAW] for motion in decoded]
            return len(jaw) > 20 and np.ptp(jaw) > 0.05

        await until(moves)
        times_s = np.array([motion.time_s for motion in decoded])
        assert (np.diff(times_s) > 0).all()

    run(server, test)


async def take(visit: Visit, client: Client, kind: str) -> bytes:
    async with visit.http.get(f"{visit.server.url}/sessions/{client.session}/take.{kind}") as answer:
        assert answer.status == 200, await answer.text()
        assert "attachment" in answer.headers["Content-Disposition"]
        return await answer.read()


def test_a_recording_can_be_fetched(server: Server, tmp_path: Path) -> None:
    async def test(visit: Visit) -> None:
        client = await visit.perform()
        await client.hear("stats", faces=1)
        async with visit.http.get(f"{server.url}/sessions/{client.session}/take.npz") as answer:
            assert answer.status == 404
        await client.ask("record", "state", on=True)
        since = len(client.said("stats"))
        await client.hear("stats", since + 1)
        client.peer.send_control({"type": "record", "on": False})
        said = await client.hear("state", state="recorded")
        assert said["url"] == f"/sessions/{client.session}/take.npz"
        (tmp_path / "take.npz").write_bytes(await take(visit, client, "npz"))
        (tmp_path / "take.csv").write_bytes(await take(visit, client, "csv"))

    run(server, test)
    (npz,) = load_takes(tmp_path / "take.npz")
    csv = load_csv(tmp_path / "take.csv")
    assert len(npz) == len(csv) > 5
    assert (npz.confidence > 0).mean() > 0.8
    np.testing.assert_allclose(csv.weights, npz.weights, atol=1e-5)


def test_motion_from_the_network_is_shown_recorded_and_passed_on(server: Server) -> None:
    async def test(visit: Visit) -> None:
        caller = await visit.send_motion(room="calls")
        watcher = await visit.watch(room="calls")
        watcher.peer.send_control({"type": "want-motion", "on": True})
        encoder = Encoder()

        async def call() -> None:
            for index in range(100_000):
                weights = np.zeros(len(ARKIT), np.float32)
                weights[JAW] = 0.5 + 0.4 * np.sin(index / 5)
                pose = HeadPose(np.array([1.0, 0, 0, 0]), np.array([0, 0, -50.0]))
                motion = Motion(1e4 + index / 30, 0, pose, expression=Expression(weights), confidence=1.0)
                for message in encoder.encode(motion):
                    caller.peer.send_motion(message)
                await asyncio.sleep(1 / 30)

        calling = asyncio.create_task(call())
        try:
            await watcher.picture()
            await until(lambda: len(watcher.motion) > 10)
            await caller.ask("record", "state", on=True)
            await caller.hear("stats", len(caller.said("stats")))
            caller.peer.send_control({"type": "record", "on": False})
            await caller.hear("state", state="recorded")
        finally:
            calling.cancel()
        with np.load(io.BytesIO(await take(visit, caller, "npz"))) as arrays:
            assert np.ptp(arrays["weights"][:, JAW]) > 0.3
        decoder = Decoder()
        motions = [motion for motion in map(decoder.decode, list(watcher.motion)) if motion is not None]
        assert np.ptp([motion.expression.weights[JAW] for motion in motions]) > 0.1

    run(server, test)


def avatars(rgb: Array) -> int:
    """How many bodies stand on the stage: runs of columns that differ from the picture's edge."""
    rows = rgb[rgb.shape[0] // 4 : rgb.shape[0] // 2].astype(int)
    busy = (np.abs(rows - rows[:, :1]).max(axis=2) > 25).mean(axis=0) > 0.25
    return int((np.diff(busy.astype(int), prepend=0) == 1).sum())


def test_a_watcher_sees_everybody_on_the_stage(server: Server) -> None:
    async def test(visit: Visit) -> None:
        first = await visit.perform(room="stage")
        watcher = await visit.watch(room="stage")
        await watcher.hear("welcome", role="watch", performers=1, viewers=1)
        await watcher.picture_where(lambda rgb: avatars(rgb) == 1)
        await first.hear("stats", viewers=1)
        second = await visit.perform(room="stage")
        await watcher.hear("stats", performers=2)
        await watcher.picture_where(lambda rgb: avatars(rgb) == 2)
        await second.peer.close()
        await first.hear("state", state="performer-left")
        await watcher.hear("stats", len(watcher.said("stats", performers=1)), performers=1)

    run(server, test)


async def whip_or_whep(visit: Visit, protocol: str, client: Client) -> str:
    """Connect by the standard protocol; where the session is."""
    headers = {"Content-Type": "application/sdp"}
    url = f"{visit.server.url}/{protocol}/studio-2"
    offer = await client.peer.offer(channels=False)
    async with visit.http.post(url, data=offer, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        assert answer.content_type == "application/sdp"
        assert answer.headers["ETag"].strip('"')
        location = answer.headers["Location"]
        await client.peer.accept(await answer.text())
    assert await client.peer.connected()
    return visit.server.url + location


def test_whip_publishes_and_whep_watches(server: Server) -> None:
    async def test(visit: Visit) -> None:
        publisher = Client(server, visit.http, visit.camera, receive=False)
        viewer = Client(server, visit.http, None, receive=True)
        visit.clients += [publisher, viewer]
        published = await whip_or_whep(visit, "whip", publisher)
        watched = await whip_or_whep(visit, "whep", viewer)
        await viewer.picture_where(lambda rgb: avatars(rgb) == 1)
        assert published.rsplit("/", 1)[0] == f"{server.url}/sessions"
        for url in (watched, published):
            async with visit.http.delete(url) as answer:
                assert answer.status == 204
            async with visit.http.delete(url) as answer:
                assert answer.status == 404
        await until(lambda: publisher.closed and viewer.closed)

    run(server, test)


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


def test_forty_joins_and_leaves_leave_nothing_behind(server: Server) -> None:
    (worker,) = server.workers()

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
        rounds = [footprint(worker)]
        while len(rounds) < 6 or rounds[-1]["kB"] - rounds[-2]["kB"] > ROUND * LEAK_KB:
            assert len(rounds) < 20, rounds
            await asyncio.gather(*(stay(index) for index in range(ROUND // 2)))
            await asyncio.gather(*(stay(index) for index in range(ROUND // 2, ROUND)))
            await visit.until_sessions(0)
            rounds.append(footprint(worker))

        def at_rest() -> bool:
            after = footprint(worker)
            return all(after[name] <= rounds[0][name] + 2 for name in ("threads", "files"))

        await until(at_rest)

    run(server, test)


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told(number: signal.Signals) -> None:
    server = Server(
        "main.py", "serve", "--host", "127.0.0.1", "--port", "0", "--token", "open-sesame"
    ).wait_until_ready()
    workers = server.workers()
    assert workers

    async def join() -> None:
        async with visiting(server) as visit:
            visit.http.headers["Authorization"] = "Bearer open-sesame"
            client = await visit.perform()
            await client.picture()
            assert await asyncio.to_thread(server.stop, number) == 0
            await until(lambda: client.closed)

    asyncio.run(join())
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert "Traceback" not in "".join(server.err)
    assert "open-sesame" not in "".join(server.err)


def test_workers_do_not_outlive_a_killed_server() -> None:
    server = Server("main.py", "serve", "--host", "127.0.0.1", "--port", "0").wait_until_ready()
    workers = server.workers()
    server.stop(signal.SIGKILL)
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def one_line(*options: str, env: dict[str, str] | None = None) -> str:
    """What `animator serve` says before it ends with exit code 2."""
    server = Server("main.py", "serve", "--host", "127.0.0.1", *options, env=env)
    try:
        wait_for(lambda: not server.is_running, 60)
    finally:
        code = server.stop()
    said = [line for line in server.err if line.startswith("animator: ")]
    assert code == 2, server.err
    assert "Traceback" not in "".join(server.err)
    assert len(said) == 1, server.err
    return said[0]


def test_a_port_in_use_is_one_line(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    assert "choose another --port" in one_line("--port", port)


def test_a_bad_certificate_is_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing\n")
    assert "cert and key" in one_line("--port", "0", "--cert", str(bad), "--key", str(bad))


@pytest.mark.skipif(sys.platform != "linux", reason="only glvnd's loader can be told to find nothing")
def test_a_machine_without_opengl_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    said = one_line("--port", "0", env={"__EGL_VENDOR_LIBRARY_FILENAMES": str(tmp_path / "nowhere.json")})
    assert "there is no OpenGL to draw with" in said
