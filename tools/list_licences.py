"""Writes docs/licences.md: what the program stands on, by uv.lock, and under which terms each part comes.

python -m tools.list_licences [--check]

The terms are read off the packages that are installed here; those that other systems alone need, and those whose
own metadata say too little, are in `READ_BY_HAND`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK, PAGE = ROOT / "uv.lock", ROOT / "docs" / "licences.md"
OPTIONAL = ("plot", "cluster", "draco", "virtual-camera")
"""The extras that users install; the others are for work on the program itself."""

FREE = frozenset(
    ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC"]
    + ["MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Unlicense", "Zlib"]
)
"""Terms that ask for no more than a notice: fit for a program under MIT, changed or not, sold or not."""
FILE_BY_FILE = frozenset(["MPL-2.0"])
"""Terms that hold for the package's own files only: they are used as they come, unchanged."""

READ_BY_HAND = {
    "colorama": "BSD-3-Clause",
    "pyobjc": "MIT",
    **dict.fromkeys((f"pyobjc-framework-{part}" for part in ("avfoundation", "cocoa", "coreaudio")), "MIT"),
    **dict.fromkeys((f"pyobjc-framework-{part}" for part in ("coremedia", "quartz")), "MIT"),
    "pyvirtualcam": "GPL-2.0-only",
    "python-osc": "Unlicense",
    "matplotlib": "PSF-2.0",
}
SPELLINGS = {
    "apache 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
}

HEAD = """# Licences

Made by `make licences`, from `uv.lock` and what each package says of itself. The program is under the MIT licence; its
own pictures, models and avatars, and Google's face model, are in [assets](../assets/README.md). The face model is
fetched, not shipped.

All that a plain install brings asks for a notice at most, but for packages under the MPL-2.0, which holds for
their own files only: they are used unchanged. `make sbom` writes the same as a CycloneDX bill of materials,
`dist/sbom.json`, for programs that watch over such lists; it is made for each release, not kept in the repository.

## What a wheel carries besides Python

The wheels of some packages hold compiled libraries of others. It matters to you if you pass them on, in a container
image or an installer, say:

- **PyAV** (`av`) carries FFmpeg, which names the LGPL version 3 or later as its licence, beside **x264 and x265**,
  whose own licence is GPL-2.0-or-later or a commercial one. The program writes H.264 by x264. A bundle that holds these
  wheels therefore comes under the GPL's terms as a whole; the program's own source stays MIT. `pip install` on the
  user's machine passes nothing on.
- **OpenCV** (`opencv-contrib-python`) carries FFmpeg and, on Linux, Qt 5, both under the LGPL.
- **pyvirtualcam** is under the GPL-2.0. It is the optional extra `virtual-camera`, is imported for `--virtual-camera`
  alone, and no plain install brings it.
- H.264 and H.265 are covered by patents in some countries, whatever the licence of the code.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")
    wanted = page()
    if parser.parse_args().check:
        return 0 if PAGE.read_text("utf-8") == wanted else 1
    PAGE.write_text(wanted, "utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


def page() -> str:
    """The page's text, of the lock as it is now."""
    plain = closure()
    lines = [HEAD, "## A plain install\n", *table(plain)]
    for extra in OPTIONAL:
        more = {name: version for name, version in closure(extra).items() if name not in plain}
        nothing = ["Nothing more: a plain install brings it already."]
        lines += [f"\n## With `{extra}`\n", *(table(more) if more else nothing)]
    return "\n".join(lines) + "\n"


def table(versions: dict[str, str]) -> list[str]:
    rows = [f"| {name} | {versions[name]} | {licence(name)} |" for name in sorted(versions)]
    return ["| package | locked version | licence |", "|---|---|---|", *rows]


def closure(extra: str | None = None) -> dict[str, str]:
    """Version by name: all that the lock brings with the program, or with one of its extras, on any system."""
    packages: dict[str, list[dict]] = {}
    for package in tomllib.loads(LOCK.read_text("utf-8"))["package"]:
        packages.setdefault(package["name"], []).append(package)
    ours = packages["animator"][0]
    waiting = list(ours["dependencies"] if extra is None else ours["optional-dependencies"][extra])
    versions: dict[str, str] = {}
    while waiting:
        wanted = waiting.pop()
        known = packages[wanted["name"]]
        if wanted["name"] not in versions:
            versions[wanted["name"]] = " or ".join(sorted(package["version"] for package in known))
            waiting += [needed for package in known for needed in package.get("dependencies", [])]
        for package in known:
            for name in wanted.get("extra", []):
                waiting += package.get("optional-dependencies", {}).get(name, [])
    return versions


def licence(name: str) -> str:
    """An SPDX expression. Raises LookupError where neither the package nor `READ_BY_HAND` tells."""
    family = "pyobjc" if name.startswith("pyobjc-") else name
    if family in READ_BY_HAND:
        return READ_BY_HAND[family]
    try:
        package = distribution(name)
    except PackageNotFoundError:
        raise LookupError(f"{name} is not installed here: add it to READ_BY_HAND") from None
    said = package.metadata["License-Expression"] or _tidied(package.metadata["License"] or "")
    said = said or next(filter(None, map(_tidied, _classifiers(package))), "") or _by_its_text(package)
    if not said:
        raise LookupError(f"{name} does not tell its licence: read it and add it to READ_BY_HAND")
    return said


def _classifiers(package: Distribution) -> list[str]:
    kinds = package.metadata.get_all("Classifier") or []
    return [kind.split(" :: ")[-1].removesuffix(" (ISCL)") for kind in kinds if kind.startswith("License")]


def _tidied(said: str) -> str:
    """An SPDX name of a licence's usual spellings; "" for a whole text, and for "BSD", of which there are several."""
    said = SPELLINGS.get(said.strip().lower(), said.strip())
    names = re.split(r" (?:AND|OR) ", said)
    return said if all(name in FREE | FILE_BY_FILE for name in names) else ""


def _by_its_text(package: Distribution) -> str:
    """Which BSD or MIT licence it is, by what its text says."""
    files = [file for file in package.files or [] if re.search(r"licen[cs]e|copying", file.name, re.IGNORECASE)]
    texts = [file.read_text("utf-8") for file in files]
    text = " ".join([package.metadata["License"] or "", *filter(None, texts)])
    if "Redistribution and use in source and binary forms" in text:
        return "BSD-3-Clause" if re.search(r"[Nn]either\s+(the\s+)?names?", text) else "BSD-2-Clause"
    return "MIT" if "Permission is hereby granted, free of charge" in text else ""


if __name__ == "__main__":
    sys.exit(main())
