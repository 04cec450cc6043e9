"""Rotations as vectors, many at a time."""

from __future__ import annotations

import numpy as np

from animator.data import Array
from animator.maths.rotations import matrix_from_wxyz, wxyz_from_matrix


def nearest_rotation(matrix: Array) -> Array:
    """The rotation nearest to each matrix; (..., 3, 3)."""
    u, _, vt = np.linalg.svd(matrix)
    return u @ vt


def vector_from_matrix(matrix: Array) -> Array:
    """Rotation vectors (..., 3), axis times angle, of rotations (..., 3, 3)."""
    wxyz = wxyz_from_matrix(matrix)
    length = np.linalg.norm(wxyz[..., 1:], axis=-1, keepdims=True)
    per_length = 2 * np.arctan2(length, wxyz[..., :1]) / np.maximum(length, 1e-12)
    return wxyz[..., 1:] * np.where(length > 1e-12, per_length, 2.0)


def matrix_from_vectors(vectors: Array) -> Array:
    """The inverse of `vector_from_matrix`; (n, 3) -> (n, 3, 3)."""
    angle = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return matrix_from_wxyz(np.concatenate([np.cos(angle / 2), 0.5 * np.sinc(angle / (2 * np.pi)) * vectors], -1))
