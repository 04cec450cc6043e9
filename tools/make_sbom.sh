#!/bin/sh
# The bill of materials of a plain `pip install .`, read off an environment that holds just that, with the locked
# versions:  sh tools/make_sbom.sh CYCLONEDX-PY FILE
set -eu
cd "$(dirname "$0")/.."
UV=${UV:-uv}
PROGRAM=$1
FILE=$2
PLACE=$(mktemp -d)
trap 'rm -rf "$PLACE"' EXIT

"$UV" venv --quiet --python "${PYTHON:-python3}" "$PLACE"
"$UV" pip install --quiet --python "$PLACE/bin/python" --constraint tools/constraints.txt .
mkdir -p "$(dirname "$FILE")"
"$PROGRAM" environment "$PLACE/bin/python" --pyproject pyproject.toml --output-reproducible --output-format JSON \
    --output-file "$FILE.part"
mv "$FILE.part" "$FILE"
echo "wrote $FILE"
