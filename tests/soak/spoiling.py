"""How strangers' files go wrong: bytes overwritten, numbers that lie, lists that swell, check sums made right again."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

NUMBERS = (0, -1, 1, 2, 3, 7, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 10**18, 2**64, 10**40, 0.5,
           -0.0, 1e-320, 1e308, -1e308, 1e39, float("nan"), float("inf"), -float("inf"))  # fmt: skip
URIS = (
    "../secret.bin", "/etc/passwd", "%2e%2e/secret.bin", "..%2fsecret.bin", "%2e%2e%2fsecret.bin", "link.bin", "fifo",
    "folder/../../secret.bin", "file:///etc/passwd", "http://127.0.0.1:9/x.bin", "https://example.invalid/x.png",
    "//127.0.0.1/share/x.bin", "\\\\host\\share", "..\\secret.bin", "C:\\x.bin", "~/x.bin", "", ".", "..", "\0", "%00",
    "a" * 5000, "data:", "data:,x", "data:;base64,", "data:application/octet-stream;base64,AAAA", "data:;base64,%41",
    "linked/secret.bin", "data.bin", "picture.png", "/proc/self/environ", "/dev/zero", "ring", "data.bin?x", "\ud800",
)  # fmt: skip
"""Where an avatar might want to read; `secret.bin` lies above its folder, `link.bin`, `linked` and `ring` are links."""
WORDS = ("", "x", "nan", "-inf", "1e999", "true", "null", "\0", "\ufeff", "\u202e", "jawOpen", "POSITION", "a" * 300)
TEXTS = (b"", b"nan", b"1e999", b"-", b",", b'"', b"\n", b"\r", b"\0", b"\xff\xfe", b"[[", b"{", b"=", b"#", b"'''",
         b"0" * 40, b"-0x1", b"\xef\xbb\xbf", b"1e-400", b"inf", b"9" * 400, b"[", b"a.a.a.a.a=1\n", b"\xc3\x28",
         b"00:00:00:00.000", b"99999999999:59:59:59")  # fmt: skip
EDGES = [struct.pack("<I", n) for n in (0, 1, 127, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1)] + [
    struct.pack("<f", v) for v in (float("nan"), float("inf"), 3e38, -1e-40)
]  # fmt: skip
MOST_REPEATS, MOST_MOVED, MOST_PLACES = 30_000, 4000, 20_000


class Dice(random.Random):
    """Chance, by a number: the same number spoils a file in the same way."""

    def hits(self, share: float) -> bool:
        return self.random() < share

    def one(self, things: Any) -> Any:
        return things[self.randrange(len(things))]


def spoilt_bytes(dice: Dice, data: bytes) -> bytes:
    """Bits turned, numbers at the edge of their range, pieces cut out, repeated and moved."""
    spoilt = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 12))):
        at = dice.randrange(len(spoilt) + 1)
        if dice.hits(0.5):
            at = min(at, dice.randrange(200))  # what stands in front says how the rest is to be read
        match dice.randrange(7):
            case 0 if at < len(spoilt):
                spoilt[at] ^= 1 << dice.randrange(8)
            case 1:
                spoilt[at : at + 4] = dice.one(EDGES)
            case 2:
                spoilt[at : at + 4] = dice.one(EDGES)[::-1]
            case 3:
                del spoilt[at : at + dice.choice((1, 4, 64, 10**9))]
            case 4:
                piece = spoilt[at : at + dice.choice((1, 8, 100))]
                spoilt[at:at] = piece * dice.choice((1, 2, 50))
            case 5:
                spoilt[at : at + 8] = dice.randbytes(8)
            case _:
                spoilt[at:at] = dice.one(TEXTS)
    return bytes(spoilt)


def spoilt_text(dice: Dice, data: bytes) -> bytes:
    """Cells and lines changed, left out, repeated; now and then any bytes."""
    if dice.hits(0.15):
        return spoilt_bytes(dice, data)
    lines = data.split(b"\n")
    for _ in range(dice.choice((1, 1, 2, 5))):
        row = dice.randrange(len(lines))
        if dice.hits(0.3):
            row = 0
        match dice.randrange(6):
            case 0:
                lines.insert(row, dice.one(lines) if dice.hits(0.5) else dice.one(TEXTS))
            case 1 if len(lines) > 1:
                del lines[row]
            case 2 if dice.hits(0.01):
                lines[row:row] = [lines[row]] * dice.randrange(MOST_REPEATS)
            case _:
                mark = dice.one((b",", b",", b" ", b"=", b".", b":"))
                cells = lines[row].split(mark)
                cells[dice.randrange(len(cells))] = dice.one(TEXTS)
                lines[row] = mark.join(cells)
    return b"\n".join(lines)


def _any_value(dice: Dice, old: Any) -> Any:
    """Something else in a value's place, often nearly right."""
    match dice.randrange(9):
        case 0 | 1 | 2:
            return dice.one(NUMBERS)
        case 3:
            return dice.one(URIS) if dice.hits(0.5) else dice.one(WORDS)
        case 4 if isinstance(old, int | float) and not isinstance(old, bool):
            return old + dice.choice((-1, 1, 4, 100))
        case 5:
            return dice.one((None, True, False, [], {}, [[]], [None], {"": 0}, [0, 0, 0], [{}]))
        case 6:
            return [old] * dice.randrange(4)
        case 7 if dice.hits(0.05):
            deep: Any = old
            for _ in range(dice.choice((10, 200, 5000))):
                deep = [deep] if dice.hits(0.9) else {"a": deep}
            return deep
    return type(old).__name__ if dice.hits(0.5) else dice.one(NUMBERS)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every entry of nested lists and objects as (container, key); of long lists some."""
    found, waiting = [], [value]
    while waiting and len(found) < MOST_PLACES:
        holder = waiting.pop()
        keys = holder if isinstance(holder, dict) else range(min(len(holder), 40))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def spoilt_tree(dice: Dice, tree: Any) -> Any:
    """Entries of parsed JSON changed, left out, moved, renamed, swollen."""
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        places = _places(tree)
        if not places:
            return tree
        holder, key = dice.one(places)
        match dice.randrange(12):
            case 0:
                del holder[key]
            case 1:
                other, at = dice.one(places)
                moved = dumped(other[at] if isinstance(other, dict) or at < len(other) else None)
                holder[key] = json.loads(moved) if len(moved) < MOST_MOVED else None  # a copy: no rings
            case 2 if isinstance(holder, list) and dice.hits(0.02):
                holder[key:key] = [holder[key]] * dice.randrange(MOST_REPEATS)
            case 3 if isinstance(holder, list):
                holder.insert(key, holder[key])
            case 4 if isinstance(holder, dict):
                holder[dice.one(WORDS)] = holder.pop(key)
            case 5 if isinstance(holder[key], str) or key == "uri":
                holder[key] = dice.one(URIS)
            case _:
                holder[key] = _any_value(dice, holder[key])
    return tree


def dumped(tree: Any) -> bytes:
    """JSON, with rings of objects cut and depths that the writer refuses as they would be."""
    try:
        return json.dumps(tree).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return b'{"a":' * 20_000 + b"0" + b"}" * 20_000


def spoilt_json(dice: Dice, data: bytes) -> bytes:
    """JSON with other entries, or with other bytes."""
    return spoilt_bytes(dice, data) if dice.hits(0.2) else dumped(spoilt_tree(dice, json.loads(data)))


def glb_of(text: bytes, rest: bytes) -> bytes:
    """A GLB of its JSON and what follows that chunk."""
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest))
    return b"".join([head, struct.pack("<I4s", len(text), b"JSON"), text, rest])


def spoilt_glb(dice: Dice, data: bytes) -> bytes:
    """A GLB with other entries in its JSON, other bytes in its buffer, or both."""
    if dice.hits(0.1) or data[:4] != b"glTF":
        return spoilt_bytes(dice, data) if data[:4] == b"glTF" else spoilt_json(dice, data)
    length = struct.unpack_from("<I", data, 12)[0]
    text, rest = data[20 : 20 + length], data[20 + length :]
    if dice.hits(0.25) and len(rest) > 8:
        rest = rest[:8] + spoilt_bytes(dice, rest[8:])[: len(rest) - 8].ljust(len(rest) - 8, b"\0")
    if dice.hits(0.85):
        text = dumped(spoilt_tree(dice, json.loads(text)))
    return glb_of(text, rest)


def _npy(dice: Dice, values: np.ndarray) -> bytes:
    """One member of an archive whose head may lie."""
    out = io.BytesIO()
    np.lib.format.write_array(out, values, allow_pickle=False)
    raw = out.getvalue()
    if not dice.hits(0.25):
        return raw
    shape = tuple(dice.choice((0, 1, 3, 478, 52, 2**31, 2**62, 10**25)) for _ in range(dice.randrange(4)))
    kinds = ("<f8", "<f4", "|O", "|V8", "<U2500", "<M8[s]", ">f8", "|b1", "<c16", "|S9", "<i8", "<f2", "<U99999999")
    descr: Any = dice.choice((*kinds, [("a", "<f8")], ("<f8", (3,)), 7))
    said = {"descr": descr, "fortran_order": dice.choice((True, False, 1)), "shape": shape}
    text = (repr(said) if dice.hits(0.7) else dice.choice(("{}", "[" * 500, "()", "__import__('os')", ""))).encode()
    text += b" " * dice.choice((0, 5, 50_000)) + b"\n"
    if dice.hits(0.2):
        return b"\x93NUMPY\x02\x00" + struct.pack("<I", dice.choice((len(text), 2**31, 2**32 - 1))) + text + raw[128:]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", min(len(text), 65535)) + text + raw[128:]


def _other_values(dice: Dice, values: np.ndarray) -> np.ndarray:
    """An array of other numbers, another type or another shape."""
    values = values.copy()
    match dice.randrange(8):
        case 0 | 5 | 6 | 7 if values.size and values.dtype.kind == "f":
            worst = (np.nan, np.inf, 3e38, -1.0, 0.0, 1e300 if values.dtype.itemsize > 4 else 1e30)
            values.flat[dice.randrange(values.size)] = dice.choice(worst)
        case 1:
            with np.errstate(all="ignore"):
                to = dice.choice(("f4", "f8", "i8", "u1", "?", "f2", "U5"))
                values = values.astype(to) if values.dtype.kind in "fiu" and np.isfinite(values).all() else values
        case 2:
            values = values[: dice.randrange(len(values) + 1)] if values.ndim else values.reshape(1)
        case 3:
            values = np.concatenate([values] * 3) if values.ndim else np.array([values] * 2)
        case _:
            values = values.T if values.ndim > 1 else values[::-1] if values.ndim else values
    return values


def spoilt_npz(dice: Dice, data: bytes) -> bytes:
    """An archive whose members lie about themselves, or are others."""
    if dice.hits(0.15):
        return spoilt_bytes(dice, data)
    with np.load(io.BytesIO(data)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for _ in range(dice.choice((1, 1, 2, 3))):
        name = dice.one(list(arrays))
        match dice.randrange(5):
            case 0 if len(arrays) > 1 and dice.hits(0.2):
                del arrays[name]
            case 1:
                arrays[dice.one((*arrays, "weights_2", "landmarks_norm", "../x", "/etc/x"))] = arrays[name]
            case _:
                arrays[name] = _other_values(dice, arrays[name])
    lying = dice.one(list(arrays))
    if dice.hits(0.002):
        arrays[lying] = np.zeros(dice.choice((10**6, 40 * 10**6)), np.float32)  # a kilobyte for each megabyte
    kinds = (zipfile.ZIP_STORED,) * 12 + (zipfile.ZIP_DEFLATED,) * 2 + (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", dice.choice(kinds)) as file:
        for name, values in arrays.items():
            file.writestr(f"{name}.npy", _npy(dice if name == lying else Dice(1), values))
    packed = out.getvalue()
    return spoilt_bytes(dice, packed) if dice.hits(0.1) else packed


def spoilt_png(dice: Dice, data: bytes) -> bytes:
    """A PNG with other numbers in its chunks and check sums that fit; any other picture with other bytes."""
    if data[:4] != b"\x89PNG" or dice.hits(0.2):
        return spoilt_bytes(dice, data)
    chunks, at = [], 8
    while at + 8 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        chunks.append((data[at + 4 : at + 8], bytearray(data[at + 8 : at + 8 + length])))
        at += 12 + length
    kind, body = dice.one(chunks)
    if kind == b"IHDR" or dice.hits(0.4):
        body = chunks[0][1]
        place = dice.randrange(13)
        if place < 8:
            value = dice.choice((0, 1, 3, 4096, 8192, 20_000, 2**24, 2**31 - 1, 2**31))
            struct.pack_into(">I", body, place // 4 * 4, value)
        else:
            body[place] = dice.randrange(256)
    elif body:
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
    if dice.hits(0.1):
        chunks.insert(dice.randrange(len(chunks)), dice.one(chunks))
    parts = (
        struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(bytes(b), zlib.crc32(k))) for k, b in chunks
    )
    return data[:8] + b"".join(parts)


def _still_json(dice: Dice, payload: bytes) -> bytes:
    try:
        return spoilt_json(dice, payload)
    except ValueError:  # it was spoilt before
        return payload[: len(payload) // 2]


def spoilt_journal(dice: Dice, data: bytes) -> bytes:
    """A journal whose records say something else under check sums that fit."""
    if dice.hits(0.1):
        return spoilt_bytes(dice, data)
    magic, _, body = data.partition(b"\n")
    records, at = [], 0
    while at + 9 <= len(body):
        length, _check, kind = struct.unpack_from("<IIB", body, at)
        records.append((kind, body[at + 9 : at + 9 + length]))
        at += 9 + length
    for _ in range(dice.choice((1, 1, 2, 4))):
        place = dice.randrange(len(records))
        kind, payload = records[place]
        match dice.randrange(7):
            case 0:
                records[place] = (dice.choice((0, 1, 2, 3, 4, 255)), payload)
            case 1:
                records.insert(place, dice.one(records))
            case 2 if dice.hits(0.01):
                records[place:place] = [(kind, payload)] * dice.randrange(1000)
            case 3 if payload[:1] == b"{":
                records[place] = (kind, _still_json(dice, payload))
            case _:
                records[place] = (kind, spoilt_bytes(dice, payload) if payload else b"\0")
    parts = (struct.pack("<IIB", len(p), zlib.crc32(p, zlib.crc32(bytes([k]))), k) + p for k, p in records)
    return magic + b"\n" + b"".join(parts)


def spoilt_settings(dice: Dice, data: bytes) -> bytes:
    """TOML with other values, keys and tables, or other text."""
    if dice.hits(0.3):
        return spoilt_text(dice, data)
    values = ("0", "-1", "1e400", "nan", "inf", "true", '""', '"x"', "[]", "[1, 2]", "{}", "{a = 1}", "9" * 30,
              "1979-05-27", "07:32:00", '"""a\nb"""', "[[1], [2.5]]", '"#12345g"', '"\\u0000"', "[" * 300 + "]" * 300,
              "0.5", "16", '"auto"', '"side-by-side"', "[640, 480]", "{a.b.c = 1}", "'../../etc'")  # fmt: skip
    lines = data.decode().split("\n")
    for _ in range(dice.choice((1, 2, 3))):
        row = dice.randrange(len(lines))
        key = lines[row].partition("=")[0]
        lines[row] = f"{key}= {dice.choice(values)}" if "=" in lines[row] else dice.choice(("[x]", "[show]", "x = 1"))
    return "\n".join(lines).encode()


Spoil = Callable[[Dice, bytes], bytes]
