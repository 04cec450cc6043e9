"""Visitors' own avatars: how much is taken, what is refused, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.errors import AnimatorError
from animator.resources import rigs_folder
from animator.rig import Maps, Overlay
from animator.rigging import gltf
from animator.rigging.library import load_rig
from animator.rigging.vrm_export import export_vrm
from animator.server import checking, wardrobe
from animator.server.packing import load_packed
from animator.server.wardrobe import PREFIX, Wardrobe

from .site import OFFER, Site, at, bearing

MASK = rigs_folder() / "mask" / "mask.glb"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


async def session_at(site: Site) -> str:
    answer = await site.ask("POST", "/offer", json=OFFER)
    return json.loads(answer.body)["session"]


def left_in(folder: Path) -> list[str]:
    """What lies in the folder of a server that runs."""
    (own,) = folder.glob(f"{PREFIX}*")
    return [path.name for path in own.rglob("*") if path.name != "lock"]


def test_an_avatar_is_told_worn_and_not_kept(folder: Path, tmp_path: Path) -> None:
    export_vrm("mask", tmp_path / "a.vrm")

    async def test(site: Site) -> None:
        session = await session_at(site)
        answer = await site.ask("PUT", f"/sessions/{session}/avatar", data=(tmp_path / "a.vrm").read_bytes())
        assert answer.status == 200
        said = json.loads(answer.body)
        assert said["channels"] == 52
        about = dict(said["about"])
        assert about["format"] == "VRM 1.0"
        assert {"name", "author", "licence"} <= about.keys()
        ((worn_by, made),) = site.workers.worn
        assert worn_by == session
        (tmp_path / "made").write_bytes(made)
        rig = load_packed(tmp_path / "made")
        assert len(rig.positions) == said["vertices"] == len(load_rig(tmp_path / "a.vrm").positions)
        assert left_in(folder) == []

    at(test)
    assert list(folder.iterdir()) == []


def test_who_is_not_in_a_session_brings_nothing(folder: Path) -> None:
    async def test(site: Site) -> None:
        own = await session_at(site)
        refused = await site.ask("PUT", "/sessions/of-somebody-else/avatar", data=MASK.read_bytes())
        assert (refused.status, refused.error) == (404, "There is no such session.")
        site.workers.trouble = AnimatorError("Only who performs here wears an avatar: it is drawn by the server.")
        refused = await site.ask("PUT", f"/sessions/{own}/avatar", data=MASK.read_bytes())
        assert (refused.status, refused.error[:24]) == (400, "Only who performs here w")
        # Nobody can ask for it either, not even its own session.
        for method in ("GET", "HEAD", "POST", "DELETE"):
            assert (await site.ask(method, f"/sessions/{own}/avatar")).status == 405
        assert site.workers.worn == []

    at(test)


def test_the_token_is_needed() -> None:
    async def test(site: Site) -> None:
        assert (await site.ask("PUT", "/sessions/x/avatar", data=b"x")).status == 401
        assert (await site.ask("PUT", "/sessions/x/avatar", data=b"x", headers=bearing("secret"))).status == 404

    at(test, token="secret")


def test_a_server_may_take_none() -> None:
    async def test(site: Site) -> None:
        session = await session_at(site)
        assert json.loads((await site.ask("GET", "/config.json")).body)["avatar_mb"] == 0
        answer = await site.ask("PUT", f"/sessions/{session}/avatar", data=MASK.read_bytes())
        assert (answer.status, answer.error) == (403, "This server takes no avatars of visitors.")

    at(test, avatar_mb=0)


def test_too_much_is_refused_before_it_came_and_while_it_comes(folder: Path) -> None:
    async def test(site: Site) -> None:
        session = await session_at(site)
        path = f"/sessions/{session}/avatar"
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < 64 << 20:
                sent += 1 << 16
                yield bytes(1 << 16)

        head = f"PUT {path} HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 1048577\r\n\r\n"
        answer = await site.raw(head.encode())  # it has not come, and is not waited for
        assert b" 413 " in answer.split(b"\r\n")[0]
        assert b"This avatar is larger than 1 MB, the most that this server takes." in answer
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("animator.server.avatars.PIECE_BYTES", 1 << 12)
            try:
                answer = await site.ask("PUT", path, data=endless())
                assert answer.status == 413
            except OSError:  # told in the middle of the sending, which some clients take amiss
                pass
        assert sent < 32 << 20
        assert left_in(folder) == []
        assert site.workers.worn == []
        assert (await site.ask("PUT", path, data=MASK.read_bytes())).status == 200  # the next one may be better

    at(test, avatar_mb=1)


def test_who_hangs_up_in_the_middle_leaves_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(site: Site) -> None:
        session = await session_at(site)
        _, writer = await asyncio.open_connection(*site.host.split(":"))
        head = f"PUT /sessions/{session}/avatar HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 5000\r\n\r\n"
        writer.write(head.encode() + bytes(100))
        await until(lambda: left_in(folder))
        second = await site.ask("PUT", f"/sessions/{session}/avatar", data=b"x")
        assert (second.status, second.error) == (409, "Another avatar of this session is still on its way.")
        writer.transport.abort()
        await until(lambda: not left_in(folder))

    at(test)
    assert not [record for record in caplog.records if record.exc_info]


async def until(so: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not so():
            await asyncio.sleep(0.01)


def test_what_does_not_come_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animator.server.avatars.UPLOAD_S", 0.2)

    async def test(site: Site) -> None:
        session = await session_at(site)
        head = f"PUT /sessions/{session}/avatar HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 5000\r\n\r\n"
        answer = await site.raw(head.encode() + bytes(100))
        assert b" 408 " in answer.split(b"\r\n")[0]
        assert left_in(folder) == []

    at(test)


GLTF = {"asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"componentType": 5126, "count": 3, "type": "VEC3", "bufferView": 0}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}]}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "expected a GLB header or glTF JSON"),
        (b"glTF" + bytes(100), "expected GLB version 2"),
        (b"PK\3\4" + bytes(100), "expected a GLB header or glTF JSON"),
        (json.dumps(GLTF | {"buffers": [{"uri": "body.bin", "byteLength": 36}]}).encode(), "refers to 'body.bin'"),
        (json.dumps(GLTF | {"buffers": [{"uri": "avatar", "byteLength": 36}]}).encode(), "refers to 'avatar'"),
        (json.dumps(GLTF | {"buffers": [{"uri": "../lock", "byteLength": 36}]}).encode(), "refers to '../lock'"),
        (json.dumps(GLTF | {"buffers": [{"uri": "/etc/passwd", "byteLength": 36}]}).encode(), "refers to '/etc/pas"),
        (
            json.dumps(GLTF | {"buffers": [{"uri": "http://a.example/b", "byteLength": 36}]}).encode(),
            "refers to 'http://a",
        ),
    ],
)
def test_what_is_no_avatar_is_one_sentence(folder: Path, content: bytes, why: str) -> None:
    async def test(site: Site) -> None:
        session = await session_at(site)
        answer = await site.ask("PUT", f"/sessions/{session}/avatar", data=content)
        assert answer.status == 400
        assert answer.error.startswith(f"This avatar cannot be worn: {why}")
        assert str(folder) not in answer.error
        assert site.workers.worn == []
        assert left_in(folder) == []

    at(test)


def test_malformed_ones_are_one_sentence_each(shared: Callable[[str], Path]) -> None:
    files = [path for path in sorted(shared("avatars/malformed").iterdir()) if path.is_file()]
    assert files

    async def test(site: Site) -> None:
        session = await session_at(site)
        for path in files:
            answer = await site.ask("PUT", f"/sessions/{session}/avatar", data=path.read_bytes())
            assert answer.status in (200, 400), path.name
            if answer.status == 400:
                assert answer.error.startswith("This avatar cannot be worn: "), path.name

    at(test)


def checked(content: bytes, folder: Path, most_bytes: int = 1 << 20) -> dict[str, Any]:
    """What a check says of a file."""

    async def check() -> dict[str, Any]:
        path = folder / "avatar"
        path.write_bytes(content)
        return await wardrobe._said_by_check(path, folder / "out")

    return asyncio.run(check())


def test_a_check_that_takes_too_long_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wardrobe, "CHECK_S", 0.0)
    assert checked(MASK.read_bytes(), folder) == {"error": "it takes too long to read"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system knows no limits")
@pytest.mark.parametrize("limit", ["MEMORY_BYTES", "CPU_S"])
def test_a_check_has_limits(folder: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "avatar").write_bytes(MASK.read_bytes())
    script = f"""
