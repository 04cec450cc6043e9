"""Files of strangers: nothing in the package runs what is in them, and whatever is in them ends in a result or a line.

A short version of `python -m tests.soak.fuzz_files`, and the worst that were thought of one by one."""

from __future__ import annotations

import ast
import io
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from animator.errors import AnimatorError, RigError, SettingError, SourceError, TakeError
from animator.foreign import inside, json_from, picture_bytes, picture_size_px, text_of, toml_of
from animator.rigging.gltf import rig_from_glb_bytes
from animator.rigging.library import load_rig
from animator.sources import video
from animator.sources.images import ImageSource
from animator.sources.video import VideoSource
from animator.takes.editing import resampled
from animator.takes.json_layouts import load_json, save_json
from animator.takes.npz import load_takes
from tests.rigging.building import Builder
from tests.soak.fuzz_files import attempt, furnish, spoilt
from tests.soak.parsers import PARSERS, Parser
from tests.soak.seeds import take
from tests.test_layers import FILES, imports, name_of

CASES = 60
FORBIDDEN_IMPORTS = {"marshal", "shelve", "dill", "cloudpickle", "yaml", "joblib", "jsonpickle", "imp"}
PICKLES = {"batch/local.py"}
"""What it reads, processes of the program itself have written, where no stranger can: docs/privacy.md says so."""
PARSER_BY_NAME = {parser.name: parser for parser in PARSERS}


# -- nothing is run ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_of_the_package_runs_what_it_reads(path: Path) -> None:
    text = path.read_text("utf-8")
    for module, ours in imports(path):
        top = module.split(".")[0]
        assert ours or top not in FORBIDDEN_IMPORTS, f"{name_of(path)} imports {module}"
        assert ours or top != "pickle" or name_of(path) in PICKLES, f"{name_of(path)} imports pickle"
    assert list(calls_that_run(text)) == []


