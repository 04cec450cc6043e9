"""Performers and watchers at the real server, in its own process: settings, motion, recordings, the stage, WHIP."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import numpy as np

from animator.channels import ARKIT
from animator.data import Expression, HeadPose, Motion
from animator.protocols.motion_stream import Decoder, Encoder
from animator.server.keepsake import profile_from_keepsake
from animator.takes.live_link_csv import load_csv
from animator.takes.npz import load_takes

from .live import Client, Server, Visit, clip, until
from .visits import avatars, needs_ice, run, shows_avatar, shows_camera, shows_mirrored_camera, take

JAW = ARKIT.index("jawOpen")

pytestmark = needs_ice


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
        kept = await client.hear("calibration", face=0)
        assert profile_from_keepsake(kept)[1].neutral_cm.shape == (478, 3)
        later = await visit.perform()
        later.peer.send_control(kept)
        await later.ask("ping", "pong", t=1)
        assert not later.said("error")

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
            weights = [motion.expression.weights for motion in decoded]
            return len(weights) > 20 and np.ptp(weights, axis=0).max() > 0.1

        await until(moves)
        times_s = np.array([motion.time_s for motion in decoded])
        assert (np.diff(times_s) > 0).all()

    run(server, test)


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
        location, sdp = answer.headers["Location"], await answer.text()
        assert ("a=recvonly" if protocol == "whip" else "a=sendonly") in sdp
        await client.peer.accept(sdp)
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
