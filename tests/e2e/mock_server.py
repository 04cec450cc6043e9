"""A server that speaks the contract of `animator serve` and does nothing else: for tests of the page alone.

A real aiortc peer sends back a moving test picture and answers what a person does with plausible values. Tests
reach in by its attributes: what was asked, what to refuse, which connections to cut.

    python -m tests.e2e.mock_server --port 8123      # to look at the page
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

from animator.channels import ARKIT
from animator.data import Expression, Gaze, HeadPose, Motion
from animator.protocols.motion_stream import Encoder
from animator.resources import rigs_folder

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "animator" / "server" / "page"
IMAGES = ROOT / "docs" / "images"
VIEWS = ("avatar", "mask", "mesh", "side-by-side")
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' blob:; "
    "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NUMBERS_JS = """
export function mount(canvas, config) {
  const count = () => { canvas.dataset.motions = Number(canvas.dataset.motions ?? 0) + 1; };
  config.motions.addEventListener("motion", count);
  return { close: () => config.motions.removeEventListener("motion", count) };
}
"""
FULL = "This server is full: 16 people are connected."
FATE_LOOK_S = 0.05
SETTINGS = {
    "view": "avatar",
    "rig": "human",
    "faces": 1,
    "detection": 50,
    "tracking": 50,
    "presence": 50,
    "smoothing": 50,
    "mirror": False,
}


def picture(view: str) -> np.ndarray:
    """(480, 640 or 1280, 3) uint8: the view's picture from the documentation, or a grey gradient."""
    path = IMAGES / f"view-{view}.png"
    if not path.exists():
        return np.full((480, 640, 3), 128, np.uint8)
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


class TestPicture(VideoStreamTrack):
    """The view's picture, swaying a little, so that frames differ."""

    __test__ = False

    def __init__(self, guest: Guest) -> None:
        super().__init__()
        self._guest = guest
        self._pictures: dict[str, np.ndarray] = {}

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        view = self._guest.settings["view"]
        if view not in self._pictures:
            step = self._guest.every_pixel
            self._pictures[view] = np.ascontiguousarray(picture(view)[::step, ::step])
        shift = round(6 * math.sin(pts / 90000 * 2))
        frame = av.VideoFrame.from_ndarray(np.roll(self._pictures[view], shift, axis=1), format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


@dataclass(eq=False)
class Guest:
    """One connection and what it said."""

    pc: RTCPeerConnection
    session: str
    offer: dict[str, Any]
    settings: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    control: Any = None
    motion: Any = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    wants_motion: bool = False
    every_pixel: int = 1

    def send(self, message: dict[str, Any]) -> None:
        if self.control is not None and self.control.readyState == "open":
            self.control.send(json.dumps(message))

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in list(self.messages) if message["type"] == kind]


def motion_at(time_s: float) -> Motion:
    """A face that moves all its channels, each a little later than the one before."""
    weights = np.array([0.5 + 0.5 * math.sin(3 * time_s + i / 3) for i in range(len(ARKIT))], np.float32)
    return Motion(
        time_s=time_s,
        track_id=0,
        pose=HeadPose(rotation_wxyz=np.array([1.0, 0, 0, 0]), translation_cm=np.array([0.0, 0, -40])),
        gaze=Gaze(angles_rad=np.zeros((2, 2))),
        expression=Expression(weights=weights),
        confidence=1.0,
    )


