#!/bin/sh
# Everything that `make demo` and `make test` need, on a fresh machine: system libraries, a virtual
# environment, the package with its test extras, the face model. What is there already is left alone.
# With the argument `test` also a browser, a virtual screen, and what the network tests put at the other end (coturn,
# nginx, a WebRTC stack for Node.js), on Debian as root; without them the tests that need one are skipped by name.
set -eu
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
VENV=.venv
STAMP=$VENV/.animator-installed

fail() {
    echo "make install: $*" >&2
    exit 2
}

command -v "$PYTHON" >/dev/null || fail "there is no $PYTHON: install Python 3.11 or newer (or set PYTHON=...)"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "wanted Python 3.11 or newer, got $("$PYTHON" --version): set PYTHON=python3.12, say"

# Libraries that the wheels of mediapipe, opencv and vtk load but do not carry, and Debian's packages for them.
missing_packages() {
    "$PYTHON" - <<'EOF'
import ctypes, importlib.util, sys
if sys.platform.startswith("linux"):
    wanted = {
        "libEGL.so.1": "libegl1",
        "libGLESv2.so.2": "libgles2",
        "libGL.so.1": "libgl1",
        "libEGL_mesa.so.0": "libegl-mesa0",
        "libgthread-2.0.so.0": "libglib2.0-0",
    }
    for library, package in wanted.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            print(package)
    if importlib.util.find_spec("ensurepip") is None:
        print("python%d.%d-venv" % sys.version_info[:2])
EOF
}

packages=$(missing_packages | tr '\n' ' ')
if [ -n "$packages" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing system libraries: $packages"
        apt-get update -qq >/dev/null
        # shellcheck disable=SC2086 # one word per package
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages libgl1-mesa-dri >/dev/null
    elif command -v apt-get >/dev/null; then
        fail "system libraries are missing; type: sudo apt-get install -y $packages libgl1-mesa-dri"
    else
        fail "system libraries are missing, which Debian calls $packages: install your system's packages of them"
    fi
fi

if [ "${1:-}" = test ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    tools=
    command -v chromium >/dev/null || tools="$tools chromium"
    command -v Xvfb >/dev/null || tools="$tools xvfb"
    command -v ip >/dev/null || tools="$tools iproute2"
    services=
    command -v turnserver >/dev/null || services="$services coturn"
    command -v nginx >/dev/null || services="$services nginx"
    { command -v node && command -v npm; } >/dev/null || tools="$tools nodejs npm"
    tools="$tools$services"
    if [ -n "$tools" ]; then
        echo "installing what the tests of the page, the window and the network need:$tools"
        apt-get update -qq >/dev/null
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $tools >/dev/null ||
            echo "could not install$tools: the tests that need them are skipped" >&2
        if [ -n "$services" ] && command -v systemctl >/dev/null; then # tests start their own: none is to run here
            # shellcheck disable=SC2086
            systemctl disable --now --quiet $services 2>/dev/null || true
        fi
    fi
fi

OTHER_STACK=tests/network/werift
if [ "${1:-}" = test ] && command -v npm >/dev/null && [ ! -d $OTHER_STACK/node_modules ]; then
    echo "installing a WebRTC stack of another make into $OTHER_STACK"
    npm ci --prefix $OTHER_STACK --ignore-scripts --no-audit --no-fund --silent ||
        echo "could not install werift: the tests that need it are skipped" >&2
fi

if [ "${1:-}" = test ] && command -v npm >/dev/null && [ ! -d web/node_modules/gltf-validator ]; then
    echo "building the page's own drawing, and installing readers of another make into web/"
    (cd web && npm install --no-save --ignore-scripts --no-audit --no-fund --silent && npx vite build --logLevel error) ||
        echo "could not build it: the tests that need it are skipped" >&2
fi

if [ ! -x "$VENV/bin/python" ]; then
    echo "making the virtual environment $VENV"
    "$PYTHON" -m venv "$VENV"
fi

if [ ! -e "$STAMP" ] || [ pyproject.toml -nt "$STAMP" ] || [ tools/constraints.txt -nt "$STAMP" ]; then
    echo "installing the package and its test extras into $VENV (a few minutes the first time)"
    # The versions that are known to work together; where the index has not all of them, what pyproject.toml allows.
    # Said here in words, for pip's own are a page long.
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint tools/constraints.txt --editable '.[test]' 2>"$VENV/pip.log" || {
        echo "not all locked versions can be had here: installing other ones that pyproject.toml allows" >&2
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]'
    }
    touch "$STAMP"
fi

"$VENV/bin/python" -c 'from animator.tracking.model import find_or_fetch_model; find_or_fetch_model(tell=print)'
