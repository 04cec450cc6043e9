"""`animator serve` as a process: how it ends, and the one line it says when it cannot begin."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from .live import Server, until, visiting, wait_for
from .visits import needs_ice

pytestmark = needs_ice


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
