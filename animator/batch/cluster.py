"""A Dask cluster as workers: the only file that imports dask.

Workers need this package (the same version), and the films under the paths that this machine knows them by. The face
model comes with the work. Tracks stay in the workers' memory: if one of them ends, Dask does again what was lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any

from ..errors import AnimatorError, SettingError
from .engine import EngineLost, WorkFailed, WorkLost, guarded

log = logging.getLogger("animator")

CONNECT_S = 10.0
RECONNECT_S = 90.0
"""A scheduler that restarts is waited for so long."""
POLL_S = 0.25
ASK_S = 2.0
"""So often workers are counted, and so long is an answer waited for."""


class ClusterHandle:
    """Work that was given to the scheduler."""

    def __init__(self, key: int, future: Any) -> None:
        self.key, self.future = key, future

    def check(self) -> None:
        """Raise what went wrong, if anything did; a result stays with its worker."""
        if self.future.status != "finished":
            self.result()

    def result(self) -> Any:
        """What came of it, fetched from the worker that has it."""
        from distributed import KilledWorker

        try:
            return self.future.result(timeout=RECONNECT_S)
        except WorkFailed:
            raise
        except KilledWorker as error:
            raise WorkFailed(
                f"workers ended at it, the last at {error.last_worker.address}", False, blames_all=True
            ) from None
        except ModuleNotFoundError as error:
            raise WorkFailed(f"a worker lacks {error.name}: install animator there", False) from None
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise WorkLost(f"the cluster lost it ({type(error).__name__})", False) from None

    def forget(self) -> None:
        """Let the workers forget it."""
        self.future.release()


class ClusterEngine:
    """The workers behind one scheduler, however many there are at the time."""

    def __init__(self, address: str, model: bytes) -> None:
        self._address, self._model = address, model
        self._keys = count()
        self._client: Any = None
        self._told_idle = False
        self._connect(CONNECT_S)

    @property
    def capacity(self) -> int:
        """Threads of all workers; 1 while there are none yet."""
        threads = sum(self._workers().values())
        if not threads and not self._told_idle:
            log.warning("the scheduler at %s has no workers yet: waiting (start them by `dask worker`)", self._address)
            self._told_idle = True
        return max(1, threads)

    def submit(
        self, urgency: int, function: Callable[..., Any], *arguments: Any, avoid: Sequence[str] = ()
    ) -> ClusterHandle:
        """Give a piece of work to the scheduler."""
        key = next(self._keys)
        given = [argument.future if isinstance(argument, ClusterHandle) else argument for argument in arguments]
        others = [address for address in self._workers() if address not in avoid] if avoid else None
        try:
            future = self._client.submit(
                _work, function, *given, pure=False, priority=-urgency, workers=others or None, retries=0
            )
        except Exception as error:  # the connection went a moment ago: `over` sees to that, and all begins anew
            log.debug("cannot submit: %s", error)
            future = _Never()
        handle = ClusterHandle(key, future)
        over = self._over
        future.add_done_callback(lambda _future: over.put(handle))
        return handle

    def over(self, timeout_s: float) -> Iterator[ClusterHandle]:
        """Handles whose work is over. Raises EngineLost after a scheduler has come back, too: it knows of nothing."""
        until_s = monotonic() + timeout_s
        while True:
            if self._client.status != "running":
                raise EngineLost(f"the scheduler at {self._address} went away")
            try:
                yield self._over.get(timeout=max(0.0, min(POLL_S, until_s - monotonic())))
            except Empty:
                if monotonic() >= until_s:
                    return
                continue
            while not self._over.empty():
                yield self._over.get()
            return

    def again(self) -> None:
        """Connect anew after EngineLost; raises EngineLost if nobody answers for so long."""
        self.close()
        log.warning("the scheduler at %s went away: waiting for it", self._address)
        until_s = monotonic() + RECONNECT_S
        while True:
            try:
                return self._connect(5.0)
            except SettingError as error:
                if monotonic() >= until_s:
                    raise EngineLost(f"the scheduler at {self._address} went away and did not come back") from error
                sleep(POLL_S)

    def close(self) -> None:
        """Leave the cluster; what it still does for us it drops."""
        if self._client is not None:
            self._client.close(timeout=2)

    def _connect(self, timeout_s: float) -> None:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            raise SettingError("cluster: it needs Dask: pip install 'animator[cluster]'") from error
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # we say what matters, in our own words
        self._over: SimpleQueue[ClusterHandle] = SimpleQueue()
        self._known: dict[str, int] = {}
        self._ask_again_s = 0.0
        try:
            self._client = Client(self._address, timeout=timeout_s, set_as_default=False)
            self._client.register_plugin(_model_plugin(self._model))
        except (OSError, ValueError, TypeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise SettingError(
                f"cluster: no Dask scheduler answers at {self._address} ({reason}); wanted tcp://HOST:8786, "
                "where `dask scheduler` runs"
            ) from error

    def _workers(self) -> dict[str, int]:
        """Threads by address; asked for every now and then, as each time is a journey."""
        if monotonic() >= self._ask_again_s:
            try:
                self._known = self._client.nthreads(callback_timeout=ASK_S)
            except Exception as error:  # of many kinds, where the scheduler goes at this moment: `over` sees to that
                log.debug("cannot ask for workers: %s", error)
            self._ask_again_s = monotonic() + ASK_S
        return self._known


class _Never:
    """Stands for a future that could not be made."""

    status = "lost"

    def add_done_callback(self, callback: Callable[..., None]) -> None:
        pass

    def result(self, timeout: float | None = None) -> Any:
        raise ConnectionError("the scheduler was gone")

    def release(self) -> None:
        pass


def _work(function: Callable[..., Any], *arguments: Any) -> Any:
    """On a worker: see engine.guarded."""
    from distributed import get_worker

    return guarded(get_worker().address, function, *arguments)


def _model_plugin(content: bytes) -> Any:
    """Gives the face model to every worker that is there or comes later."""
    from distributed import WorkerPlugin

    class Model(WorkerPlugin):
        name = "animator-model"

        def setup(self, worker: Any) -> None:
            try:
                from animator.batch.work import use_model

                use_model(content)
            except (ImportError, OSError, AnimatorError):
                return  # the work itself will say so, with a film's name to it

    return Model()
