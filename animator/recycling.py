"""Memory of pictures that nobody holds any more, for the next ones.

A live loop makes thirty pictures a second of one size and forgets them as fast. The C library asks the system anew for
each, and the system clears every page of it: 0.25 ms for 640x480, and ten times that for a large camera.
"""

from __future__ import annotations

import math
import weakref

import numpy as np

from .data import Array

MOST_KEPT_BYTES = 192 << 20
"""Of each size of picture no more is kept waiting; what comes back beyond is given to the system. As many as wait were
held at one time before, so this never is the most that the program takes."""
LEAST_BYTES = 1 << 16
"""Smaller arrays are cheaper from the C library."""


class Recycler:
    """Arrays whose memory is used again once the last reference to them, and to views of them, is gone.

    May be used from several threads; whoever drops an array last may be on any."""

    def __init__(self) -> None:
        self._free: dict[int, list[bytearray]] = {}
        self._held: dict[int, tuple[weakref.ref, bytearray]] = {}

    def empty(self, shape: tuple[int, ...], dtype: type = np.uint8) -> Array:
        """An array like `np.empty`'s: the caller's own, with whatever was there before."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size < LEAST_BYTES:
            return np.empty(shape, dtype)
        try:
            memory = self._free[size].pop()  # one step: no other thread gets the same
        except (KeyError, IndexError):
            memory = bytearray(size)
        array = np.ndarray(shape, dtype, memory)
        link = weakref.ref(array, self._take_back)
        self._held[id(link)] = link, memory
        return array

    def copy(self, array: Array) -> Array:
        """An array like `array.copy()`."""
        made = self.empty(array.shape, array.dtype)
        np.copyto(made, array)
        return made

    def _take_back(self, link: weakref.ref) -> None:
        _, memory = self._held.pop(id(link))
        size = len(memory)
        if size not in self._free:
            self._forget_sizes_besides(size)
        waiting = self._free.setdefault(size, [])
        if len(waiting) * size < MOST_KEPT_BYTES:
            waiting.append(memory)

    def _forget_sizes_besides(self, size: int) -> None:
        """A program shows few sizes at a time: after so many, the oldest is out of use."""
        for old in list(self._free)[: max(len(self._free) - 3, 0)]:
            self._free.pop(old, None)


PICTURES = Recycler()
"""The program's own."""
