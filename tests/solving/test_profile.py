from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from animator.errors import SettingError, SinkError, TakeError
from animator.solving import profile as profiles
from animator.solving.profile import Profile, check_name, load_profile, save_profile

from .test_identity import person


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "profile_folder", lambda: tmp_path / "profiles")
    return tmp_path / "profiles"


@pytest.fixture
def ada(model):
    return Profile("Ada", person(model).astype(np.float32), {"eyeBlink": 0.81})


def test_round_trip(own_folder, ada):
    path = profiles.profile_path("Ada")
    save_profile(path, ada)
    loaded = load_profile(path)
    assert (loaded.name, loaded.ranges) == ("Ada", {"eyeBlink": 0.81})
    np.testing.assert_allclose(loaded.neutral_cm, ada.neutral_cm, atol=6e-5)  # a micrometre or less
    assert loaded.neutral_cm.dtype == np.float32
    assert [p.name for p in own_folder.iterdir()] == ["Ada.json"]
    assert path.stat().st_size < 20_000
    save_profile(path, replace(loaded, ranges={}))
    assert load_profile(path).ranges == {}
    np.testing.assert_array_equal(load_profile(path).neutral_cm, loaded.neutral_cm)


@pytest.mark.parametrize("name", ["ada", "Ada-2", "a_b", "x" * 64])
def test_names(name):
    assert check_name(name) == name
    assert profiles.profile_path(name).parent == profiles.profile_folder()


TRICKS = ("", ".", "..", "../ada", "a/b", "a\\b", "/etc/x", "a.json", "a b", "ä", "a\n", "x" * 65, "con", "NUL", "a\0")


@pytest.mark.parametrize("name", TRICKS)
def test_names_with_tricks_are_refused(name):
    with pytest.raises(SettingError, match="profile: wanted a name of 1 to 64 letters"):
        check_name(name)


def spoilt(said, **changes):
    return json.dumps(said | changes).encode()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": "something"}, "no profile of animator's"),
        ({"format_version": 2}, "format version 2, this program reads up to 1: update"),
        ({"format_version": "1"}, "format_version: wanted a whole number"),
        ({"format_version": True}, "format_version"),
        ({"neutral_cm": [[0, 0, 0]] * 468}, r"neutral_cm: wanted 478 points, got shape \(468, 3\)"),
        ({"neutral_cm": [[0, 0, float("nan")]] * 478}, "neutral_cm: wanted numbers within 50 cm"),
        ({"neutral_cm": [[0, 0, 1e9]] * 478}, "within 50 cm"),
        ({"neutral_cm": [[0, 0, 10**400]] * 478}, "cannot use"),
        ({"neutral_cm": [["a", 0, 0]] * 478}, "cannot use"),
        ({"neutral_cm": None}, "neutral_cm"),
        ({"ranges": [1]}, "ranges: wanted names and numbers, got list"),
        ({"ranges": {"eyeBlink": 7}}, "ranges: eyeBlink: wanted 0.2 to 1.0, got 7"),
    ],
)
def test_wrong_contents_are_told_in_one_line(own_folder, ada, changes, reason):
    path = profiles.profile_path("Ada")
    save_profile(path, ada)
    path.write_bytes(spoilt(json.loads(path.read_text()), **changes))
    with pytest.raises(TakeError, match=reason) as raised:
        load_profile(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    "content", [None, b"", b"hello", b"[]", b'{"format":', b"\xff\xfe\0", b"[" * 100_000, b" " * 2_000_000]
)
def test_damaged_files(own_folder, content):
    path = profiles.profile_path("bad")
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TakeError, match="cannot use the profile") as raised:
        load_profile(path)
    assert "\n" not in str(raised.value)


def test_any_cut_of_a_file_is_refused(own_folder, ada):
    path = profiles.profile_path("Ada")
    save_profile(path, ada)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 977):  # without its last brace and newline
        path.write_bytes(whole[:length])
        with pytest.raises(TakeError):
            load_profile(path)


def test_listing_and_deleting(own_folder, ada):
    assert profiles.known_profiles() == []
    for name in ("Zoe", "Ada"):
        save_profile(profiles.profile_path(name), ada)
    assert profiles.known_profiles() == ["Ada", "Zoe"]
    profiles.delete_profile("Zoe")
    assert profiles.known_profiles() == ["Ada"]
    with pytest.raises(SettingError, match="there is no 'Zoe'; there are: Ada"):
        profiles.delete_profile("Zoe")


def test_a_failed_write_leaves_the_old_file_and_no_other(own_folder, ada, monkeypatch):
    path = profiles.profile_path("Ada")
    save_profile(path, ada)
    before = path.read_bytes()

    def full(*_args):
        raise OSError("no space left")

    monkeypatch.setattr(profiles.os, "replace", full)
    with pytest.raises(SinkError, match="cannot write the profile"):
        save_profile(path, replace(ada, ranges={}))
    assert path.read_bytes() == before
    assert [p.name for p in own_folder.iterdir()] == ["Ada.json"]


def test_a_folder_that_cannot_be_made(tmp_path, ada):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot write the profile"):
        save_profile(tmp_path / "file" / "Ada.json", ada)
