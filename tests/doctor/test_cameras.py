"""Cameras that are listed, that are busy, that may not be opened: no camera is needed."""

from __future__ import annotations

import errno
import struct
import subprocess
import sys
from pathlib import Path

from animator.doctor.cameras import Device, Mode, _busy, cameras, devices, examined, holders, modes_of, told

SIZES = {b"MJPG": [(1920, 1080), (640, 480)], b"YUYV": [(640, 480)]}
RATES = {(1920, 1080): [(1, 30)], (640, 480): [(1, 60), (1, 30)]}


def driver(file: int, request: int, said: bytearray) -> None:
    """Answers as linux/videodev2.h says: two formats, the end of each list as EINVAL."""
    number = struct.unpack_from("<I", said)[0]
    try:
        if request == 0xC0405602:  # VIDIOC_ENUM_FMT
            struct.pack_into("<4s", said, 44, list(SIZES)[number])
        elif request == 0xC02C564A:  # VIDIOC_ENUM_FRAMESIZES
            struct.pack_into("<III", said, 8, 1, *SIZES[bytes(said[4:8])][number])
        else:  # VIDIOC_ENUM_FRAMEINTERVALS
            struct.pack_into("<III", said, 16, 1, *RATES[struct.unpack_from("<II", said, 8)][number])
    except IndexError:
        raise OSError(errno.EINVAL, "the list is at its end") from None


def ranging(file: int, request: int, said: bytearray) -> None:
    """A camera that names ranges in place of lists."""
    if struct.unpack_from("<I", said)[0]:
        raise OSError(errno.EINVAL, "one of each")
    if request == 0xC0405602:
        struct.pack_into("<4s", said, 44, b"NV12")
    elif request == 0xC02C564A:
        struct.pack_into("<7I", said, 8, 3, 160, 1280, 16, 120, 720, 8)
    else:
        struct.pack_into("<7I", said, 16, 3, 1, 30, 1, 1, 1, 1)


def test_a_driver_s_lists_are_read_to_their_ends() -> None:
    modes = modes_of(0, driver)
    assert modes == [
        Mode(1920, 1080, 30.0, "MJPG"), Mode(640, 480, 60.0, "MJPG"), Mode(640, 480, 30.0, "MJPG"),
        Mode(640, 480, 60.0, "YUYV"), Mode(640, 480, 30.0, "YUYV"),
    ]  # fmt: skip
    assert told(modes) == "1920x1080 at 30 (MJPG), 640x480 at 60 (MJPG)"


def test_of_ranges_the_most_is_told() -> None:
    assert modes_of(0, ranging) == [Mode(1280, 720, 30.0, "NV12")]


def test_a_driver_without_lists_names_no_modes() -> None:
    assert modes_of(0, lambda *_: (_ for _ in ()).throw(OSError(errno.ENOTTY, "no camera"))) == []
    finding = examined(Device(7, "Nothing", "/dev/null"))
    assert (finding.what, finding.verdict) == ("camera 7", "warn")
    assert "names no modes" in finding.detail
    assert finding.remedy == "try it: animator run 7"


def test_who_holds_a_file_is_named(tmp_path: Path) -> None:
    held = tmp_path / "video0"
    held.touch()
    script = "import sys; held = open(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        (who,) = holders(str(held))
        assert who.endswith(f"({holder.pid})")
        finding = _busy("camera 0", Device(0, "HD Webcam", str(held)), OSError(errno.EBUSY, "busy"))
        holder.stdin.close()
    assert finding.verdict == "warn"
    assert finding.detail == f"HD Webcam: busy, held by {who}"
    assert finding.remedy == "close that program"
    assert holders(str(held)) == []


def test_a_busy_camera_of_another_user_is_told_without_a_name(tmp_path: Path) -> None:
    finding = _busy("camera 0", Device(0, "HD Webcam", str(tmp_path)), OSError(errno.EBUSY, "busy"))
    assert "which the system does not name" in finding.detail


def test_a_camera_that_is_gone_is_told() -> None:
    finding = examined(Device(9, "Gone", "/dev/nowhere-at-all"))
    assert (finding.verdict, finding.detail) == ("warn", "Gone: No such file or directory")


def test_no_camera_is_a_warning_with_a_remedy() -> None:
    (finding,) = cameras(lambda: [])
    assert (finding.what, finding.verdict) == ("cameras", "warn")
    assert "plug in" in finding.remedy


def test_a_list_that_cannot_be_had_is_told() -> None:
    def broken() -> list[Device]:
        raise ImportError("no module named cv2_enumerate_cameras")

    (finding,) = cameras(broken)
    assert finding.remedy == "pip install cv2-enumerate-cameras"


def test_the_system_s_own_list_can_be_read() -> None:
    assert all(device.name and device.number >= 0 for device in devices())