def calls_that_run(text: str):
    """Calls of eval, exec and compile, of os.system, of shells, and of numpy.load without allow_pickle=False."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        said = ast.unparse(node.func)
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        is_bad = said in ("eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load")
        is_bad |= said in ("np.load", "numpy.load") and keywords.get("allow_pickle") != "False"
        is_bad |= keywords.get("shell") == "True" or keywords.get("allow_pickle") == "True"
        if is_bad:
            yield f"line {node.lineno}: {said}"


@pytest.mark.parametrize(
    "text", ["eval(x)", "np.load(p)", "np.load(p, allow_pickle=True)", "subprocess.run(x, shell=True)", "exec('')"]
)
def test_what_runs_would_be_seen(text: str) -> None:
    assert list(calls_that_run(text))


# -- spoilt files -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_spoilt_files_end_in_a_result_or_a_line(parser: Parser, tmp_path: Path) -> None:
    folder, seeds = furnish(tmp_path), parser.seeds()
    if parser.name not in ("journal", "ledger"):
        assert any(attempt(parser, folder, data)[0] for data in seeds)
    for case in range(CASES):
        _, wrong, where = attempt(parser, folder, spoilt(parser, seeds, 1, case))
        assert wrong == "", f"case {case} of seed 1: {wrong} {where}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=25,
)
KEYS = st.sampled_from(["weightMat", "facsNames", "names", "frames", "rotations", "joints", "exportFps", "numFrames",
                        "format", "format_version", "neutral_cm", "ranges", "asset", "nodes", "meshes", "path",
                        "result", "settings", "film", "face", "neutral"])  # fmt: skip


@pytest.mark.parametrize("name", ["json", "profile", "keepsake", "gltf", "ledger"])
def test_any_json_ends_in_a_result_or_a_line(name: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = furnish(Path(scratch).resolve())

        @given(st.dictionaries(KEYS, JSON, max_size=6) | JSON)
        @settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
        def ends_well(said: object) -> None:
            data = json.dumps(said).encode("utf-8", "surrogatepass")
            assert attempt(PARSER_BY_NAME[name], folder, data)[1:] == ("", "")

        ends_well()


@pytest.mark.parametrize("name", ["csv", "mapping", "settings", "rig.toml", "take", "journal", "picture", "film"])
def test_any_bytes_end_in_a_result_or_a_line(name: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = furnish(Path(scratch).resolve())

        @given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
        @settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
        def ends_well(data: bytes) -> None:
            assert attempt(PARSER_BY_NAME[name], folder, data)[1:] == ("", "")

        ends_well()


# -- what a file may reach --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["../secret.bin", "link.bin", "linked/secret.bin", "ring", "fifo", "/etc/passwd",
                                  "a\0b", "folder/../../secret.bin", ".", "", "folder", "x" * 5000])  # fmt: skip
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    assert inside(furnish(tmp_path), name) is None


def test_names_in_the_folder_are_found(tmp_path: Path) -> None:
    folder = furnish(tmp_path)
    (folder / "folder" / "deep.bin").write_bytes(b"x")
    (folder / "near.bin").symlink_to("data.bin")
    assert inside(folder, "data.bin") == folder / "data.bin"
    assert inside(folder, "folder/deep.bin") == folder / "folder" / "deep.bin"
    assert inside(folder, "near.bin") == folder / "data.bin"


@pytest.mark.parametrize(("key", "value"), [("model", "../clip.glb"), ("mapping", "../table.csv"), ("model", "7")])
def test_a_described_avatar_names_files_beside_it(tmp_path: Path, key: str, value: str) -> None:
    folder = furnish(tmp_path)
    (tmp_path / "clip.glb").write_bytes((folder / "data.glb").read_bytes())
    (tmp_path / "table.csv").write_text("morph,channel,gain\n")
    said = {"model": "data.glb", "mapping": "table.csv"} | {key: value}
    (folder / "rig.toml").write_text("\n".join(f'{name} = "{text}"' for name, text in said.items()))
    with pytest.raises(RigError, match=f"`{key}` must name a file beside it"):
        load_rig(folder)


def test_a_table_that_is_a_link_elsewhere_is_not_read(tmp_path: Path) -> None:
    folder = furnish(tmp_path)
    (tmp_path / "elsewhere.csv").write_text("secret,secret\n")
    (folder / "mapping.csv").symlink_to("../elsewhere.csv")
    load_rig(folder / "data.glb")


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{clip}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
            '<AdaptationSet mimeType="video/mp4">'
            "<Representation id='1'><BaseURL>{clip}</BaseURL></Representation></AdaptationSet></Period></MPD>",
}  # fmt: skip


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_film_is_no_list_of_other_files(make_video: Callable[..., Path], tmp_path: Path, kind: str) -> None:
    """FFmpeg looks at what is in a file, not at its name."""
    clip = make_video("secret.mp4")
    (tmp_path / "clip.mp4").write_text(PLAYLISTS[kind].format(clip=clip.name))
    with pytest.raises(SourceError):
        VideoSource(tmp_path / "clip.mp4")


def test_a_film_s_name_is_no_command(make_video: Callable[..., Path], tmp_path: Path, monkeypatch) -> None:
    clip = make_video("secret.mp4")
    monkeypatch.chdir(tmp_path)
    Path("concat:secret.mp4").write_bytes(b"no film at all")
    assert clip.exists()
    with pytest.raises(SourceError):
        VideoSource("concat:secret.mp4")


# -- bombs ------------------------------------------------------------------------------------------------------------
def png(width: int, height: int, *, depth: int = 1) -> bytes:
    """A grey picture of any size in few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))

    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    body = zlib.compress(bytes(min((width * depth // 8 + 1) * height, 1 << 20)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size_px", [(60_000, 60_000), (2**31 - 1, 1), (1, 2**31 - 1), (0, 5), (20_000, 20_000)])
def test_a_picture_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path, size_px: tuple[int, int]) -> None:
    (tmp_path / "a.png").write_bytes(png(*size_px))
    with pytest.raises(ValueError, match="wanted a PNG, JPEG, WebP, BMP or TIFF of at most 128 megapixels"):
        picture_bytes(tmp_path / "a.png")
    with pytest.raises(SourceError, match="not a picture that can be read"):
        ImageSource(tmp_path / "a.png")


def test_each_kind_of_picture_tells_its_size() -> None:
    for data in PARSER_BY_NAME["picture"].seeds():
        assert picture_size_px(data) == (32, 24)
        assert all(picture_size_px(data[:end]) in (None, (32, 24)) for end in range(len(data)))


def test_many_pictures_of_few_bytes_are_a_bomb() -> None:
    builder = Builder()
    view = builder.view(png(8000, 8000))
    builder.json["images"] = [{"bufferView": view, "mimeType": "image/png"} for _ in range(50)]
    builder.json["textures"] = [{"source": number} for number in range(50)]
    builder.json["materials"] = [
        {"pbrMetallicRoughness": {"baseColorTexture": {"index": number}}} for number in range(50)
    ]
    for number in range(50):
        builder.node(mesh=builder.mesh(material=number))
    with pytest.raises(RigError, match=r"megapixels|cannot be decoded|damaged"):
        rig_from_glb_bytes(builder.glb())


def test_a_member_s_head_is_not_read_at_any_length(tmp_path: Path) -> None:
    """A kilobyte of zip whose first array says that its head has two gigabytes."""
    head = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + bytes(5_000_000)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("weights.npy", "format_version.npy"):
            file.writestr(name, head)
    with pytest.raises(TakeError, match="head has more than 10000 bytes"):
        load_takes(tmp_path / "a.npz")


def test_a_zip_of_zeros_is_not_unpacked(tmp_path: Path) -> None:
    zeros = io.BytesIO()
    np.lib.format.write_array(zeros, np.zeros((400_000, 52), np.float32))
    times = io.BytesIO()
    np.lib.format.write_array(times, np.zeros(400_000))
    good = PARSER_BY_NAME["take"].seeds()[1]
    with (
        zipfile.ZipFile(io.BytesIO(good)) as kept,
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as file,
    ):
        for name in kept.namelist():
            changed = {"weights.npy": zeros, "times_s.npy": times}.get(name)
            file.writestr(name, changed.getvalue() if changed else kept.read(name))
    assert (tmp_path / "a.npz").stat().st_size < 500_000
    with pytest.raises(TakeError, match="unpacked it is more than 20 times as large"):
        load_takes(tmp_path / "a.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_that_numpy_does_not_use_are_refused(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as file:
        file.writestr("weights.npy", bytes(1000))
    with pytest.raises(TakeError, match="stored or deflated"):
        load_takes(tmp_path / "a.npz")


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", weights=np.array([{}, open]), format_version=np.array([print]))
    with pytest.raises(TakeError, match="allow_pickle=False"):
        load_takes(tmp_path / "a.npz")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 500_000 + "]" * 500_000])
def test_json_may_not_be_deep(text: str) -> None:
    with pytest.raises(ValueError, match=r"deeply|Expecting"):
        json_from(text)


def test_json_may_not_take_more_memory_than_is_given() -> None:
    with pytest.raises(ValueError, match="it would take"):
        json_from("[" + "{}," * 40_000 + "0]", 2**20)


def test_what_json_says_commands_no_terminal() -> None:
    said = json_from(r'{"name": "\u001b[2Jx\\u001by\u009b\u007f", "next": "a\nbé' + "\x9b" + '"}')
    assert said == {"name": " [2Jx\\u001by  ", "next": "a\nbé "}


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "a." * 20_000 + "a = 1", "a = 1\n" * 20_000])
def test_settings_may_not_be_a_maze(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ValueError, match=r".+"):
        toml_of(tmp_path / "a.toml")


