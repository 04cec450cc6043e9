"""The processes that bench_webrtc measures: `animator serve`, and aiortc's echo as the baseline."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

_ECHO = """
import asyncio, json, sys
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
async def main():
    pc = RTCPeerConnection(RTCConfiguration([]))
    @pc.on("track")
    def echo(track):
        pc.addTrack(track)
    await pc.setRemoteDescription(RTCSessionDescription(json.loads(sys.stdin.readline()), "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    print(json.dumps(pc.localDescription.sdp), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await pc.close()
asyncio.run(main())
"""


class Served:
    """A process that answers offers, and what it costs."""

    def __init__(self, process: subprocess.Popen, url: str = "") -> None:
        self.process, self.url = process, url

    async def answer(self, sdp: str, **wish: str) -> str:
        """The answer to an offer, by POST /offer."""
        body = json.dumps({"sdp": sdp, "type": "offer", "role": "perform"} | wish).encode()
        return (await asyncio.to_thread(self._ask, "/offer", body))["sdp"]

    def health(self) -> dict[str, int]:
        """What GET /health says."""
        return self._ask("/health")

    def pids(self) -> list[int]:
        """The process and its children."""
        pid = self.process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def cpu_s(self) -> float:
        """Processor seconds taken so far."""
        total = 0.0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / TICKS_PER_S
        return total

    def memory_mb(self) -> float:
        """Resident memory."""
        kilobytes = 0
        for pid in self.pids():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        return kilobytes / 1024

    def _ask(self, path: str, body: bytes | None = None) -> dict:
        headers = {"Content-Type": "application/json"} if body else {}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=30) as reply:
            return json.load(reply)


class Echo(Served):
    """aiortc alone: decodes and encodes what comes, nothing else."""

    async def answer(self, sdp: str, **_wish: str) -> str:
        self.process.stdin.write(json.dumps(sdp) + "\n")
        self.process.stdin.flush()
        return json.loads(await asyncio.to_thread(self.process.stdout.readline))


@contextlib.contextmanager
def echoing() -> Iterator[Echo]:
    """The baseline; for one connection."""
    process = subprocess.Popen(
        [sys.executable, "-c", _ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        yield Echo(process)
    finally:
        process.communicate("\n", timeout=20)


@contextlib.contextmanager
def serving() -> Iterator[Served]:
    """The server, from the moment on at which its worker is ready; it lets a crowd in, all from one address."""
    settings = json.dumps({"max_sessions": 100, "offers_per_minute": 100_000})
    command = [sys.executable, "-m", "tests.server.running", settings]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        links = (re.search(r"https?://[\w.:]+", line) for line in process.stdout)
        url = next((link[0] for link in links if link), None)
        assert url is not None, "the server did not start"
        yield Served(process, url)
    finally:
        process.terminate()
        process.communicate(timeout=20)
