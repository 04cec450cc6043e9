"""A recording while it goes on: a file beside the target that only ever grows, and survives what ends the program.

    magic line, then records:  length u32 | check sum u32 | kind u8 | payload        (little-endian)

Each frame is handed to the system as soon as it comes, so that a killed program loses none, and every half second to
the disk, so that a power cut loses no more. A record that was torn by the end does not fit its check sum: it and what
follows is dropped, all before it stands.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..channels import ARKIT
from ..data import LANDMARKS, Array, Motion
from ..errors import SinkError, TakeError
from .files import check_writable

SUFFIX = ".journal"
MAGIC = b"animator journal 1\n"
ABOUT, FRAME, PROFILE = 1, 2, 3
"""Kinds of record: JSON of what is said once, one instant, one performer's neutral face."""
FLUSH_S = 0.5
MAX_RECORD_BYTES = 1 << 24
MOTION = np.dtype(
    [
        ("track_id", "<i4"),
        ("has_landmarks", "u1"),
        ("confidence", "<f4"),
        ("weights", "<f4", (len(ARKIT),)),
        ("rotation_wxyz", "<f8", (4,)),
        ("translation_cm", "<f8", (3,)),
        ("gaze_rad", "<f8", (2, 2)),
    ]
)
"""One performer at one instant; 478 x 3 float32 landmarks follow where it has them."""
LANDMARK_BYTES = LANDMARKS * 3 * 4
HEAD = struct.Struct("<IIB")
INSTANT = struct.Struct("<dBB")
"""Time in seconds, how many stages' times follow (f32, milliseconds), how many performers come after those."""


def journal_beside(target: Path) -> Path:
    """Where the journal of a recording into `target` is."""
    return target.with_name(target.name + SUFFIX)


class JournalWriter:
    """Appends to a journal; used by one thread at a time.

    raises : SinkError, from any call, once the disk is full or gone; what was written before is whole"""

    def __init__(self, target: Path, about: dict[str, Any]) -> None:
        check_writable(target)
        self.path = journal_beside(target)
        try:
            # Not truncated before it is locked: another program may be recording into it.
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise SinkError(f"cannot write {self.path}: {error.strerror}") from error
        self._end = 0
        self._row = np.zeros((), MOTION)
        self._dirty, self._ended = threading.Event(), threading.Event()
        began = False
        try:
            if not lock(self._file):
                raise SinkError(f"cannot write {target}: another recording into it is going on")
            os.ftruncate(self._file, 0)
            began = True
            self._write(MAGIC)
            self.say(about)
            self._flusher = threading.Thread(target=self._flush, daemon=True, name="journal")
            self._flusher.start()
        except BaseException:  # Ctrl-C, too: no journal is left of what never began
            self._ended.set()
            self._dirty.set()
            if began:
                self.path.unlink(missing_ok=True)
            os.close(self._file)
            raise

    def say(self, about: dict[str, Any]) -> None:
        """Add to what is known of the recording as a whole; later words win."""
        self._append(ABOUT, json.dumps(about).encode())

    def frame(
        self, motions: Sequence[Motion], time_s: float, landmarks: dict[int, Array], stages_ms: Sequence[float] = ()
    ) -> None:
        """Append one instant.

        landmarks : (478, 3) by track_id, of those who have them"""
        parts = [INSTANT.pack(time_s, len(stages_ms), len(motions)), np.array(stages_ms, "<f4").tobytes()]
        row = self._row
        for motion in motions:
            found = landmarks.get(motion.track_id)
            row["track_id"], row["has_landmarks"], row["confidence"] = (
                motion.track_id,
                found is not None,
                motion.confidence,
            )
            row["weights"], row["gaze_rad"] = motion.expression.weights, motion.gaze.angles_rad
            row["rotation_wxyz"], row["translation_cm"] = motion.pose.rotation_wxyz, motion.pose.translation_cm
            parts.append(row.tobytes())
            if found is not None:
                parts.append(np.ascontiguousarray(found, "<f4").tobytes())
        self._append(FRAME, b"".join(parts))

    def profile(self, track_id: int, neutral_cm: Array) -> None:
        """Remember a performer's neutral face, (478, 3); the last one counts."""
        self._append(PROFILE, struct.pack("<i", track_id) + np.ascontiguousarray(neutral_cm, "<f4").tobytes())

    def end(self) -> None:
        """No more is written. The journal stays, and is still held: nobody else may finish it. May be called twice."""
        if not self._ended.is_set():
            self._ended.set()
            self._dirty.set()
            self._flusher.join()

    def close(self) -> None:
        """End it and let go of it. May be called twice."""
        self.end()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _append(self, kind: int, payload: bytes) -> None:
        body = bytes([kind]) + payload
        self._write(struct.pack("<II", len(payload), zlib.crc32(body)) + body)
        self._dirty.set()

    def _write(self, data: bytes) -> None:
        try:
            done = 0
            while done < len(data):
                done += os.write(self._file, data[done:])
        except OSError as error:
            with contextlib.suppress(OSError):  # half a record: reading drops it, too
                os.ftruncate(self._file, self._end)
            why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
            raise SinkError(f"recording stopped: cannot write {self.path}: {why}") from error
        self._end += len(data)

    def _flush(self) -> None:
        while not self._ended.wait(FLUSH_S):
            self._dirty.wait()
            self._dirty.clear()
            with contextlib.suppress(OSError):  # the next write tells
                os.fsync(self._file)


def lock(file: int) -> bool:
    """Hold an open file until it is closed; False if another program holds it. Where there are no locks: True."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network disk without locks
        return True
    return True


@contextmanager
def held(journal: Path) -> Iterator[bool]:
    """Hold a journal that nobody writes any more, so that one program alone finishes it; False where another has it."""
    if os.name == "nt":
        with contextlib.suppress(OSError):  # refused there while anyone has it open
            os.rename(journal, journal)
            yield True
            return
        yield False
        return
    file = os.open(journal, os.O_RDONLY)
    try:
        yield lock(file) and os.fstat(file).st_nlink > 0  # 0: somebody has finished it just now
    finally:
        os.close(file)


def records(path: Path) -> Iterator[tuple[int, memoryview, int]]:
    """(kind, payload, where it begins in the file) of each whole record; what was torn is left out.

    raises : TakeError for a file that is no journal"""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise TakeError(f"{path} is not a recording's journal of this version")
            at = len(MAGIC)
            while len(head := file.read(HEAD.size)) == HEAD.size:
                length, check, kind = HEAD.unpack(head)
                if length > MAX_RECORD_BYTES:
                    return
                payload = file.read(length)
                if len(payload) < length or zlib.crc32(payload, zlib.crc32(head[8:])) != check:
                    return
                yield kind, memoryview(payload), at + HEAD.size
                at += HEAD.size + length
    except OSError as error:
        raise TakeError(f"cannot read {path}: {error.strerror}") from error
