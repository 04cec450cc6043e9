"""What tests of every protocol share: a way there and back, and what may be lost on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from animator.data import Motion
from animator.protocols import ifacialmocap, live_link, motion_json, vmc
from animator.protocols.reading import Reader, Writer


@dataclass(frozen=True)
class Exchange:
    """A protocol both ways, and the largest errors of its own numbers."""

    name: str
    make_writer: Callable[[], Writer]
    make_reader: Callable[[], Reader]
    weight: float
    turn_deg: float
    gaze_rad: float
    place_cm: float | None
    """None where the protocol does not carry it."""

    def over(self, motions: list[Motion]) -> Iterator[Motion]:
        """Each motion as it comes out at the other end."""
        writer, reader = self.make_writer(), self.make_reader()
        for index, motion in enumerate(motions):
            messages = writer.write([motion], motion.time_s)
            (heard,) = [h for message in messages for h in reader.read(message, 1000 + index / 30)]
            yield heard.motion

    def assert_near(self, got: Motion, sent: Motion) -> None:
        """Within the protocol's own steps."""
        assert np.abs(got.expression.weights.astype(float) - sent.expression.weights).max() <= self.weight
        angle = 2 * np.arcsin(min(1.0, 0.5 * _chord(got.pose.rotation_wxyz, sent.pose.rotation_wxyz)))
        assert np.degrees(2 * angle) <= self.turn_deg
        assert np.abs(got.gaze.angles_rad - sent.gaze.angles_rad).max() <= self.gaze_rad
        want_cm = [0, 0, -50] if self.place_cm is None else sent.pose.translation_cm
        assert np.abs(got.pose.translation_cm - want_cm).max() <= (self.place_cm or 0.0)
        assert got.confidence == sent.confidence


def _chord(left: np.ndarray, right: np.ndarray) -> float:
    return float(min(np.linalg.norm(left - right), np.linalg.norm(left + right)))


FLOAT32_DEG = 3e-5
"""A quaternion or three angles of 32 bits: 2^-24 of some radians."""
EXCHANGES = [
    Exchange(
        "livelink", lambda: live_link.LiveLinkWriter("animator", 3600.0), live_link.LiveLinkReader,
        0.0, FLOAT32_DEG, 5e-7, None,
    ),
    *(
        Exchange(
            f"ifacialmocap-{version}", lambda version=version: ifacialmocap.IFacialMocapWriter(version),
            ifacialmocap.IFacialMocapReader, 0.005 + 1e-7, 2e-6, 2e-8, 1e-4,
        )
        for version in ifacialmocap.VERSIONS
    ),
    Exchange("vmc", vmc.VmcWriter, vmc.VmcReader, 0.0, FLOAT32_DEG, 5e-7, None),
    Exchange(
        "vmc-one-bundle", lambda: vmc.VmcWriter("both", bundle_bytes=vmc.LONGEST), vmc.VmcReader,
        0.0, FLOAT32_DEG, 5e-7, None,
    ),
    Exchange("json", motion_json.JsonWriter, motion_json.JsonReader, 5.1e-6, 3e-5, 6e-7, 6e-5),
]  # fmt: skip
READERS = {exchange.name: exchange.make_reader for exchange in EXCHANGES if exchange.name != "vmc-one-bundle"}
