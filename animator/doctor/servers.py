"""Ports of this machine, and the STUN and TURN servers that a person named."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator, Sequence

from ..errors import AnimatorError
from .findings import Finding

STUN_PORT = 3478


def port(number: int, is_named: bool) -> Finding:
    """Whether `animator serve` could listen there."""
    what = f"port {number}"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("", number))
            one.listen(1)
    except OverflowError:
        return Finding(what, "bad", "there is no such port", "one of 1 to 65535")
    except OSError as error:
        verdict = "bad" if is_named else "warn"
        if error.errno == errno.EADDRINUSE:
            return Finding(what, verdict, "another program listens there", "animator serve --port ANOTHER")
        if error.errno == errno.EACCES:
            return Finding(what, verdict, "only root may listen there", "animator serve --port 8080 behind a proxy")
        return Finding(what, verdict, str(error.strerror), "animator serve --port ANOTHER")
    return Finding(what, "ok", "free for `animator serve`")


def helpers(stun: Sequence[str], turn: Sequence[str], turn_secret: str | None) -> Iterator[Finding]:
    """Ask each server what a client would ask it."""
    from ..server.turn import SharedSecret
    from ..webrtc.config import IceServer
    from ..webrtc.probing import relayed_address, told_address

    for text in (*stun, *turn):
        url = text.split(",", 1)[0]  # without the password
        try:
            if turn_secret is not None and text in turn and "," not in text:
                (server,) = SharedSecret((text,), turn_secret).servers()
            else:
                server = IceServer.from_text(text)
            if server.is_relay:
                address, spent_ms = asyncio.run(relayed_address(server))
                yield Finding(url, "ok", f"gives the address {address}, in {spent_ms:.0f} ms")
            else:
                address, spent_ms = asyncio.run(told_address(server))
                yield Finding(url, "ok", f"sees us as {address}, in {spent_ms:.0f} ms")
        except AnimatorError as error:
            remedy = "is it running, are its ports open, are name and password right (docs/deployment.md)?"
            yield Finding(url, "bad", str(error).removeprefix(f"{url}: "), remedy)
