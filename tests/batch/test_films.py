"""Inputs name films; films get names that no other has."""

from __future__ import annotations

from pathlib import Path

import pytest

from animator.batch.films import Film, find_films, named
from animator.errors import SourceError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a/x.mp4", "a/deep/y.MOV", "b/x.mp4", "b/notes.md", "b/.hidden.mp4", "out/x.puppet.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(*inputs: object, out: Path) -> list[str]:
    return [film.path.relative_to(out.parent).as_posix() for film in find_films([str(i) for i in inputs], out)]


def test_a_folder_gives_all_its_films_but_not_our_results(tree: Path):
    assert found(tree, out=tree / "out") == ["a/deep/y.MOV", "a/x.mp4", "b/x.mp4"]


def test_patterns_lists_and_files_name_each_film_once(tree: Path):
    (tree / "list.txt").write_text("# films\na/x.mp4\n\nb\n", "utf-8")
    inputs = (tree / "list.txt", tree / "a" / "x.mp4", tree / "*" / "x.mp4")
    assert found(*inputs, out=tree / "out") == ["a/x.mp4", "b/x.mp4"]


def test_a_film_that_a_list_names_in_vain_stays_to_be_reported(tree: Path):
    (tree / "list.txt").write_text("gone.mp4\n", "utf-8")
    assert found(tree / "list.txt", out=tree / "out") == ["gone.mp4"]


def test_a_list_that_names_a_list_goes_no_further(tree: Path):
    (tree / "list.txt").write_text("list.txt\n", "utf-8")
    assert found(tree / "list.txt", out=tree / "out") == ["list.txt"]


@pytest.mark.parametrize("given", ["nothing.mp4", "b/*.avi", "empty"])
def test_an_input_without_a_film_is_refused(tree: Path, given: str):
    (tree / "empty").mkdir()
    with pytest.raises(SourceError, match=r"no film in .*: wanted videos, folders"):
        find_films([str(tree / given)], tree / "out")


def film(path: str, wish: str) -> Film:
    return Film(Path(path), wish)


def test_names_clash_neither_in_case_nor_with_what_else_is_written():
    films = [
        film("/a/talk.mp4", "talk"), film("/b/talk.mp4", "talk"), film("/b/Talk.mov", "Talk"),
        film("/c/talk.mp4", "talk"), film("/d/talk.face2.mp4", "talk.face2"), film("/d/talk.puppet.mp4", "talk.puppet"),
    ]  # fmt: skip
    names = named(films, {})
    assert names == ["talk", "b/talk", "Talk-mov", "c/talk", "d/talk.face2", "talk.puppet-mp4"]
    written = [name + suffix for name in names for suffix in (".npz", ".csv", ".face2.csv", ".puppet.mp4")]
    assert len({name.casefold() for name in written}) == len(written)


def test_a_name_once_given_stays_whatever_comes_along_later():
    old = film("/b/talk.mp4", "talk")
    known = {old.path: "talk"}
    assert named([film("/a/talk.mp4", "talk"), old], known) == ["a/talk", "talk"]
