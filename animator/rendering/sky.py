"""A small sky, made of a few numbers: a warm floor, a bright horizon, a cool zenith. It lights, and metal mirrors it.

Zenith and floor are reckoned from the horizon and from what a matt surface gets from above and from below, so that
metal and cloth stand in the same room."""

from __future__ import annotations

import numpy as np

from ..data import Array

SKY_RGB, GROUND_RGB = (0.27, 0.29, 0.32), (0.13, 0.10, 0.09)
"""What a matt white surface that faces up or down gives back of it, linear: a bright room with a wooden floor."""
OPENNESS = 1.6
"""A matt surface gets less than the sky gives, as a head's own hair, nose and shoulders hide part of it; a mirror sees
the sky itself, so many times as bright."""
HORIZON_RGB = (0.92, 0.88, 0.83)
"""The brightest band, all around at the height of the eyes: windows and white walls."""
VIEWER_HIDES = 0.75
"""How much of the band is dark where the viewer stands: else eyes and visors that look at one are veiled with it."""
_ROUND = 0.01
"""Rounds the band's crest: without it a mirror shows a line there."""
_TOP = float(np.sqrt(1 + _ROUND))
_SCALE = 1 / float(_TOP - np.sqrt(_ROUND))
HAZE = 0.25
"""As far above and below the horizon, upward part of a direction, floor and zenith run into each other."""


def _shares(up: Array, back: Array) -> tuple[Array, Array]:
    """How much of a direction is the horizon's band, and how much of the rest is zenith, not floor."""
    band = (_SCALE * (_TOP - np.sqrt(up * up + _ROUND))) ** 2
    ramp = np.clip(0.5 + 0.5 * up / HAZE, 0, 1)
    above = ramp * ramp * (3 - 2 * ramp)
    return band * (band + (1 - band) * above) * (1 - VIEWER_HIDES * np.maximum(back, 0) ** 2), above


def _zenith_and_floor() -> tuple[Array, Array]:
    """What lies beyond the band, where each half of the sky must add up to what a matt surface gets of it."""
    up = (np.arange(1000) + 0.5) / 1000
    weight = 2 * up / len(up)  # a matt surface sees a direction by its cosine
    rows, wanted = [], []
    for side, matt in ((1, SKY_RGB), (-1, GROUND_RGB)):
        band, above = _shares(side * up, np.zeros(len(up)))
        rows.append([weight @ ((1 - band) * above), weight @ ((1 - band) * (1 - above))])
        wanted.append(OPENNESS * np.array(matt) - weight @ band * np.array(HORIZON_RGB))
    zenith, floor = np.linalg.solve(rows, wanted)
    return zenith, floor


ZENITH_RGB, FLOOR_RGB = _zenith_and_floor()


def sky_rgb(towards: Array) -> Array:
    """(n, 3) linear light that comes from directions (n, 3), unit: x right, y up, z to the viewer."""
    towards = np.asarray(towards, np.float64)
    band, above = (share[:, None] for share in _shares(towards[:, 1], towards[:, 2]))
    return (1 - band) * (FLOOR_RGB + (ZENITH_RGB - FLOOR_RGB) * above) + band * np.array(HORIZON_RGB)


def matt_rgb(up: Array) -> Array:
    """(n, 3) linear light that a matt white surface gives back, by the upward part of its normal, (n,) -1..1.

    It runs straight from ground to sky; the horizon would add a third at the sides, where a head is hidden most."""
    share = 0.5 + 0.5 * np.asarray(up, np.float64)[:, None]
    return np.array(GROUND_RGB) + (np.array(SKY_RGB) - np.array(GROUND_RGB)) * share


def vec3(rgb: Array | tuple[float, ...]) -> str:
    """Three numbers in OpenGL's language."""
    return "vec3({:.5f}, {:.5f}, {:.5f})".format(*rgb)


GLSL = f"""
vec3 mattSky(float up) {{ return mix({vec3(GROUND_RGB)}, {vec3(SKY_RGB)}, 0.5 + 0.5 * up); }}
vec3 mirroredSky(vec3 towards, float roughness) {{
  float up = towards.y, back = max(towards.z, 0.0);
  float band = {_SCALE:.5f} * ({_TOP:.5f} - sqrt(up * up + {_ROUND})), above = smoothstep(-{HAZE}, {HAZE}, up);
  band *= band;
  band *= mix(band, 1.0, above) * (1.0 - {VIEWER_HIDES} * back * back);
  vec3 sharp = mix(mix({vec3(FLOOR_RGB)}, {vec3(ZENITH_RGB)}, above), {vec3(HORIZON_RGB)}, band);
  float blur = roughness * roughness;
  return mix(sharp, {OPENNESS} * mattSky(up), blur * (2.0 - blur));
}}
"""
"""The same in OpenGL's language; a rough surface mirrors what lies between the sharp sky and a matt surface's."""
