"""Weighted rigid and similarity alignment of two point sets (Kabsch 1976, Umeyama 1991)."""

from __future__ import annotations

import numpy as np

from ..data import Array


def fit_similarity(source: Array, target: Array, weights: Array) -> tuple[float, Array, Array]:
    """The similarity that brings `source` nearest to `target` in the weighted square sense.

    source  : (N, 3) points
    target  : (N, 3) points
    weights : (N,) >= 0, not all 0
    returns : scale, rotation (3, 3), translation (3,) with target ~ scale * rotation @ source + translation"""
    share = weights / weights.sum()
    source_centre, target_centre = share @ source, share @ target
    centred_source, centred_target = source - source_centre, target - target_centre
    covariance = (centred_target * share[:, None]).T @ centred_source
    u, singular, vt = np.linalg.svd(covariance)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])  # a reflection is no rotation
    rotation = (u * sign) @ vt
    scale = float((singular * sign).sum() / (share @ (centred_source**2).sum(1)))
    return scale, rotation, target_centre - scale * rotation @ source_centre


def fit_rigid(source: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    """Like `fit_similarity` with the scale held at 1: returns rotation (3, 3) and translation (3,)."""
    share = weights / weights.sum()
    _, rotation, _ = fit_similarity(source, target, weights)
    return rotation, share @ target - rotation @ (share @ source)
