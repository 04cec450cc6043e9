"""Counts what lives in a Python process that is soaked, from inside, and changes nothing else in it.

Its folder is put on PYTHONPATH, so that every process of the program has it, spawned workers too. Each writes its
counts to the folder that SOAK_INSIDE names, under its own number."""

import os
import sys
import threading

EVERY_S = 5.0


def _tasks() -> int:
    """Unfinished tasks of all event loops, whichever thread they are on. The library's set has two names: 3.12's."""
    tasks = sys.modules.get("asyncio.tasks")
    known = getattr(tasks, "_scheduled_tasks", None) or getattr(tasks, "_all_tasks", ())
    while True:
        try:
            return sum(not task.done() for task in list(known))
        except RuntimeError:  # one came or went meanwhile
            continue


def _count(folder: str) -> None:
    import json
    import time

    path = os.path.join(folder, f"{os.getpid()}.json")
    while True:
        time.sleep(EVERY_S)
        # Not gc.get_objects: to hold everything, if only for a moment, makes a TFLite interpreter refuse to work.
        counts = {"blocks": sys.getallocatedblocks(), "tasks": _tasks()}
        with open(f"{path}.new", "w") as file:
            json.dump(counts, file)
        os.replace(f"{path}.new", path)


if os.environ.get("SOAK_INSIDE"):
    threading.Thread(target=_count, args=(os.environ["SOAK_INSIDE"],), name="soak", daemon=True).start()
