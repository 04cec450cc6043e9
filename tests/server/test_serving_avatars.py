"""An avatar of one's own on the real server: worn by who brought it, seen by who watches, worn by nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.data import Array
from animator.rigging.vrm_export import export_vrm

from .live import Client, Server, Visit, until
from .visits import difference, needs_ice, run

pytestmark = needs_ice
PATIENCE_S = 60.0
"""A loaded machine draws few pictures."""


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("avatars") / "robot.vrm"
    export_vrm("robot", path)
    return path.read_bytes()


async def bring(visit: Visit, client: Client, content: bytes) -> tuple[int, dict[str, Any]]:
    url = f"{visit.server.url}/sessions/{client.session}/avatar?room=main"
    async with visit.http.put(url, data=content) as answer:
        return answer.status, json.loads(await answer.read())


async def steady(client: Client) -> Array:
    """Colours of the picture's middle, where the head is."""
    rgb = (await client.picture()).rgb
    height, width = rgb.shape[:2]
    return rgb[height // 4 : 3 * height // 4, width // 3 : 2 * width // 3].mean((0, 1))


async def becomes(client: Client, wanted: Array, other: Array) -> None:
    """Wait until it looks far more like one avatar than like another, however it turns its head."""

    async def so() -> bool:
        seen = await steady(client)
        return 2 * float(np.linalg.norm(seen - wanted)) < float(np.linalg.norm(seen - other))

    await until(so, PATIENCE_S)


def test_it_is_worn_and_seen_and_nobody_else_can_wear_it(server: Server, robot: bytes) -> None:
    async def test(visit: Visit) -> None:
        model = await visit.perform(room="model", rig="robot", view="avatar")
        await model.hear("stats", faces=1)
        colours = await steady(model)
        mine, viewer = await visit.perform(view="avatar"), await visit.watch()
        await mine.hear("stats", faces=1)
        before = await steady(mine)
        assert float(np.abs(before - colours).max()) > 25
        status, said = await bring(visit, mine, robot)
        assert (status, said["channels"]) == (200, 52)
        await mine.hear("settings", rig="own")
        await becomes(mine, colours, before)
        await becomes(viewer, colours, before)
        # Others have none, whatever they call it.
        for name in ("own", "own 0", "own 1"):
            assert "rig: " in (await model.ask("set", "error", rig=name))["message"]
        assert (await bring(visit, viewer, robot))[0] == 400
        # Taken off, and on again.
        assert (await mine.ask("set", "settings", rig="human"))["rig"] == "human"
        await becomes(viewer, before, colours)
        assert (await mine.ask("set", "settings", rig="own", view="avatar"))["rig"] == "own"
        await becomes(viewer, colours, before)

    run(server, test, 240.0)


def test_two_of_one_room_each_wear_their_own(server: Server, robot: bytes) -> None:
    async def test(visit: Visit) -> None:
        one, viewer = await visit.perform(view="avatar"), await visit.watch()
        await one.hear("stats", faces=1)
        two = await visit.perform(view="avatar")
        await two.hear("stats", faces=1)
        await bring(visit, two, robot)
        await two.hear("settings", rig="own")

        async def halves_differ() -> bool:
            rgb = (await viewer.picture()).rgb
            height, width = rgb.shape[:2]  # fewer where drawing does not keep up
            assert 3 * width == pytest.approx(4 * height, abs=8)
            return difference(rgb[:, : width // 2], rgb[:, width // 2 :]) > 12

        await until(halves_differ, PATIENCE_S)
        # A better one takes the place of the one before; a bad one changes nothing.
        status, said = await bring(visit, two, b"nothing")
        assert (status, said["error"][:27]) == (400, "This avatar cannot be worn:")
        assert (await bring(visit, two, robot))[0] == 200

    run(server, test, 240.0)


def test_nothing_of_it_lies_anywhere_after_it_is_worn(server: Server, robot: bytes) -> None:
    async def test(visit: Visit) -> None:
        mine = await visit.perform()
        await bring(visit, mine, robot)
        await mine.hear("settings", rig="own")
        opened = Path(f"/proc/{server.process.pid}/fd")
        (lock,) = {Path(link.readlink()) for link in opened.iterdir() if "animator-avatars-" in str(link.readlink())}
        assert [path.name for path in lock.parent.rglob("*")] == ["lock"]

    run(server, test)