class MockServer:
    """The contract on a port of its own, in a thread of its own."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, every_pixel: int = 1) -> None:
        self.host, self.port, self.every_pixel = host, port, every_pixel
        self.three, self.draws = False, False
        """Whether the page can draw puppets itself, and whether by its own bundle or by one that only counts."""
        self.token = ""
        self.refusals: list[tuple[int, dict[str, str]]] = []
        """Answers to the next offers, each (status, headers), before one is accepted."""
        self.refusal = FULL
        self.state = "face"
        self.performers = 1
        self.motion_at: Callable[[float], Motion] = motion_at
        self.guests: list[Guest] = []
        self.deleted: list[str] = []
        self.asked: list[str] = []
        self.avatar_mb = self.own_avatars = 0
        self.avatar_refusal: tuple[int, str] | None = None
        self.avatars: list[tuple[str, int]] = []
        """Session and size of each avatar that was brought."""
        self.fate = ""
        """What is told of every session that is asked about: empty while it lives."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> MockServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def stop(self) -> None:
        self.fate = "ended"
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def reset(self) -> None:
        """As if nobody had been here."""
        self.cut()
        self.token, self.state, self.three, self.performers = "", "face", False, 1
        self.refusal = FULL
        self.motion_at, self.draws = motion_at, False
        self.avatar_mb, self.own_avatars, self.avatar_refusal = 0, 0, None
        self.avatars.clear()
        self.refusals.clear()
        self.guests.clear()
        self.deleted.clear()
        self.asked.clear()
        self.fate = ""

    def cut(self) -> None:
        """Close every connection, as a lost network does."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to everybody."""
        for guest in self.guests:
            self._loop.call_soon_threadsafe(guest.send, message)

    async def _listen(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_get("/", self._page)
        app.router.add_get("/r/{room}", self._page)
        app.router.add_get("/static/{name}", self._static)
        app.router.add_get("/rigs/{name}", self._rig)
        app.router.add_get("/config.json", self._config)
        app.router.add_post("/offer", self._offer)
        app.router.add_delete("/sessions/{id}", self._delete)
        app.router.add_get("/sessions/{id}", self._fate)
        app.router.add_get("/sessions/{id}/{name}", self._take)
        app.router.add_put("/sessions/{id}/avatar", self._bring)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def _close(self) -> None:
        await self._cut()
        await self._runner.cleanup()

    async def _cut(self) -> None:
        for guest in self.guests:
            for task in guest.tasks:
                task.cancel()
            await asyncio.gather(*guest.tasks, return_exceptions=True)
            await guest.pc.close()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": CSP})

    async def _static(self, request: web.Request) -> web.StreamResponse:
        path = PAGE / request.match_info["name"]
        if path.name == "numbers.js" and not self.draws:
            return web.Response(text=NUMBERS_JS, content_type="text/javascript")
        kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Content-Type": kinds[path.suffix], "Cache-Control": "no-cache"})

    async def _rig(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["name"] == "human.glb":
            return web.FileResponse(rigs_folder() / "human" / "human.glb")
        path = IMAGES / "view-avatar.png"
        if not path.exists():
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def _config(self, request: web.Request) -> web.Response:
        rigs = [{"name": n, "title": t, "picture": f"/rigs/{n}.png"} for n, t in (("human", "Human"), ("fox", "Fox"))]
        rigs[0] |= {"model": "/rigs/human.glb", "rig_from_face": {"scale": 0.01}}
        return web.json_response({
            "rigs": rigs,
            "views": VIEWS,
            "ice_servers": [],
            "three": self.three,
            "channels": ARKIT,
            "avatar_mb": self.avatar_mb,
            "version": "0",
            "token_required": bool(self.token),
        })  # fmt: skip

    def _is_known(self, request: web.Request) -> bool:
        return not self.token or request.headers.get("Authorization") == f"Bearer {self.token}"

    async def _offer(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return web.json_response({"error": "the token is missing or wrong"}, status=401)
        if self.refusals:
            status, headers = self.refusals.pop(0)
            return web.json_response({"error": self.refusal}, status=status, headers=headers)
        offer = await request.json()
        pc = RTCPeerConnection()
        named = {key: offer[key] for key in ("view", "rig") if offer.get(key)}
        guest = Guest(pc, f"s{len(self.guests)}", offer, SETTINGS | named, every_pixel=self.every_pixel)
        self.guests.append(guest)
        pc.on("datachannel", lambda channel: self._meet(guest, channel))
        await pc.setRemoteDescription(RTCSessionDescription(offer["sdp"], offer["type"]))
        if offer.get("video", True):
            pc.addTrack(TestPicture(guest))
        await pc.setLocalDescription(await pc.createAnswer())
        answer = {"sdp": pc.localDescription.sdp, "type": pc.localDescription.type, "session": guest.session}
        return web.json_response(answer)

    async def _delete(self, request: web.Request) -> web.Response:
        self.deleted.append(request.match_info["id"])
        return web.Response(status=204)

    async def _bring(self, request: web.Request) -> web.Response:
        self.avatars.append((request.match_info["id"], len(await request.read())))
        if self.avatar_refusal is not None:
            status, error = self.avatar_refusal
            return web.json_response({"error": error}, status=status)
        guest = next(guest for guest in self.guests if guest.session == request.match_info["id"])
        guest.settings["rig"] = "own"
        guest.send({"type": "settings", **guest.settings})
        about = [["name", "A Fox of My Own"], ["author", "Somebody"], ["licence", "CC0"]]
        return web.json_response({"about": about, "vertices": 9, "morphs": 52, "channels": 50, "notes": []})

    async def _fate(self, request: web.Request) -> web.Response:
        """Held back until there is something to tell, as a test has it."""
        self.asked.append(request.match_info["id"])
        for _ in range(round(float(request.query["wait"]) / FATE_LOOK_S)):
            if self.fate:
                return web.json_response({"error": "It is over.", "state": self.fate}, status=410)
            await asyncio.sleep(FATE_LOOK_S)
        return web.Response(status=204)

    async def _take(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return web.json_response({"error": "the token is missing or wrong"}, status=401)
        return web.Response(
            body=b"PK" if request.match_info["name"].endswith(".npz") else b"Timecode,BlendshapeCount\n"
        )

    def _meet(self, guest: Guest, channel: Any) -> None:
        if channel.label == "motion":
            guest.motion = channel
            guest.tasks.append(asyncio.ensure_future(self._move(guest)))
            return
        guest.control = channel
        channel.on("message", lambda text: self._answer(guest, json.loads(text)))
        room, role = guest.offer.get("room", "main"), guest.offer.get("role", "perform")
        here = {"session": guest.session, "room": room, "role": role, "performers": 1, "viewers": 2}
        guest.send({"type": "welcome", **here, "settings": guest.settings})
        guest.send({"type": "state", "state": self.state, "message": ""})
        guest.tasks.append(asyncio.ensure_future(self._report(guest)))

    def _answer(self, guest: Guest, message: dict[str, Any]) -> None:
        guest.messages.append(message)
        kind = message["type"]
        if kind == "ping":
            guest.send({"type": "pong", "t": message["t"]})
        elif kind == "set":
            guest.settings.update({key: value for key, value in message.items() if key in SETTINGS})
            guest.send({"type": "settings", **guest.settings})
        elif kind == "want-motion":
            guest.wants_motion = message["on"]
        elif kind == "calibrate":
            guest.send({"type": "state", "state": "calibrating", "message": ""})
            guest.send({"type": "state", "state": "calibrated", "message": "Calibrated: this is your face at rest."})
        elif kind == "record" and message["on"]:
            guest.send({"type": "state", "state": "recording", "message": ""})
        elif kind == "record":
            url = f"/sessions/{guest.session}/take.npz"
            guest.send({"type": "state", "state": "recorded", "message": "Recorded.", "url": url})

    async def _report(self, guest: Guest) -> None:
        stages = {"track": 14.2, "solve": 1.4, "deform": 1.1, "render": 9.7, "encode": 4.9}
        while True:
            stats = {"fps_in": 29.8, "fps_out": 29.6, "faces": 1, "viewers": 2, "kbit_s": 1240}
            stats["own_avatars"] = self.own_avatars
            guest.send({"type": "stats", **stats, "performers": self.performers, "stages": stages})
            await asyncio.sleep(1)

    async def _move(self, guest: Guest) -> None:
        encoder, time_s = Encoder(), 0.0
        while True:
            if guest.wants_motion and guest.motion.readyState == "open":
                for message in encoder.encode(self.motion_at(time_s)):
                    guest.motion.send(message)
            time_s += 1 / 30
            await asyncio.sleep(1 / 30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8123)
    server = MockServer(**vars(parser.parse_args())).start()
    print(server.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
