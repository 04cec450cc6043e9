#!/bin/sh
# Writes uv.lock (what is known to work together, with the hash of each file) and tools/constraints.txt (the same
# versions, as plain pip reads them: install.sh does). Whatever index this machine uses, PyPI's addresses are written.
#   sh tools/lock.sh             as few changes as pyproject.toml asks for
#   sh tools/lock.sh --upgrade   the newest of everything
set -eu
cd "$(dirname "$0")/.."
UV=${UV:-uv}
PYPI=https://pypi.org/simple

unset UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_FIND_LINKS
UV_DEFAULT_INDEX=$PYPI
export UV_DEFAULT_INDEX

"$UV" lock --no-config --quiet "$@"
foreign=$(grep -oE '(https?|file)://[^/"]*' uv.lock | grep -vxE 'https://(pypi\.org|files\.pythonhosted\.org)' | sort -u || true)
if [ -n "$foreign" ]; then
    echo "tools/lock.sh: uv.lock names places that others cannot reach: $foreign" >&2
    exit 1
fi
{
    echo "# Made from uv.lock by tools/lock.sh: versions that are known to work together, for pip install -c."
    "$UV" export --no-config --quiet --frozen --all-extras --no-emit-project --no-hashes --no-annotate --no-header
} >tools/constraints.txt
