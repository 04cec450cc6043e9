"""Strangers' files by the hundred thousand: whatever is in them, they are read or one line says why not.

    python -m tests.soak.fuzz_files [--cases 100000] [--seed 0] [--report FILE] [PARSER ...]

Each parser is fed by a process of its own, which may take 1 GB and 2 s of the processor's time a case. A finding is an
error that is not one of ours, a message of several lines, a warning, a case that is slow or takes too much, a process
that ends, a file opened outside the avatar's folder, a name looked up, a connection. Each is told with its number:

    python -m tests.soak.fuzz_files --only 1234 [--seed 0] PARSER      # one case again, its file left in the folder
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.soak.avatar_files import own_binary
from tests.soak.parsers import LARGE_BYTES, PARSERS, Parser
from tests.soak.spoiling import Dice, spoilt_bytes

MOST_BYTES, MOST_CPU_S = 2**30, 2.0
STUCK_S = 120.0
LARGE_SHARE = 0.002
MOST_TOLD = 12
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind")
_CODE = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "ctypes.dlopen")


@dataclass
class Tally:
    """What came of one parser's cases."""

    cases: int = 0
    read: int = 0
    """Files that were read in spite of all; the others were refused in one line."""
    slowest_s: float = 0.0
    """Processor time of the slowest case."""
    largest_mb: float = 0.0
    """The most memory beyond what the program itself takes."""
    findings: list[dict[str, Any]] = field(default_factory=list)


class Watch:
    """What a case reaches for outside of its folder."""

    def __init__(self, home: Path) -> None:
        self.seen: list[str] = []
        self.is_on = False
        inside = (
            str(home),
            str(Path(sys.prefix).resolve()),
            sys.base_prefix,
            str(ROOT / "animator"),
            str(ROOT / "rigs"),
        )
        self._inside = (
            *inside,
            str(ROOT / "assets"),
            "/proc/self/",
            "/dev/null",
            "/sys/",
            "/usr/lib",
            "/usr/share/zone",
        )
        self._secret = str(home / "secret")
        sys.addaudithook(self._hear)

    def _hear(self, event: str, details: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        if event == "open" and isinstance(details[0], str | bytes):
            path = os.path.realpath(os.fsdecode(details[0]))
            if not path.startswith(self._inside) or path.startswith(self._secret):
                self.seen.append(f"opened {path}")
        elif event in _NETWORK or event in _CODE:
            self.seen.append(f"{event} {details[:3]!r}"[:200])


def furnish(home: Path) -> Path:
    """The folder of an avatar with what may lie in and around it; returns it."""
    folder = home / "avatar"
    (folder / "folder").mkdir(parents=True)
    (folder / ".animator-batch").mkdir()
    (home / "secret.bin").write_bytes(own_binary())
    (home / "secret").mkdir()
    (home / "secret" / "secret.bin").write_bytes(own_binary())
    (folder / "data.bin").write_bytes(own_binary())
    parsers = {parser.name: parser for parser in PARSERS}
    (folder / "picture.png").write_bytes(parsers["picture"].seeds()[0])
    (folder / "table.csv").write_bytes(parsers["mapping"].seeds()[0])
    (home / "clip.mp4").write_bytes(parsers["film"].seeds()[0])
    (folder / "secret.mp4").symlink_to("../clip.mp4")
    (folder / "data.glb").write_bytes(parsers["avatar"].seeds()[0])
    (folder / "link.bin").symlink_to("../secret.bin")
    (folder / "linked").symlink_to("../secret")
    (folder / "ring").symlink_to("ring")
    os.mkfifo(folder / "fifo")
    return folder


def spoilt(parser: Parser, seeds: list[bytes], seed: int, case: int) -> bytes:
    """The file of one case."""
    dice = Dice(f"{parser.name} {seed} {case}")
    small = [data for data in seeds if len(data) < LARGE_BYTES] or seeds
    data = dice.one(seeds if dice.hits(LARGE_SHARE) else small)
    try:
        return parser.spoil(dice, data)
    except (ValueError, RecursionError, MemoryError, RuntimeWarning):  # spoiling what was spoilt before may fail
        return spoilt_bytes(dice, data)


def attempt(parser: Parser, folder: Path, data: bytes) -> tuple[bool, str, str]:
    """(read, what was wrong with how it went, where): an empty reason if all was well."""
    from animator.errors import AnimatorError

    path = folder / parser.file
    path.write_bytes(data)
    try:
        parser.read(path)
        return True, "", ""
    except AnimatorError as error:
        told = str(error)
        is_line = "\n" not in told and 0 < len(told) < 1500 and told.isprintable()
        return False, "" if is_line else f"not one line: {told[:300]!r}", ""
    except BaseException as error:
        where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)][-4:]
        return False, f"{type(error).__name__}: {str(error)[:200]}", " > ".join(where)
    finally:
        path.unlink(missing_ok=True)


def _memory_bytes() -> tuple[int, int]:
    """(virtual, resident)."""
    pages = Path("/proc/self/statm").read_text().split()
    return int(pages[0]) * mmap.PAGESIZE, int(pages[1]) * mmap.PAGESIZE


