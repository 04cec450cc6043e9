"""A real Dask cluster on this machine: a scheduler and workers as processes of their own, some of them killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from distributed import Client

from animator import batch
from animator.batch import work
from animator.batch.cluster import ClusterEngine
from animator.config import Config, ShowConfig
from animator.errors import SettingError
from animator.takes.npz import load_takes

from . import work_that_fails as fails

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'animator[cluster]'")
pytestmark = pytest.mark.filterwarnings("default")  # Dask's own

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0


class Cluster:
    """`dask scheduler` and `dask worker`s, as a person would start them; each has a process group of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self._folder = folder
        self.scheduler: subprocess.Popen | None = None
        self.workers: list[subprocess.Popen] = []

    def start_scheduler(self) -> None:
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")

    def start_worker(self, *, nanny: bool = True) -> None:
        folder = self._folder / f"worker-{len(self.workers)}"
        arguments = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(folder), "--memory-limit", "0")
        self.workers.append(self._start("worker", self.address, *arguments, "--nanny" if nanny else "--no-nanny"))

    def _start(self, *arguments: str) -> subprocess.Popen:
        # A worker has no face model, and no way to fetch one.
        nowhere = {
            "XDG_CACHE_HOME": str(self._folder / "cache"),
            "PIP_NO_INDEX": "1",
            "https_proxy": "http://127.0.0.1:9",
        }
        environment = {**os.environ, **nowhere, "PYTHONPATH": str(ROOT), "TMPDIR": str(self._folder)}
        environment.pop("ANIMATOR_MODEL", None)
        environment["OPENBLAS_NUM_THREADS"] = "1"  # as the nanny has it: two threads round other last bits
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
                if arguments[0] == "scheduler"
                else [sys.executable, "-m", "distributed.cli.dask_worker", *arguments[1:]],
                env=environment, stdout=log, stderr=log, cwd=self._folder, start_new_session=True,
            )  # fmt: skip

    def wait_until_started(self) -> None:
        """A worker that crashes before its nanny has seen it start takes the nanny along."""
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=DEADLINE_S)
            until_s = time.monotonic() + DEADLINE_S
            while set(client.run(lambda dask_worker: dask_worker.status.name, nanny=True).values()) != {"running"}:
                assert time.monotonic() < until_s
                time.sleep(0.1)

    def stop(self) -> None:
        for process in [*self.workers, self.scheduler]:
            if process is not None:
                end(process)


