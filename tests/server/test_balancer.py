"""Several servers behind nginx, by the configuration of docs/deployment.md: a room is always the same server's."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import ROOT

from .site import OFFER, SDP, Site

NAME = "puppets.example.org"
PROXY = "127.0.0.2"
"""Where nginx asks from: what it says of us, who come from another address, is believed."""
START_S = 10.0

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here: apt-get install nginx-light")


def configuration(folder: Path, port: int, sites: list[Site]) -> str:
    """The documented one, with ports of ours and without TLS."""
    text = (ROOT / "docs/deployment.md").read_text("utf-8")
    (block,) = [found for found in re.findall(r"```nginx\n(.*?)```", text, re.DOTALL) if "hash $room" in found]
    block = re.sub(r" +ssl_.*\n", "", block).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    for number, site in enumerate(sites, 1):
        assert f"10.0.0.{number}:8443" in block
        block = block.replace(f"10.0.0.{number}:8443", site.host)
    paths = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off; pid {folder}/pid; error_log {folder}/errors;\nevents {{}}\n"
    return f"{head}http {{ access_log off; proxy_bind {PROXY};\n{paths}\n{block}}}\n"


@asynccontextmanager
async def balanced(folder: Path, sites: list[Site]) -> AsyncIterator[str]:
    """nginx in front of them; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(configuration(folder, port, sites))
    nginx = await asyncio.create_subprocess_exec(
        "nginx", "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")
    )
    try:
        async with asyncio.timeout(START_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except ConnectionError:
                    await asyncio.sleep(0.02)
            writer.close()
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.terminate()
        await nginx.wait()


def test_all_requests_of_a_room_reach_one_server(tmp_path: Path) -> None:
    async def test() -> None:
        settings = {"allow_hosts": (NAME,), "trusted_proxies": (PROXY,), "offers_per_minute": 4}
        async with Site(**settings) as one, Site(**settings) as two, balanced(tmp_path, [one, two]) as address:
            homes = {}
            async with aiohttp.ClientSession(address, headers={"Host": NAME, "Origin": f"http://{NAME}"}) as http:
                for number in range(12):
                    room = f"room-{number}"
                    homes[room] = await at_home(http, [one, two], room)
                statuses = []
                for claim in range(6):
                    headers = {"X-Forwarded-For": f"1.2.3.{claim}"}
                    async with http.post("/offer?room=x", json=OFFER, headers=headers) as answer:
                        statuses.append(answer.status)
            assert len(set(homes.values())) == 2
            assert 429 in statuses  # what a client claims does not make it another one

    async def at_home(http: aiohttp.ClientSession, sites: list[Site], room: str) -> int:
        """Which of them everything that concerns the room has reached."""
        for site in sites:
            site.now_s += 61.0
        async with http.post(f"/offer?room={room}", json=OFFER) as answer:
            assert answer.status == 200, await answer.text()
            session = json.loads(await answer.read())["session"]
        (home,) = [site for site in sites if site.workers.has(session)]
        async with http.post(f"/whip/{room}", data="v=0", headers=SDP) as answer:
            published = answer.headers["Location"]
        assert home.workers.joined[-1][1] == room
        for path in (f"/sessions/{session}?room={room}", published):
            async with http.delete(path) as answer:
                assert answer.status == 204
        async with http.get(f"/r/{room}") as answer:
            assert answer.status == 200
        return sites.index(home)

    asyncio.run(test())
