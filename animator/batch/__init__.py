"""Folders of films become takes, and puppet videos if asked: on this machine's cores or on a Dask cluster.

for result in batch.run(["films/"], "takes"):
    print(result.name, result.status, result.frames)
"""

from .films import FilmResult
from .running import BatchConfig, Status, run

__all__ = ["BatchConfig", "FilmResult", "Status", "run"]
