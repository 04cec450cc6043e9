"""Worker processes that live, die and do not answer: the HTTP process knows what to do."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from animator.errors import AnimatorError
from animator.server import worker_link
from animator.server import workers as workers_module
from animator.server.config import ServeConfig
from animator.server.workers import TRIES, ServerFull, WorkerLost, Workers

from . import pretenders
from .live import until

OFFER = {"sdp": "v=0"}


@asynccontextmanager
async def started(main: Callable[..., None] = pretenders.obliging, **settings: Any):
    """Workers that are ready, and stopped in the end."""
    workers = Workers(ServeConfig(**settings), "model", main)
    try:
        assert await workers.start()
        yield workers
    finally:
        processes = [worker.process for worker in workers._workers]
        await workers.stop()
        assert not any(process.is_alive() for process in processes)


def run(test: Any) -> None:
    async def limited() -> None:
        async with asyncio.timeout(40):
            await test

    asyncio.run(limited())


def test_joining_and_ending() -> None:
    async def test() -> None:
        async with started() as workers:
            assert workers.alive == 1
            assert (await workers.join("s", "r", "watch", OFFER)).endswith(" s")
            assert workers.sessions == 1
            assert await workers.end("s")
            assert not await workers.end("s")
            assert workers.sessions == 0
            assert await workers.take("s", "10") is None

    run(test())


def test_a_room_lives_in_one_worker_even_if_all_come_at_once() -> None:
    async def test() -> None:
        async with started(workers=2) as workers:
            together = [workers.join(f"s{i}", "r", "watch", OFFER) for i in range(6)]
            homes = {answer.split()[0] for answer in await asyncio.gather(*together)}
            assert len(homes) == 1
            other = (await workers.join("o", "other", "watch", OFFER)).split()[0]
            assert other not in homes  # the one with fewer sessions

    run(test())


def test_no_more_than_so_many_even_if_all_come_at_once() -> None:
    async def test() -> None:
        async with started(max_sessions=3) as workers:
            together = [workers.join(f"s{i}", "slow", "watch", OFFER) for i in range(5)]
            came = await asyncio.gather(*together, return_exceptions=True)
            assert [isinstance(answer, ServerFull) for answer in came] == [False] * 3 + [True] * 2
            assert workers.sessions == 3
            assert await workers.join(
                "new", "r", "watch", OFFER | {"resume": "s0"}
            )  # takes the place of its former self
            assert workers.sessions == 3

    run(test())


def test_who_is_refused_takes_no_place() -> None:
    async def test() -> None:
        async with started(max_sessions=1) as workers:
            for _ in range(3):
                with pytest.raises(AnimatorError, match="no good"):
                    await workers.join("s", "refuse", "watch", OFFER)
            assert workers.sessions == 0
            assert await workers.join("t", "r", "watch", OFFER | {"resume": "unknown"})

    run(test())


def test_who_is_gone_before_the_answer_takes_no_place() -> None:
    async def test() -> None:
        async with started() as workers:
            together = [workers.join(f"s{number}", "gone", "watch", OFFER) for number in range(16)]
            for answer in await asyncio.gather(*together, return_exceptions=True):
                assert isinstance(answer, str) or "try once more" in str(answer)
            await until(lambda: workers.sessions == 0)

    run(test())


def test_a_wish_names_no_other_session() -> None:
    async def test() -> None:
        async with started() as workers:
            wish = OFFER | {"session": "theirs", "room": "die", "role": "perform"}
            assert (await workers.join("s", "r", "watch", wish)).endswith(" s")

    run(test())


def test_a_worker_that_dies_is_replaced_and_its_counts_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with started() as workers:
            await workers.join("s", "r", "watch", OFFER)
            assert (await workers.totals())[0]["frames_in"] == 1
            with pytest.raises(WorkerLost, match="died"):
                await workers.join("t", "die", "watch", OFFER)
            assert workers.sessions == 0
            assert not await workers.end("s")
            await until(lambda: workers.alive == 1)
            await workers.join("u", "r", "watch", OFFER)
            totals, stages = await workers.totals()
            assert totals == {"frames_in": 2, "sessions_started": 2, "workers_lost": 1}
            assert stages["track"].sum_s == 1.0
            assert sum(stages["track"].counts) == 2

    run(test())
    assert [record.getMessage() for record in caplog.records if record.name == "animator"] == [
        "a worker died (exit code 7) with 2 sessions; another takes its place"
    ]


def test_one_that_hangs_is_replaced_like_one_that_died(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker_link, "BEAT_EVERY_S", 0.05)
    monkeypatch.setattr(worker_link, "BEAT_TIMEOUT_S", 0.2)

    async def test() -> None:
        async with started(workers=2) as workers:
            await workers.join("s", "r", "watch", OFFER)
            await workers.join("o", "other", "watch", OFFER)
            before = (await workers.totals())[0]
            waiting = asyncio.create_task(workers.fate("s", 30))
            hung = workers._worker_of("s").process
            os.kill(hung.pid, signal.SIGSTOP)
            with pytest.raises(WorkerLost, match="died"):
                await workers.join("t", "r", "watch", OFFER)
            assert await waiting == "worker-lost"
            assert not workers.has("s")
            assert workers.has("o")
            assert not hung.is_alive()
            await until(lambda: workers.alive == 2)
            assert await workers.join("u", "r", "watch", OFFER)
            after = (await workers.totals())[0]
            assert after == before | {"frames_in": 3, "sessions_started": 3, "workers_lost": 1}

    run(test())
    (said,) = [record.getMessage() for record in caplog.records if record.name == "animator"]
    assert said == "a worker hung and was ended with 2 sessions; another takes its place"


def test_one_missed_sign_of_life_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_link, "BEAT_EVERY_S", 0.05)
    monkeypatch.setattr(worker_link, "BEAT_TIMEOUT_S", 0.3)

    async def test() -> None:
        async with started() as workers:
            (link,) = workers._workers
            os.kill(link.process.pid, signal.SIGSTOP)
            await until(lambda: link.missed)
            os.kill(link.process.pid, signal.SIGCONT)
            await until(lambda: not link.missed)
            assert link.process.is_alive()
            assert (await workers.totals())[0].get("workers_lost", 0) == 0

    run(test())


def test_one_that_says_that_it_is_ill_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one whose drawing hangs in a driver while its event loop goes on."""
    monkeypatch.setattr(worker_link, "BEAT_EVERY_S", 0.02)

    async def test() -> None:
        async with started(pretenders.ill) as workers:
            first = workers._workers[0].process.pid
            await until(lambda: workers._totals["workers_lost"])
            await until(lambda: workers.alive == 1)
            assert workers._workers[0].process.pid != first

    run(test())


