#!/bin/sh
# A virtual environment with the oldest version of everything that the program itself depends on, as pyproject.toml
# declares it, and the newest of what only the tests need:  sh tools/install_minimum.sh .venv-minimum
# Says so and fails if a declared bound cannot be had: it would be a promise that nobody has tried.
set -eu
cd "$(dirname "$0")/.."
UV=${UV:-uv}
VENV=$1
OLDEST=$VENV/oldest.txt

[ -x "$VENV/bin/python" ] || "$UV" venv --quiet --python "${PYTHON:-python3}" "$VENV"
"$UV" pip compile --quiet --python "$VENV/bin/python" --resolution lowest-direct --no-annotate --no-header \
    --extra plot --extra cluster --extra draco --extra virtual-camera pyproject.toml --output-file "$OLDEST"
"$VENV/bin/python" - "$OLDEST" <<'PYTHON'
import pathlib, re, sys, tomllib

project = tomllib.loads(pathlib.Path("pyproject.toml").read_text("utf-8"))["project"]
extras = project["optional-dependencies"]
wanted = [*project["dependencies"], *(line for name in ("plot", "cluster", "draco", "virtual-camera") for line in extras[name])]
got = dict(line.split("==") for line in pathlib.Path(sys.argv[1]).read_text("utf-8").split() if "==" in line)
parts = lambda version: [int(n) for n in re.findall(r"\d+", version)]
for line in wanted:
    name, lowest = re.match(r"([\w.-]+)(?:\[.*\])?>=([\d.]+)", line).groups()
    found = got[name.lower()]
    said, there = parts(lowest), parts(found)
    if there[: len(said)] != said:
        sys.exit(f"pyproject.toml says {name}>={lowest}, but the oldest that can be had is {found}")
PYTHON
"$UV" pip install --quiet --python "$VENV/bin/python" --constraint "$OLDEST" --editable '.[test,virtual-camera]'
