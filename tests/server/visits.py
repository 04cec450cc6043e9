"""What tests of the real server share: visits, and what is to be seen in pictures."""

from __future__ import annotations

import asyncio
from typing import Any

import aioice.ice
import numpy as np
import pytest

from animator.data import Array

from .live import Client, Server, Visit, clip, visiting

SILENT_S = 3.0
SESSIONS = 8

needs_ice = pytest.mark.skipif(
    not aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True),
    reason="peers cannot connect here: there is no network interface but the loopback",
)


def run(server: Server, test: Any, limit_s: float = 60.0) -> None:
    """Run `test(visit)`; everybody has left after it."""

    async def visit() -> None:
        async with asyncio.timeout(limit_s), visiting(server) as visit:
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


def avatars(rgb: Array) -> int:
    """How many bodies stand on the stage: runs of columns that differ from the picture's edge."""
    rows = rgb[rgb.shape[0] // 4 : rgb.shape[0] // 2].astype(int)
    busy = (np.abs(rows - rows[:, :1]).max(axis=2) > 25).mean(axis=0) > 0.25
    return int((np.diff(busy.astype(int), prepend=0) == 1).sum())


async def take(visit: Visit, client: Client, kind: str) -> bytes:
    async with visit.http.get(f"{visit.server.url}/sessions/{client.session}/take.{kind}") as answer:
        assert answer.status == 200, await answer.text()
        assert "attachment" in answer.headers["Content-Disposition"]
        return await answer.read()
