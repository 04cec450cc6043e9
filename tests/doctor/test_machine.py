"""What is missing is told with its remedy, and what is here by trying it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from animator.doctor import codecs, graphics, machine, named, servers

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems carry these libraries")


def test_every_codec_comes_there_and_back() -> None:
    findings = list(codecs.codecs())
    assert [finding.what for finding in findings] == ["codec H.264", "codec VP8", "codec VP9", "codec MPEG-4"]
    assert [finding.verdict for finding in findings] == ["ok"] * 4, findings


def test_a_codec_that_is_not_there_is_as_bad_as_its_use(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = (("H.264", ("nothing264",), "h264", "bad", "browsers"), ("VP9", ("vp8",), "vp9", "warn", ".webm"))
    monkeypatch.setattr(codecs, "CODECS", absent)
    bad, warned = codecs.codecs()
    assert (bad.verdict, warned.verdict) == ("bad", "warn")
    assert "has none of nothing264" in bad.detail
    assert bad.remedy.startswith("pip install")


@linux_only
def test_a_missing_library_is_named_with_its_package() -> None:
    findings = list(machine.system_libraries(lambda name: name != "libGLESv2.so.2"))
    assert [finding.verdict for finding in findings] == ["ok", "bad"]
    assert findings[1].remedy == "apt-get install libgles2"


@linux_only
@pytest.mark.parametrize(("here", "verdict"), [({"libEGL.so.1"}, "ok"), ({"libOSMesa.so.8"}, "ok"), (set(), "bad")])
def test_one_way_to_opengl_is_enough(here: set[str], verdict: str) -> None:
    (finding,) = graphics.libraries(here.__contains__)
    assert finding.verdict == verdict


def test_the_renderer_is_named_and_timed() -> None:
    opengl, drawing = graphics.drawing("robot")
    assert opengl.verdict == "ok"
    assert drawing.detail.startswith("robot in 640x480: ")
    assert drawing.verdict == ("warn" if float(drawing.detail.split()[3]) > graphics.SLOW_MS else "ok")


def test_a_driver_that_crashes_is_told_and_not_shared() -> None:
    (finding,) = graphics.drawing(None, (sys.executable, "-c", "import os; os.abort()"))
    assert finding.verdict == "bad"
    assert "ended with code -6" in finding.detail


def test_one_that_draws_no_avatar_is_told_too() -> None:
    named_it, drawing = graphics.drawing(None, (sys.executable, "-c", "import sys; print('EGL: x'); sys.exit('no')"))
    assert (named_it.verdict, drawing.verdict, drawing.detail) == ("ok", "bad", "no")


@pytest.mark.parametrize(("free", "verdict"), [(10**12, "ok"), (10**9, "warn"), (10**6, "bad")])
def test_room_on_the_disk(free: int, verdict: str) -> None:
    assert {finding.verdict for finding in machine.disk(lambda _: free)} == {verdict}


def test_a_disk_that_is_gone_is_told() -> None:
    def gone(folder: Path) -> int:
        raise OSError(5, "Input/output error")

    assert {finding.verdict for finding in machine.disk(gone)} == {"bad"}


def test_ports_are_tried() -> None:
    with socket.socket() as one:
        one.bind(("", 0))
        one.listen(1)
        number = one.getsockname()[1]
        taken, warned = servers.port(number, True), servers.port(number, False)
    assert (taken.verdict, warned.verdict) == ("bad", "warn")
    assert taken.detail == "another program listens there"
    assert servers.port(number, True).verdict == "ok"
    assert servers.port(99999, True).verdict == "bad"


def test_the_avatar_that_is_named_is_loaded(tmp_path: Path) -> None:
    (built_in,) = named.avatars(None)
    assert built_in.verdict == "ok"
    assert list(named.avatars("mask"))[1].detail.endswith("52 of 52 channels move it")
    (tmp_path / "a.glb").write_bytes(b"glTF, not really")
    broken = list(named.avatars(str(tmp_path / "a.glb")))[1]
    assert (broken.verdict, "a.glb" in broken.detail) == ("bad", True)


def test_the_profile_that_is_named_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert list(named.profiles(None)) == []
    assert [finding.verdict for finding in named.profiles("me")] == ["warn"]
    assert [finding.verdict for finding in named.profiles("../me")] == ["bad"]
    folder = tmp_path / "animator" / "profiles"
    folder.mkdir(parents=True)
    (folder / "me.json").write_text("[]")
    (finding,) = named.profiles("me")
    assert (finding.verdict, finding.remedy) == ("bad", "animator profiles delete me, and calibrate anew")