def work(parser: Parser, home: Path, seed: int, first: int, cases: int) -> None:
    """A worker's life: cases in turn, each told to the parent if something was wrong with it."""
    os.nice(19 - os.nice(0))
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=ResourceWarning)
    folder, place = home / "avatar", os.open(home / "place", os.O_RDWR)
    board = mmap.mmap(place, 64)
    seeds = parser.seeds()
    for data in seeds[:2]:  # imports and buffers belong to the program, not to a case
        attempt(parser, folder, data)
    watch = Watch(home)
    taken, resident = _memory_bytes()
    resource.setrlimit(resource.RLIMIT_AS, (taken - resident + MOST_BYTES + (64 << 20),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    read = 0
    for case in range(first, cases):
        board[:16] = struct.pack("<qq", case, read)
        data = spoilt(parser, seeds, seed, case)
        watch.seen.clear()
        watch.is_on = True
        start_s = time.process_time()
        was_read, wrong, where = attempt(parser, folder, data)
        spent_s = time.process_time() - start_s
        watch.is_on = False
        read += was_read
        board[16:24] = struct.pack("<d", max(spent_s, struct.unpack("<d", board[16:24])[0]))
        if spent_s > MOST_CPU_S:
            wrong = wrong or f"slow: {spent_s:.1f} s for {len(data)} bytes"
        wrong = wrong or "; ".join(watch.seen[:2])
        if wrong:
            print(json.dumps({"case": case, "wrong": wrong, "where": where, "bytes": len(data)}), flush=True)
    board[:16] = struct.pack("<qq", cases, read)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident
    print(json.dumps({"peak_mb": peak / 2**20}), flush=True)


def fuzz(parser: Parser, cases: int, seed: int) -> Tally:
    """Have a parser's cases worked off, by as many workers as it takes."""
    tally = Tally()
    # In memory, where there is such a place: whoever writes a take waits for the disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="animator-fuzz-", dir=memory) as scratch:
        home = Path(scratch).resolve()
        furnish(home)
        board = home / "place"
        board.write_bytes(b"\0" * 64)
        first = 0
        while first < cases:
            first = _one_worker(parser, home, seed, first, cases, tally)
        tally.cases = cases
    return tally


def _one_worker(parser: Parser, home: Path, seed: int, first: int, cases: int, tally: Tally) -> int:
    """Let a worker go on from `first`; returns the case to go on with."""
    line = [
        sys.executable,
        "-m",
        "tests.soak.fuzz_files",
        "--work",
        str(home),
        "--seed",
        str(seed),
        "--only",
        str(first),
    ]
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENCV_LOG_LEVEL": "OFF"}
    worker = subprocess.Popen(
        [*line, "--cases", str(cases), parser.name], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=os.environ | alone,
    )  # fmt: skip
    heard: list[str] = []
    threads = [
        threading.Thread(target=lambda: heard.extend(worker.stderr)),
        threading.Thread(target=_listen, args=(worker, tally)),
    ]
    for thread in threads:
        thread.start()
    last, since_s, stuck = -1, time.monotonic(), False
    while worker.poll() is None:
        time.sleep(0.2)
        case = struct.unpack_from("<q", (home / "place").read_bytes())[0]
        if case != last:
            last, since_s = case, time.monotonic()
        elif time.monotonic() - since_s > STUCK_S:
            stuck = True
            worker.kill()
    for thread in threads:
        thread.join()
    case, read, slowest_s = struct.unpack_from("<qqd", (home / "place").read_bytes())
    tally.read += read
    tally.slowest_s = max(tally.slowest_s, slowest_s)
    if case >= cases and worker.returncode == 0:
        return cases
    how = f"stuck for {STUCK_S:.0f} s" if stuck else f"the process ended with {worker.returncode}"
    tally.findings.append({"case": case, "wrong": how, "where": "".join(heard)[-500:]})
    return max(case, first) + 1


def _listen(worker: subprocess.Popen[str], tally: Tally) -> None:
    for line in worker.stdout:
        said = json.loads(line)
        if "peak_mb" in said:
            tally.largest_mb = max(tally.largest_mb, said["peak_mb"])
        else:
            tally.findings.append(said)


def _tell(parser: Parser, tally: Tally, spent_s: float) -> None:
    print(f"{parser.name:10} {tally.cases} cases, {tally.read} read, slowest {tally.slowest_s:.2f} s, "
          f"most {tally.largest_mb:.0f} MB, {spent_s:.0f} s, {len(tally.findings)} findings")  # fmt: skip
    kinds: dict[str, dict[str, Any]] = {}
    for finding in tally.findings:
        kinds.setdefault(finding["where"] or finding["wrong"][:60], finding)
    for finding in list(kinds.values())[:MOST_TOLD]:
        print(f"    case {finding['case']}: {finding['wrong']}  {finding['where']}")
    sys.stdout.flush()


def main() -> int:
    known = {parser.name: parser for parser in PARSERS}
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    reader.add_argument("parsers", nargs="*", metavar="PARSER", help=", ".join(known))
    reader.add_argument("--cases", type=int, default=100_000)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--only", type=int, help="do one case, in this process, and show what it raises")
    reader.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    reader.add_argument("--report", type=Path, help="write what came of it as JSON, too")
    options = reader.parse_args()
    chosen = [known[name] for name in options.parsers] or list(PARSERS)
    if options.work is not None:
        work(chosen[0], options.work, options.seed, options.only, options.cases)
        return 0
    if options.only is not None:
        return _again(chosen[0], options.seed, options.only)
    told, findings = {}, 0
    for parser in chosen:
        start_s = time.monotonic()
        tally = fuzz(parser, options.cases, options.seed)
        _tell(parser, tally, time.monotonic() - start_s)
        told[parser.name] = tally.__dict__
        findings += len(tally.findings)
        if options.report is not None:
            options.report.write_text(json.dumps(told, indent=1))
    return int(findings > 0)


def _again(parser: Parser, seed: int, case: int) -> int:
    folder = furnish(Path(tempfile.mkdtemp(prefix="animator-fuzz-")))
    path = folder / parser.file
    path.write_bytes(spoilt(parser, parser.seeds(), seed, case))
    print(path)
    start_s = time.process_time()
    try:
        parser.read(path)
    finally:
        print(f"{time.process_time() - start_s:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
