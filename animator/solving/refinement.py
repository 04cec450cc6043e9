"""What the linear response cannot say: a small network corrects its weights and reads the gaze.

The tracker's landmarks lean on each other, lids bend round eyeballs and a turned head hides half of a
mouth; none of that is linear. The network sees the linear answer, the whitened landmarks, the pose and the
person, and says what to add. It is run on the face and on its mirror image, and the two are averaged, so
that left and right are treated exactly alike.
"""

from __future__ import annotations

import numpy as np

from ..channels import ARKIT, MIRRORED
from ..data import LANDMARKS, Array
from ..maths.rotations import yaw_pitch_roll_from_matrix
from .face_model import FaceModel

GAZE_UNIT_RAD = np.radians(25.0)
"""The network's unit of gaze, so that its outputs are all about as large."""
INPUT_LIMIT = 8.0
"""Inputs beyond this many standard deviations mean no more than this."""

STILL_BELOW, FULL_FROM = 0.015, 0.075
"""The network's doubts about channels at rest lie below the one; from the other on a weight counts in full.
On held-out takes this takes a fifth off the error at rest and costs 0.004 of correlation."""


def settled(weights: Array) -> Array:
    """Weights with the murmur near 0 taken out: 0 below STILL_BELOW, unchanged from FULL_FROM on."""
    return weights * np.clip((weights - STILL_BELOW) / (FULL_FROM - STILL_BELOW), 0.0, 1.0)


class Refiner:
    """The network of one model, ready for frame after frame."""

    def __init__(self, model: FaceModel) -> None:
        response = model.response_cm.astype(np.float64).reshape(len(ARKIT), -1)
        information = np.einsum("cf,cf->c", model.measure_map, response)
        self._per_sigma = 1 / np.sqrt(np.maximum(information, 1e-6))
        self._shape_map = model.refine_map.astype(np.float64)
        self._person_map = model.identity_map.astype(np.float64)
        self._mean_cm = model.neutral_cm.astype(np.float64)
        self._person = (self._mean_cm, np.zeros(len(self._person_map)))
        self.mirror_order, self.mirror_sign = self._mirror(model)
        self._inputs = model.refine_input.astype(np.float64)
        self._hidden_bias = model.refine_hidden_bias.astype(np.float64)
        self._hidden = model.refine_hidden.astype(np.float64)
        self._direct = model.refine_direct.astype(np.float64)
        self._bias = model.refine_bias.astype(np.float64)
        self._scale = model.refine_scale.astype(np.float64)

    def _mirror(self, model: FaceModel) -> tuple[Array, Array]:
        """How the inputs change in a mirror: their order, and their sign.

        Directions of shape and of identity are each symmetric or antisymmetric by construction."""

        def parity(directions: Array) -> Array:
            shapes = directions.reshape(-1, LANDMARKS, 3)
            return np.sign((shapes * shapes[:, model.mirror] * np.float32([-1, 1, 1])).sum((1, 2)))

        shapes, people = parity(model.refine_map), parity(model.identity_cm)
        n, s = len(ARKIT), len(shapes)
        order = np.r_[MIRRORED, n : n + s + 3 + len(people), n + s + 3 + len(people) + np.array(MIRRORED)]
        sign = np.r_[np.ones(n), shapes, (-1, 1, -1), people, np.ones(n)]
        return order, sign

    def features(self, change: Array, measured: Array, weights: Array, rotation: Array, neutral_cm: Array) -> Array:
        """What the network sees, before scaling.

        change     : (1434,) head-frame landmarks minus the person's neutral, cm
        measured   : (52,) the model's `measure_map` @ change
        weights    : (52,) the linear answer
        rotation   : (3, 3) camera_from_head
        neutral_cm : (478, 3) the person's neutral
        returns    : (inputs,) float64"""
        if neutral_cm is not self._person[0]:
            self._person = (neutral_cm, self._person_map @ (neutral_cm - self._mean_cm).ravel())
        angles = yaw_pitch_roll_from_matrix(rotation)
        return np.concatenate([measured * self._per_sigma, self._shape_map @ change, angles, self._person[1], weights])

    def refine(self, features: Array) -> tuple[Array, Array]:
        """Better weights (52,) in 0..1, and gaze (2,): yaw (+ to the subject's left), pitch (+ up), rad."""
        both = np.stack([features, features[self.mirror_order] * self.mirror_sign])
        both = np.clip(both / self._scale, -INPUT_LIMIT, INPUT_LIMIT)
        out = np.tanh(both @ self._inputs + self._hidden_bias) @ self._hidden + both @ self._direct + self._bias
        weights = 0.5 * (out[0, : len(ARKIT)] + out[1, list(MIRRORED)])
        gaze_rad = 0.5 * (out[0, len(ARKIT) :] + out[1, len(ARKIT) :] * (-1, 1)) * GAZE_UNIT_RAD
        return settled(np.clip(weights, 0, 1)), gaze_rad
