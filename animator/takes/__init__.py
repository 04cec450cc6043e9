"""Recorded performances and the files that hold them."""

from .take import Take, take_from_motions

__all__ = ["Take", "take_from_motions"]
