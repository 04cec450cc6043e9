"""Where visitors' avatars lie while they are received and checked, and nowhere else.

Nothing of a file is looked at in this process; who looks is `checking`. Once a worker has loaded an avatar its files
are removed: it then lives in that worker's memory, for that session. The folder goes with the server; what one that
was killed left behind is removed by the next."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import AnimatorError, RigError
from .scratch import Scratch, sweep

log = logging.getLogger("animator")

PREFIX = "animator-avatars-"
CHECK_S = 60.0
"""On the clock, beside others who need the processor; 30 s of its time are given."""
CHECKS_AT_ONCE = 2
MAX_ANSWER_BYTES = 65_536
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class TooLarge(AnimatorError):  # noqa: N818 - what became of an upload
    """More came than is taken."""


class Wardrobe:
    """Takes files of at most `most_bytes`, and has them checked."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._folder: Scratch | None = None
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)

    def open(self) -> None:
        """Make the folder, and remove those of servers that were killed."""
        sweep(PREFIX)
        self._folder = Scratch(PREFIX)

    def close(self) -> None:
        """Remove all of it. May be called twice."""
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    @asynccontextmanager
    async def received(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[Path]:
        """The file that these pieces make, for as long as the block lasts.

        raises : TooLarge as soon as there is more than is taken"""
        place = Path(tempfile.mkdtemp(dir=self._folder.path))
        try:
            path, size = place / "avatar", 0
            with path.open("wb") as file:
                async for piece in pieces:
                    size += len(piece)
                    if size > self.most_bytes:
                        raise TooLarge(self.too_large())
                    await asyncio.to_thread(file.write, piece)
            yield path
        except OSError as error:
            if isinstance(error, ConnectionError):
                raise
            log.error("an avatar could not be kept: %s", error)
            raise RigError("The server has no room for the avatar now: try again later.") from None
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    def too_large(self) -> str:
        """One sentence."""
        return f"This avatar is larger than {self.most_bytes / 2**20:g} MB, the most that this server takes."

    async def checked(self, path: Path) -> tuple[dict[str, Any], Path]:
        """What an avatar says of itself, and the file that a worker loads.

        raises : RigError, one sentence, for one that cannot be worn"""
        out = path.with_name("checked")
        async with self._checks:
            said = await _said_by_check(path, out)
        if said.get("error"):
            raise RigError(f"This avatar cannot be worn: {said['error']}.")
        return said, out


async def _said_by_check(path: Path, out: Path) -> dict[str, Any]:
    package = Path(__file__).parents[2]  # so that it is found wherever this program was started
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{__package__}.checking", str(path), str(out),
        cwd=package, env=os.environ | _ONE_THREAD, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(CHECK_S):
            answer = await process.stdout.read(MAX_ANSWER_BYTES)
            await process.wait()
    except TimeoutError:
        return {"error": "it takes too long to read"}
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    try:
        said = json.loads(answer)
    except ValueError:  # ended by the system, for time or memory
        return {"error": "reading it takes more memory or time than is given"}
    return said if isinstance(said, dict) else {"error": "it cannot be read as an avatar"}
