"""All soaks at once, for as long as wanted: `python -m tests.soak --minutes 5`."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

from .curves import arguments

SOAKS = ("run", "serve", "network")


def main() -> int:
    given = arguments(__doc__)
    options = ("--minutes", str(given.minutes), "--folder", str(given.folder))
    soaks = [subprocess.Popen([sys.executable, "-m", f"tests.soak.soak_{name}", *options], cwd=ROOT) for name in SOAKS]
    try:
        return max([soak.wait() for soak in soaks])
    finally:
        for soak in soaks:
            if soak.poll() is None:
                soak.terminate()
                soak.wait()


if __name__ == "__main__":
    raise SystemExit(main())
