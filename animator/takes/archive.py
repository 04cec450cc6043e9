"""NumPy's `.npz` container, read as a stranger's file and written a piece at a time.

What a member claims to be is read from its head and checked against what is wanted before its numbers are: a few
kilobytes of zip can claim to be many gigabytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..data import Array
from ..errors import TakeError

MAX_MEMBERS = 10_000
MAX_TEXT = 10_000
MAX_READ_BYTES = 8 * 2**20
"""At once: a list of members is no longer than this, and numbers are read in smaller pieces."""
MAX_HEAD_BYTES = 10_000
ROOMY_BYTES, MOST_SHRUNK = 64 * 2**20, 20
"""Unpacked, an archive may have the first and so many times its packed size: a zip of zeros has 1000 times."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_KINDS = "fiubU"
"""Kinds of numbers that a take may hold, and text; no objects, which are code."""


@dataclass(frozen=True, slots=True)
class Rows:
    """An array that is written without being held: its shape, and its pieces in order."""

    shape: tuple[int, ...]
    dtype: type
    pieces: Iterable[Array]


class Archive:
    """An open `.npz` file."""

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self._path, self._file = path, file
        self._members = {info.filename.removesuffix(".npy"): info for info in file.infolist()}
        self._left = ROOMY_BYTES + MOST_SHRUNK * path.stat().st_size

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def array(self, name: str, most: int) -> Array:
        """One member; raises TakeError if it is missing or has more than `most` elements."""
        if name not in self._members:
            raise TakeError(f"{self._path} is not a take: it has no `{name}`")
        info = self._members[name]
        with self._file.open(info) as file:
            shape, fortran, dtype = _head(file)
            if dtype.kind not in _KINDS or dtype.itemsize > 4 * MAX_TEXT:
                raise TakeError(
                    f"{self._path} is not a take: {name}: expected numbers, got {dtype} "
                    "(objects are refused: allow_pickle=False)"
                )
            count = int(np.prod(shape, dtype=object)) if shape else 1
            if count > most:
                raise TakeError(f"{self._path} is not a take: {name}: expected at most {most} numbers, got {shape}")
            if count * dtype.itemsize > info.file_size:
                raise TakeError(f"{self._path} is not a take: {name}: {shape} {dtype} is more than is there")
            self._left -= count * dtype.itemsize
            if self._left < 0:
                raise TakeError(f"{self._path} is not a take: unpacked it is more than {MOST_SHRUNK} times as large")
            values = np.empty(count, dtype)
            wanted = values.view(np.uint8) if count else values
            _fill(file, wanted)
            file.read(1)  # to the end, so that the check sum is looked at
        return values.reshape(shape, order="F" if fortran else "C")

    def scalar(self, name: str) -> float:
        """A member that is one number."""
        values = self.array(name, 1)
        if values.size != 1 or values.dtype.kind not in "fiub" or not np.isfinite(values).all():
            raise TakeError(f"{self._path} is not a take: {name}: expected one number")
        return values.reshape(()).item()

    def strings(self, name: str, most: int) -> list[str]:
        """A member that is a list of names."""
        values = self.array(name, most)
        if values.dtype.kind != "U" or values.ndim != 1:
            raise TakeError(f"{self._path} is not a take: {name}: expected names")
        return [str(value) for value in values]

    def text(self, name: str) -> str:
        """A member that is one text, without what would confuse a terminal."""
        values = self.array(name, 1)
        if values.dtype.kind != "U" or values.size != 1:
            raise TakeError(f"{self._path} is not a take: {name}: expected a text")
        return "".join(letter for letter in str(values.reshape(()).item()) if letter.isprintable())


@contextmanager
def opened_archive(path: Path) -> Iterator[Archive]:
    """The archive in a file; every way in which its bytes can be wrong is a TakeError."""
    try:
        with path.open("rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise TakeError(f"{path} is not a take: wanted an .npz archive, got a single array")
            with zipfile.ZipFile(_InPieces(file)) as stored:
                if any(info.compress_type not in _METHODS for info in stored.infolist()):
                    raise TakeError(f"{path} is not a take: expected it stored or deflated, as NumPy does")
                if len(stored.infolist()) > MAX_MEMBERS:
                    raise TakeError(f"{path} is not a take: it has more than {MAX_MEMBERS} members")
                yield Archive(path, stored)
    except TakeError:
        raise
    except FileNotFoundError as error:
        raise TakeError(f"there is no file {path}") from error
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds for damaged bytes
        said = str(error).split("\n")[0] or type(error).__name__
        raise TakeError(f"{path} is not a readable .npz file: {said}") from error


def write_archive(path: Path, members: Mapping[str, Array | Rows]) -> None:
    """Write arrays as numpy.savez does.

    Nothing is compressed: an hour of motion at 60 Hz would be 44 MB instead of 66, and would take 8.4 s to write
    instead of 0.2, while whoever recorded it waits, and 0.7 s to read instead of 0.03."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as file:
        for name, values in members.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                if not isinstance(values, Rows):
                    np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)
                    continue
                head = {"descr": np.dtype(values.dtype).str, "fortran_order": False, "shape": values.shape}
                np.lib.format.write_array_header_1_0(member, head)
                for piece in values.pieces:
                    member.write(np.ascontiguousarray(piece, values.dtype).tobytes())


class _InPieces(io.RawIOBase):
    """A file of which nobody reads much at once: zipfile takes the list of members as long as the file says it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(MAX_READ_BYTES + 1 if size is None or size < 0 else min(size, MAX_READ_BYTES + 1))
        if len(data) > MAX_READ_BYTES:
            raise ValueError(f"more than {MAX_READ_BYTES >> 20} MB in one piece")
        return data

    def seekable(self) -> bool:
        return True


def _head(file: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, fortran order, dtype) of a member. NumPy would read a head of any length before it looks at it."""
    version = np.lib.format.read_magic(file)
    wide = version != (1, 0)
    length = file.read(4 if wide else 2)
    if int.from_bytes(length, "little") > MAX_HEAD_BYTES:
        raise ValueError(f"a member's head has more than {MAX_HEAD_BYTES} bytes")
    again = io.BytesIO(length + file.read(int.from_bytes(length, "little")))
    read = np.lib.format.read_array_header_2_0 if wide else np.lib.format.read_array_header_1_0
    return read(again)


def _fill(file: BinaryIO, wanted: Array) -> None:
    """Read bytes into `wanted` until it is full."""
    view, done = memoryview(wanted.view(np.uint8)), 0
    while done < len(view):
        got = file.read(min(1 << 22, len(view) - done))
        if not got:
            raise EOFError("it ends early")
        view[done : done + len(got)] = got
        done += len(got)
