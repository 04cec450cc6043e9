"""A stranger's avatar, read where it can do no harm: in a process of its own, with limits on memory and time.

    python -m animator.server.checking FILE OUT

One line of JSON on stdout tells what it is, or in `error` why it cannot be worn. OUT is the avatar as a worker loads
it, see `packing`."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..rig import Rig

MEMORY_BYTES = 2 << 30
CPU_S = 30
MAX_OUT_BYTES = 256 << 20
"""What an avatar may take of a worker's memory."""
MAX_VERTICES, MAX_TRIANGLES, MAX_PARTS = 200_000, 300_000, 256
"""What may be drawn 30 times a second beside others; the built-in ones have 12 000 vertices."""
NAME = "avatar"
NICE = 10
"""Those who perform meanwhile go first."""
MOST_LINES, MOST_LETTERS = 16, 200
"""Of what a file says of itself."""


def main(file: Path, out: Path) -> None:
    """The process's whole life."""
    _limit()
    sys.setrecursionlimit(1000)
    try:
        said = _checked(file, out)
    except MemoryError:
        said = {"error": f"it takes more than {MEMORY_BYTES >> 30} GB of memory to read"}
    except OSError as error:
        said = {"error": f"it is too large once it is unpacked, or the server's disk is full ({error.strerror})"}
    print(json.dumps(said))


def _checked(file: Path, out: Path) -> dict[str, Any]:
    from ..errors import AnimatorError
    from ..rigging.gltf import rig_from_glb_bytes
    from .packing import save_packed

    try:
        rig = rig_from_glb_bytes(file.read_bytes(), NAME)  # without a folder: nothing else is read for it
        if _bytes_of(rig) > MAX_OUT_BYTES:
            rig = _without_maps(rig)
        problem = _too_much(rig)
        said = {"error": problem} if problem else _about(rig)
    except AnimatorError as error:
        problem = str(error).removeprefix(f"{NAME}: ")
        return {"error": f"{problem}: export it as one .glb" if problem.startswith("refers to") else problem}
    except MemoryError:
        raise
    except Exception as error:  # a fault of ours, which a file has found
        print(f"checking an avatar: {type(error).__name__}: {error}", file=sys.stderr)
        return {"error": "it cannot be read as an avatar"}
    if not problem:
        save_packed(out, rig)
    return said


def _too_much(rig: Rig) -> str | None:
    """Why it cannot be drawn beside others."""
    counts = (
        ("vertices", len(rig.positions), MAX_VERTICES),
        ("triangles", sum(len(part.triangles) for part in rig.parts), MAX_TRIANGLES),
        ("parts", len(rig.parts), MAX_PARTS),
    )
    for what, there, most in counts:
        if there > most:
            return f"it has {there:,} {what}; this server draws avatars of up to {most:,}"
    size = _bytes_of(rig)
    if size > MAX_OUT_BYTES:
        return f"its morph targets and textures take {size >> 20} MB; this server gives {MAX_OUT_BYTES >> 20} MB"
    return None


def _bytes_of(rig: Rig) -> int:
    """What morphs and pictures take, each picture once."""
    pictures = [part.material.texture_rgba for part in rig.parts]
    maps = [part.material.maps for part in rig.parts if part.material.maps is not None]
    pictures += [overlay.pixels for those in maps for overlay in those.overlays()]
    return rig.morphs.nbytes + sum({id(p): p.nbytes for p in pictures if p is not None}.values())


def _without_maps(rig: Rig) -> Rig:
    """The same with nothing but its colours: more fit in so."""
    if all(part.material.maps is None for part in rig.parts):
        return rig
    plain = tuple(replace(part, material=replace(part.material, maps=None)) for part in rig.parts)
    return replace(rig, parts=plain, notes=(*rig.notes, "left out, for want of room: normal maps and those of gloss"))


def _about(rig: Rig) -> dict[str, Any]:
    """What `animator rigs show` says of it, in short."""
    from ..rigging.reach import reach_of

    return {
        "about": [[_short(key), _short(value)] for key, value in rig.about[:MOST_LINES]],
        "vertices": len(rig.positions),
        "morphs": len(rig.morph_names),
        "channels": sum(bool(reach.targets) for reach in reach_of(rig)),
        "notes": [_short(note) for note in rig.notes[:MOST_LINES]],
    }


def _short(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in str(text)[:MOST_LETTERS]).strip()


def _limit() -> None:
    """Keep within what is given, where the system knows limits."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    try:
        import resource
    except ImportError:  # Windows: time is limited by who waits
        return
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 2 * MAX_OUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
