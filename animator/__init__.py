"""Animates 3D faces from pictures of real ones."""

__version__ = "0.1.0"
