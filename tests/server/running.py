"""A server of its own in a process of its own, with settings that the command line does not have.

python -m tests.server.running '{"silent_s": 3}'"""

from __future__ import annotations

import asyncio
import json
import sys

from animator.server.config import ServeConfig
from animator.server.serving import serve
from animator.tracking.model import find_or_fetch_model


def main() -> None:
    config = ServeConfig(host="127.0.0.1", port=0, **json.loads(sys.argv[1]))
    asyncio.run(serve(config, str(find_or_fetch_model()), lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main()