def end(process: subprocess.Popen) -> None:
    """A kill -9 of a process and all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    cluster.start_scheduler()
    yield cluster
    cluster.stop()


def on(cluster: Cluster, **settings: object) -> batch.BatchConfig:
    return batch.BatchConfig(cluster=cluster.address, **settings)


def test_a_cluster_gives_the_same_takes_though_a_worker_is_killed(
    cluster: Cluster, performance_path: Path, films: Path, tmp_path: Path
):
    for _ in range(3):
        cluster.start_worker(nanny=False)
    killed: list[int] = []

    def kill(status: batch.Status) -> None:
        if not killed and any(stage == "track" for _, stage, *_ in status.under_way):
            killed.append(cluster.workers[0].pid)
            end(cluster.workers[0])

    results = batch.run([performance_path, films], tmp_path / "out", on(cluster, part_s=3), progress=kill)
    assert killed
    assert [(r.status, r.problem) for r in results if r.name != "nobody"] == [("done", None)] * 3
    (here,) = batch.run([performance_path], tmp_path / "here", batch.BatchConfig(jobs=1))
    (there,), (same,) = load_takes(results[0].files[0]), load_takes(here.files[0])
    assert results[0].parts == 3
    assert np.array_equal(there.weights, same.weights)
    assert np.array_equal(there.times_s, same.times_s)


def test_all_workers_count_whenever_they_come(cluster: Cluster):
    engine = ClusterEngine(cluster.address, b"")
    assert engine.capacity == 1
    for _ in range(2):
        cluster.start_worker(nanny=False)
    engine._client.wait_for_workers(2, timeout=60)
    engine._ask_again_s = 0.0
    assert engine.capacity == 2
    engine.close()


def test_a_film_that_crashes_workers_is_reported_and_the_rest_goes_on(
    cluster: Cluster, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cluster.start_worker()
    cluster.start_worker()
    cluster.wait_until_started()
    (films / "crash.mp4").write_bytes((films / "nobody.mp4").read_bytes())
    monkeypatch.setattr(work, "survey", fails.survey_crashing)
    results = {r.name: r for r in batch.run([films], tmp_path / "out", on(cluster))}
    assert results["crash"].status == "failed"
    assert results["crash"].problem.startswith("workers ended at it")
    assert [r.status for name, r in results.items() if name != "crash"] == ["done"] * 3


def test_a_cluster_writes_every_format(cluster: Cluster, films: Path, tmp_path: Path):
    for _ in range(2):
        cluster.start_worker()
    config = Config(show=ShowConfig(rig="robot", size_px=(64, 48)))
    settings = on(cluster, formats=("npz", "csv", "glb", "mp4"))
    _, one, two = batch.run([films], tmp_path / "out", settings, config)
    _, here, _ = batch.run([films], tmp_path / "here", replace(settings, cluster=None, jobs=1), config)
    for result in (one, two):
        assert result.status == "done"
        assert [path.name for path in result.files] == [path.name for path in here.files]
    made, alike = ({path.suffix: path for path in result.files} for result in (one, here))
    for suffix in (".csv", ".glb"):
        assert made[suffix].read_bytes() == alike[suffix].read_bytes()
    pictures = []
    for path in (made[".mp4"], alike[".mp4"]):
        with av.open(str(path)) as video:
            pictures.append([frame.to_ndarray(format="rgb24").astype(int) for frame in video.decode(video=0)])
    assert len(pictures[0]) == len(pictures[1]) == 10
    assert max(np.abs(a - b).max() for a, b in zip(*pictures, strict=True)) <= 2


def test_a_film_that_hangs_is_reported_and_its_worker_goes_on(
    cluster: Cluster, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cluster.start_worker(nanny=False)
    (films / "hang.mp4").write_bytes((films / "one/talk.mp4").read_bytes())
    monkeypatch.setattr(work, "track_part", fails.track_hanging)
    results = {r.name: r for r in batch.run([films], tmp_path / "out", on(cluster))}
    assert results["hang"].problem == "hang.mp4 hangs: nothing came of it for 0.5 s"
    assert [r.status for name, r in results.items() if name != "hang"] == ["done"] * 3


def test_a_scheduler_that_restarts_is_waited_for(cluster: Cluster, films: Path, tmp_path: Path):
    cluster.start_worker(nanny=False)
    restarted: list[bool] = []

    def restart(status: batch.Status) -> None:
        if not restarted and any(stage == "track" for _, stage, *_ in status.under_way):
            restarted.append(True)
            cluster.stop()
            cluster.start_scheduler()
            cluster.start_worker(nanny=False)

    results = batch.run([films], tmp_path / "out", on(cluster), progress=restart)
    assert restarted
    assert [r.status for r in results] == ["done"] * 3


def test_a_film_that_workers_do_not_see_fails_by_name(cluster: Cluster, films: Path, tmp_path: Path):
    cluster.start_worker(nanny=False)
    (tmp_path / "list.txt").write_text("gone.mp4\n", "utf-8")
    results = batch.run([films / "nobody.mp4", tmp_path / "list.txt"], tmp_path / "out", on(cluster))
    assert [r.status for r in results] == ["done", "failed"]
    assert "workers must see the films under the same path" in results[1].problem


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://", "127.0.0.1:99999"])
def test_no_scheduler_is_one_clear_line(films: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("animator.batch.cluster.CONNECT_S", 1.0)
    with pytest.raises(SettingError, match=r"^cluster: no Dask scheduler answers at .*; wanted tcp://HOST:8786"):
        batch.run([films], tmp_path / "out", batch.BatchConfig(cluster=address))


def test_a_scheduler_that_stays_away_ends_the_batch_and_resume_goes_on(
    cluster: Cluster, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("animator.batch.cluster.RECONNECT_S", 1.0)
    cluster.start_worker(nanny=False)

    def stop(status: batch.Status) -> None:
        if any(stage == "track" for _, stage, *_ in status.under_way):
            cluster.stop()

    results = batch.run([films], tmp_path / "out", on(cluster), progress=stop)
    failed = [r for r in results if r.status == "failed"]
    assert failed
    assert all("did not come back; --resume goes on from here" in r.problem for r in failed)
    again = batch.run([films], tmp_path / "out", batch.BatchConfig(jobs=1, resume=True))
    assert [r.status for r in again] == ["done"] * 3
    assert sum(r.resumed for r in again) == len(results) - len(failed)
