"""This machine's cores as workers: a process each, with one piece of work at a time.

A process that ends under its work takes nothing else with it, it is known whose fault that was, and another
takes its place; the standard library's pools give all of their work up then. Results lie in files until they
are asked for, so that long films do not fill the memory of the process that waits."""

from __future__ import annotations

import heapq
import multiprocessing
import os
import pickle
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from .. import logs
from ..quiet import quiet_stderr
from .engine import WorkFailed, WorkHung, WorkLost, guarded, keep_to, use_one_thread


class LocalHandle:
    """Work that was given to a process, and the file for its result."""

    def __init__(self, key: int, file: Path) -> None:
        self.key, self.file = key, file
        self.failure: WorkFailed | None = None

    def check(self) -> None:
        """Raise what went wrong, if anything did."""
        if self.failure is not None:
            raise self.failure

    def result(self) -> Any:
        """What came of it."""
        self.check()
        return _loaded(self.file)

    def forget(self) -> None:
        """Remove the result."""
        self.file.unlink(missing_ok=True)


class LocalEngine:
    """So many processes of this machine."""

    def __init__(self, jobs: int) -> None:
        self._context = multiprocessing.get_context("spawn")  # forked ones would inherit threads and OpenGL
        self._jobs = jobs
        ours = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._cores = ours if len(ours) == jobs else []  # fewer processes go wherever there is room
        self._keys = count()
        self._waiting: list[tuple[int, int, LocalHandle, Callable[..., Any], tuple[Any, ...]]] = []
        self._processes: list[_Process] = []
        self._results = Path(tempfile.mkdtemp(prefix="animator-batch-"))

    @property
    def capacity(self) -> int:
        """The number of processes."""
        return self._jobs

    @property
    def pids(self) -> list[int]:
        """Of the processes that are there now."""
        return [process.pid for process in self._processes]

    def submit(
        self, urgency: int, function: Callable[..., Any], *arguments: Any, avoid: Sequence[str] = ()
    ) -> LocalHandle:
        """Give a piece of work away. All processes here are alike: there is none to avoid."""
        key = next(self._keys)
        handle = LocalHandle(key, self._results / f"{key}.pickle")
        heapq.heappush(self._waiting, (urgency, key, handle, function, arguments))
        self._give_out()
        return handle

    def over(self, timeout_s: float) -> Iterator[LocalHandle]:
        """Handles whose work is over."""
        busy = {process.connection: process for process in self._processes if process.handle is not None}
        for connection in wait(list(busy), timeout_s):
            process = busy[connection]
            handle, process.handle = process.handle, None
            try:
                handle.failure = connection.recv()
            except (EOFError, OSError):
                handle.failure = WorkLost(process.how_it_ended(), False)
                self._processes.remove(process)
            if isinstance(handle.failure, WorkHung):  # it may still be at it, on another thread
                process.end()
                self._processes.remove(process)
            yield handle
        self._give_out()

    def again(self) -> None:
        """Processes of this machine are never lost all at once."""

    def close(self) -> None:
        """End the processes, whatever they are at."""
        for process in self._processes:
            process.end()
        self._processes.clear()
        self._waiting.clear()
        shutil.rmtree(self._results, ignore_errors=True)

    def _free_core(self) -> int | None:
        """One that no other process keeps to."""
        taken = {process.core for process in self._processes}
        return next((core for core in self._cores if core not in taken), None)

    def _give_out(self) -> None:
        while self._waiting:
            idle = next((process for process in self._processes if process.handle is None), None)
            if idle is None:
                if len(self._processes) >= self._jobs:
                    return
                idle = _Process(self._context, self._free_core())
                self._processes.append(idle)
            _, _, handle, function, arguments = heapq.heappop(self._waiting)
            given = tuple(_InFile(a.file) if isinstance(a, LocalHandle) else a for a in arguments)
            idle.handle = handle
            with suppress(BrokenPipeError, ConnectionResetError):  # it has just ended: `over` will see that
                idle.connection.send((handle.file, function, given))


class _Process:
    """One process and the pipe to it.

    core : the only one that it runs on; None: any"""

    def __init__(self, context: Any, core: int | None) -> None:
        self.core = core
        self.handle: LocalHandle | None = None
        self.connection, its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(its_end, core), name="animator-batch", daemon=True)
        self._process.start()
        its_end.close()
        self.pid: int = self._process.pid

    def how_it_ended(self) -> str:
        """In words."""
        self._process.join(5)
        code = self._process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            return f"the process at it was ended by {name}"
        return f"the process at it ended with code {code}"

    def end(self) -> None:
        self._process.kill()
        self._process.join(5)
        self.connection.close()


class _InFile:
    """Stands for a result on its way to another process."""

    def __init__(self, file: Path) -> None:
        self.file = file


def _serve(connection: Connection, core: int | None) -> None:
    """A process's life: one piece of work after another, until nobody is at the pipe's other end."""
    use_one_thread()
    if core is not None:
        keep_to(core)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; who started us ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logs.keep_stderr_apart()
    logs.set_up("animator batch")
    with quiet_stderr():  # decoders, TFLite and OpenGL have as much to say as there are films
        _work(connection)


def _work(connection: Connection) -> None:
    while True:
        try:
            file, function, given = connection.recv()
        except (EOFError, OSError):
            return
        try:
            result = guarded("", function, *(_loaded(a.file) if isinstance(a, _InFile) else a for a in given))
            with file.open("wb") as stored:
                pickle.dump(result, stored, pickle.HIGHEST_PROTOCOL)
        except WorkFailed as failed:
            connection.send(failed)
        except OSError as error:
            connection.send(WorkFailed(f"no room for what came of it: {error}", False))
        else:
            connection.send(None)


def _loaded(file: Path) -> Any:
    with file.open("rb") as stored:
        return pickle.load(stored)