def test_what_has_become_of_a_session_is_told() -> None:
    async def test() -> None:
        async with started() as workers:
            assert await workers.fate("s") is None
            await workers.join("s", "r", "watch", OFFER)
            assert await workers.fate("s") == await workers.fate("s", 0.01) == "live"
            waiting = [asyncio.create_task(workers.fate("s", 30)) for _ in range(2)]
            await workers.end("s")
            assert [await task for task in waiting] == ["ended", "ended"]
            await workers.join("t", "r", "watch", OFFER)
            waiting = asyncio.create_task(workers.fate("t", 30))
            os.kill(workers._workers[0].process.pid, signal.SIGKILL)
            assert await waiting == await workers.fate("t") == "worker-lost"
            assert not workers._fates._live

    run(test())


def test_counters_never_go_back_whatever_dies_meanwhile() -> None:
    async def test() -> None:
        async with started(workers=2) as workers:
            told = [(await workers.totals())[0]]
            for number in range(6):
                await workers.join(f"s{number}", f"room-{number}", "watch", OFFER)
                told.append((await workers.totals())[0])
                os.kill(workers._workers[number % 2].process.pid, signal.SIGKILL)
                told.append((await workers.totals())[0])
                await until(lambda: workers.alive == 2)
                told.append((await workers.totals())[0])
            for before, after in itertools.pairwise(told):
                assert not [name for name in before if after[name] < before[name]]
            assert told[-1]["frames_in"] == 6

    run(test())


def test_it_may_die_many_times_as_long_as_it_starts() -> None:
    async def test() -> None:
        async with started() as workers:
            for _ in range(TRIES):
                with pytest.raises(WorkerLost):
                    await workers.join("t", "die", "watch", OFFER)
                await until(lambda: workers.alive == 1)
            assert not workers._failure.done()

    run(test())


def test_one_that_cannot_start_is_not_started_for_ever() -> None:
    async def test() -> None:
        workers = Workers(ServeConfig(), "model", pretenders.stillborn)
        try:
            with pytest.raises(WorkerLost, match=f"{TRIES} in a row .exit code 3"):
                await workers.start()
            assert workers.alive == 0
            with pytest.raises(WorkerLost):
                await workers.join("s", "r", "watch", OFFER)
        finally:
            await workers.stop()

    run(test())


def test_what_a_worker_lacks_is_said_at_once() -> None:
    async def test() -> None:
        workers = Workers(ServeConfig(workers=2), "model", pretenders.without_opengl)
        try:
            with pytest.raises(AnimatorError, match="no OpenGL"):
                await workers.start()
        finally:
            await workers.stop()

    run(test())


def test_replacements_that_fail_end_the_server() -> None:
    async def test() -> None:
        async with started() as workers:
            workers._main = pretenders.stillborn
            os.kill(workers._workers[0].process.pid, signal.SIGKILL)
            assert "in a row" in str(await workers.failure())

    run(test())


def test_one_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_link, "REPLY_TIMEOUT_S", 0.3)
    monkeypatch.setattr(workers_module, "TOTALS_TIMEOUT_S", 0.3)
    monkeypatch.setattr(worker_link, "STOP_TIMEOUT_S", 0.3)

    async def test() -> None:
        async with started(pretenders.stubborn) as workers:
            began_s = time.monotonic()
            with pytest.raises(WorkerLost, match="does not answer"):
                await workers.join("s", "r", "watch", OFFER)
            assert workers.sessions == 0
            assert (await workers.totals())[1] == {}
            # More than any pipe holds, and the loop goes on:
            large = OFFER | {"sdp": "x" * 60_000}
            many = [workers.join(f"s{i}", "r", "watch", large) for i in range(12)]
            assert all(isinstance(e, WorkerLost) for e in await asyncio.gather(*many, return_exceptions=True))
            assert time.monotonic() - began_s < 5

    run(test())


def test_a_large_take_comes_whole() -> None:
    async def test() -> None:
        async with started() as workers:
            await workers.join("s", "r", "watch", OFFER)
            assert len(await workers.take("s", "5000000")) == 5_000_000

    run(test())


def test_stopping_while_starting_waits_for_nothing() -> None:
    async def test() -> None:
        workers = Workers(ServeConfig(), "model", pretenders.dawdling)
        starting = asyncio.create_task(workers.start())
        await until(lambda: workers._workers)
        process = workers._workers[0].process
        starting.cancel()
        began_s = time.monotonic()
        await workers.stop()
        assert time.monotonic() - began_s < worker_link.STOP_TIMEOUT_S / 2
        assert not process.is_alive()

    run(test())
