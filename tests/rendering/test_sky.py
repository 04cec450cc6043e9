"""The sky that lights and is mirrored: where it is bright, which colour it has, and what a matt surface gets of it."""

from __future__ import annotations

import numpy as np
import pytest

from animator.data import Array
from animator.rendering.lights import VertexLight
from animator.rendering.sky import GROUND_RGB, HORIZON_RGB, OPENNESS, SKY_RGB, matt_rgb, sky_rgb
from animator.rig import Material

from .test_materials import sheets


def directions(count: int = 4000) -> Array:
    """(n, 3) spread evenly, away from the viewer, who dims the horizon."""
    dice = np.random.default_rng(0)
    made = dice.normal(size=(count, 3))
    made[:, 2] = -np.abs(made[:, 2])
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize(("side", "matt"), [(1, SKY_RGB), (-1, GROUND_RGB)])
def test_the_sky_adds_up_to_what_a_matt_surface_gets(side: int, matt: tuple[float, float, float]) -> None:
    rays = directions(200_000)
    cosines = np.maximum(side * rays[:, 1], 0)
    light = (sky_rgb(rays) * cosines[:, None]).sum(0) / cosines.sum()
    np.testing.assert_allclose(light, OPENNESS * np.array(matt), rtol=0.01)


def test_the_zenith_is_cool_the_floor_warm_and_the_horizon_brightest() -> None:
    zenith, floor, horizon = sky_rgb(np.array([[0, 1, 0], [0, -1, 0], [1, 0, 0]]))
    assert zenith[2] > 1.1 * zenith[0]
    assert floor[0] > 1.1 * floor[2]
    assert (zenith > floor).all()
    assert (sky_rgb(directions()) <= np.array(HORIZON_RGB) + 1e-9).all()
    np.testing.assert_allclose(horizon, HORIZON_RGB, rtol=1e-6)


def test_the_viewer_stands_before_the_horizon_and_nowhere_else() -> None:
    behind, before, above = sky_rgb(np.array([[0, 0, -1], [0, 0, 1], [0, 1, 0]]))
    assert (before < 0.75 * behind).all()
    np.testing.assert_allclose(sky_rgb(np.array([[0.0, 1.0, 1e-9]]))[0], above, atol=1e-6)


def test_the_sky_has_no_step() -> None:
    turn = np.linspace(0, np.pi, 2000)
    for across in ((1, 0), (0, 1), (0, -1)):
        line = np.stack([np.sin(turn) * across[0], np.cos(turn), np.sin(turn) * across[1]], 1)
        assert np.abs(np.diff(sky_rgb(line), axis=0)).max() < 0.01


def test_a_matt_surface_gets_more_from_above_than_from_below() -> None:
    ups = matt_rgb(np.linspace(-1, 1, 9))
    assert (np.diff(ups, axis=0) > 0).all()
    np.testing.assert_allclose(ups[[0, -1]], [GROUND_RGB, SKY_RGB], atol=1e-12)


def test_a_white_sphere_is_brighter_above_than_below() -> None:
    light = VertexLight(sheets(Material("m")))
    away = np.float32([[0, 0.6, 0.8], [0, -0.6, 0.8], [0.3, 0.9, 0.3], [0.3, -0.9, 0.3]])
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    up, down, high, low = light.shine_on(away, np.eye(3))[:, :3].astype(int)
    assert (up > down).all()
    assert (high > low + 20).all()
