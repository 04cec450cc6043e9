"""Where faces and motion come from."""

from .opening import open_source, performance

__all__ = ["open_source", "performance"]