def test_a_text_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x" * 2000)
    with pytest.raises(ValueError, match="it has more than"):
        text_of(tmp_path / "a.csv", 1999)
    assert len(text_of(tmp_path / "a.csv", 2000)) == 2000


@pytest.mark.parametrize("kind", [AnimatorError, RigError, TakeError, SettingError])
def test_every_message_is_one_line_that_commands_nothing(kind: type[AnimatorError]) -> None:
    told = str(kind("a\nb\x1b[2J\u202e\ud800" + "x" * 5000))
    assert told.startswith("a b\\x1b[2J\\u202e\\ud800xxx")
    assert len(told) < 1000
    assert told.isprintable()


def test_few_frames_that_reach_over_a_day_are_not_filled_up() -> None:
    """Five lines of CSV with the right times of day would be a gigabyte at 30 frames a second."""
    few = replace(take(5), times_s=np.array([0.0, 1, 2, 3, 46_800]))
    with pytest.raises(TakeError, match="are too many"):
        resampled(few, 30.0)
    assert len(resampled(replace(few, times_s=np.array([0.0, 1, 2, 3, 3600])), 30.0)) == 108_001


def test_a_film_of_pictures_that_no_camera_makes_is_refused(
    make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_video(size_px=(160, 120))
    monkeypatch.setattr(video, "MAX_PICTURE_PX", 2 * 160 * 120)  # decoders have margins around it
    VideoSource(clip).close()
    monkeypatch.setattr(video, "MAX_PICTURE_PX", 160 * 120 - 1)
    with pytest.raises(SourceError):
        VideoSource(clip)


def test_thousands_of_buffers_are_none_of_an_avatar_s() -> None:
    said = {"asset": {"version": "2.0"}, "buffers": [{"uri": "data.bin", "byteLength": 4}] * 25_000}
    with pytest.raises(RigError, match="at most 256 buffers"):
        rig_from_glb_bytes(json.dumps(said).encode())


@pytest.mark.parametrize(
    ("layout", "old", "new"),
    [
        ("audio2face", '"exportFps": 60.0', '"exportFps": 1e-308'),
        ("beat", '"time": 0,', '"time": Infinity,'),
        ("beat", '"time": 0,', '"time": NaN,'),
    ],
)
def test_times_that_are_none_are_told_without_a_warning(tmp_path: Path, layout: str, old: str, new: str) -> None:
    save_json(tmp_path / "a.json", take(3), layout)
    text = (tmp_path / "a.json").read_text()
    assert old in text
    (tmp_path / "a.json").write_text(text.replace(old, new, 1))
    with pytest.raises(TakeError):
        load_json(tmp_path / "a.json")