from pathlib import Path
from animator.server import checking
checking.{limit} = {{"MEMORY_BYTES": 600 << 20, "CPU_S": 1}}[{limit!r}]
def greedy(*_what):
    if {limit!r} == "CPU_S":
        while True:
            pass
    return bytes(1 << 30)
import animator.rigging.gltf
animator.rigging.gltf.rig_from_glb_bytes = greedy
checking.main(Path({str(folder / "avatar")!r}), Path({str(folder / "out")!r}))
"""
    made = folder / "greedy.py"
    made.write_text(script)
    real = asyncio.create_subprocess_exec

    def instead(program: str, *_arguments: str, **options: Any) -> Any:
        return real(program, str(made), **options | {"env": os.environ | {"PYTHONPATH": str(options["cwd"])}})

    monkeypatch.setattr(wardrobe.asyncio, "create_subprocess_exec", instead)
    said = asyncio.run(wardrobe._said_by_check(folder / "avatar", folder / "out"))
    assert "memory" in said["error"]
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("limit", "why"), [("MAX_VERTICES", "vertices"), ("MAX_TRIANGLES", "triangles"), ("MAX_OUT_BYTES", "take")]
)
def test_what_is_too_much_to_draw_is_refused(folder: Path, limit: str, why: str, monkeypatch) -> None:
    monkeypatch.setattr(checking, limit, 100)
    said = checking._checked(MASK, folder / "out")
    assert why in said["error"]
    assert not (folder / "out").exists()


def test_maps_are_left_out_before_an_avatar_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = load_rig("mask")
    bumps = Maps(normal=Overlay(np.zeros((2048, 2048, 3), np.uint8)))
    bumpy = replace(rig, parts=tuple(replace(p, material=replace(p.material, maps=bumps)) for p in rig.parts))
    monkeypatch.setattr(gltf, "rig_from_glb_bytes", lambda *_: bumpy)
    room = checking._bytes_of(bumpy)
    assert room == checking._bytes_of(rig) + 3 * 2048**2  # shared by all parts, it is there once
    for most, is_bumpy in ((room, True), (room - 1, False)):
        monkeypatch.setattr(checking, "MAX_OUT_BYTES", most)
        said = checking._checked(MASK, folder / "out")
        worn = load_packed(folder / "out")
        assert any("normal maps" in note for note in said["notes"]) != is_bumpy
        assert all((part.material.maps is not None) == is_bumpy for part in worn.parts)


def test_what_a_killed_server_left_is_removed_and_what_is_anothers_stays(folder: Path) -> None:
    left, others = folder / f"{PREFIX}left", folder / "animator-something"
    for place in (left / "x", others):
        place.mkdir(parents=True)
    (left / "lock").touch()
    (left / "x" / "avatar").write_bytes(b"somebody's")

    async def test() -> None:
        first, second = Wardrobe(1), Wardrobe(1)
        first.open()
        assert not left.exists()
        second.open()  # one that goes on is left alone
        assert len(list(folder.glob(f"{PREFIX}*"))) == 2
        for one in (first, second):
            one.close()
            one.close()

    asyncio.run(test())
    assert list(folder.iterdir()) == [others]
