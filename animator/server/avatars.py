"""Visitors' own avatars: received, checked, worn for one session, and given to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError

from .access import Access
from .config import ServeConfig
from .signalling import no_session
from .wardrobe import TooLarge, Wardrobe
from .workers import Workers

UPLOAD_S = 180.0
"""64 MB at 3 Mbit/s."""
PIECE_BYTES = 1 << 18


class Avatars:
    """The handler of `PUT /sessions/ID/avatar`."""

    def __init__(self, config: ServeConfig, workers: Workers, access: Access) -> None:
        self._workers, self._access = workers, access
        self.wardrobe = Wardrobe(config.avatar_mb << 20)
        self._coming: set[str] = set()

    def add_to(self, app: web.Application) -> None:
        """Route it, and have the files' folder come and go with the server."""
        app.add_routes([web.put("/sessions/{session}/avatar", self._put)])
        app.cleanup_ctx.append(self._folder)

    async def _folder(self, _app: web.Application) -> AsyncIterator[None]:
        self.wardrobe.open()
        yield
        self.wardrobe.close()

    async def _put(self, request: web.Request) -> web.Response:
        self._access.check_rate(request)
        session, most = request.match_info["session"], self.wardrobe.most_bytes
        if not most:
            raise web.HTTPForbidden(reason="This server takes no avatars of visitors.")
        if not self._workers.has(session):
            raise no_session()
        await self._workers.may_wear(session)
        if (request.content_length or 0) > most:
            raise _too_large(self.wardrobe.too_large())
        if session in self._coming:
            raise web.HTTPConflict(reason="Another avatar of this session is still on its way.")
        self._coming.add(session)
        try:
            async with self.wardrobe.received(_pieces(request)) as path:
                said, made = await self.wardrobe.checked(path)
                await self._workers.wear(session, str(made))
        except TooLarge as error:
            raise _too_large(str(error)) from None
        except (ConnectionError, ClientPayloadError):
            raise web.HTTPBadRequest(reason="The avatar did not arrive whole.") from None
        finally:
            self._coming.discard(session)
        return web.json_response(said)


def _too_large(sentence: str) -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(max_size=0, actual_size=0, reason=sentence)


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async with asyncio.timeout(UPLOAD_S):
            async for piece in request.content.iter_chunked(PIECE_BYTES):
                yield piece
    except TimeoutError:
        raise web.HTTPRequestTimeout(reason="The avatar did not arrive in time.") from None
