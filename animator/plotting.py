"""A take as a picture: the curves of the channels that move, the head's angles, the gaze. The home of matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .channels import INDEX
from .data import Array
from .errors import SinkError
from .maths.rotations import matrix_from_wxyz, yaw_pitch_roll_from_matrix
from .takes.files import check_writable, written_beside
from .takes.take import Take

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")
GROUPS = {
    "eyes": ("eyeBlink", "eyeSquint", "eyeWide"),
    "eyes looking": ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut"),
    "brows": ("browInnerUp", "browDown", "browOuterUp"),
    "jaw and tongue": ("jawOpen", "jawForward", "jawLeft", "jawRight", "tongueOut"),
    "lips": ("mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper"),
    "mouth to the sides": ("mouthLeft", "mouthRight", "mouthStretch", "mouthDimple", "mouthPress"),
    "mouth corners": ("mouthSmile", "mouthFrown"),
    "mouth up and down": ("mouthUpperUp", "mouthLowerDown", "mouthShrugUpper", "mouthShrugLower"),
    "cheeks and nose": ("cheekPuff", "cheekSquint", "noseSneer"),
}
"""Panel -> channels, or their names without Left and Right."""
MOVES = 0.05
"""A channel that never gets this far from 0 is named below its panel, and not drawn."""
INKS = ("#3268a8", "#c8553d", "#3c8d5a", "#8a5fb0", "#b8860b", "#4a4a4a")
LEFT, RIGHT = "-", (0, (4, 1.6))
PALE = "#b9bec6"
MOST_POINTS = 4000
"""Along the picture's width: more are not seen, and an hour at 60 Hz would make 40 MB of SVG."""


def plot_take(path: Path, take: Take, other: Take | None = None, *, titles: Sequence[str] = ("",)) -> None:
    """Draw a take, and in grey behind it another to compare it with.

    titles : names of the takes
    raises : SinkError if matplotlib is missing or the file cannot be written"""
    check_writable(path)
    plt = _matplotlib()
    takes = [_thinned(each) for each in (take, other) if each is not None]
    panels = {name: _channels(stems) for name, stems in GROUPS.items()}
    drawn = {name: found for name, found in panels.items() if any(_moves(t, c) for t in takes for c in found)}
    with plt.rc_context({"font.size": 9, "font.family": "sans-serif", "axes.edgecolor": PALE, "svg.fonttype": "none"}):
        rows = len(drawn) + 2
        figure, axes = plt.subplots(rows, 1, figsize=(13, 1.0 + 1.45 * rows), sharex=True, layout="constrained")
        figure.get_layout_engine().set(hspace=0.04, h_pad=0.06)
        figure.suptitle(_heading(take, titles), x=0.01, ha="left", fontsize=12, fontweight="bold")
        for axis, (name, channels) in zip(axes, drawn.items(), strict=False):
            _panel(axis, takes, name, channels)
        _angles(axes[-2], takes, "head", _head_deg, ("yaw, + left", "pitch, + up", "roll, + right"))
        _angles(axes[-1], takes, "gaze", _gaze_deg, ("yaw, + left", "pitch, + up"))
        axes[-1].set_xlabel("seconds")
        axes[0].set_xlim(0, max(float(each.times_s[-1] - each.times_s[0]) for each in takes))
        still = [name for name, found in panels.items() if name not in drawn for _ in found[:1]]
        if still:
            figure.supxlabel(f"at rest throughout: {', '.join(still)}", x=0.01, ha="left", fontsize=8, color="#70757d")
        with written_beside(path) as scratch:
            figure.savefig(scratch, dpi=110, format=path.suffix.lower()[1:])
        plt.close(figure)


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise SinkError("drawing curves needs matplotlib: pip install 'animator[plot]'") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _thinned(take: Take) -> Take:
    from .takes.editing import at_times

    if len(take) <= MOST_POINTS:
        return take
    return at_times(take, take.times_s[np.linspace(0, len(take) - 1, MOST_POINTS).astype(int)])


def _channels(stems: Sequence[str]) -> list[str]:
    return [name for stem in stems for name in (stem, stem + "Left", stem + "Right") if name in INDEX]


def _moves(take: Take, channel: str) -> bool:
    return bool(take.weights[:, INDEX[channel]].max() >= MOVES)


def _since(take: Take) -> Array:
    return take.times_s - take.times_s[0]


def _panel(axis: Axes, takes: Sequence[Take], name: str, channels: Sequence[str]) -> None:
    """One group of channels: a colour for each stem, left drawn through, right dashed."""
    _dress(axis, takes[0], name)
    axis.set_ylim(-0.03, 1.03)
    axis.set_yticks([0, 0.5, 1])
    stems = list(dict.fromkeys(_stem(channel) for channel in channels))
    for channel in channels:
        if not any(_moves(take, channel) for take in takes):
            continue
        look = {"linestyle": RIGHT if channel.endswith("Right") else LEFT}
        for take in takes[1:]:
            axis.plot(_since(take), take.weights[:, INDEX[channel]], color=PALE, linewidth=2.2, zorder=1, **look)
        look |= {"color": INKS[stems.index(_stem(channel)) % len(INKS)], "label": channel}
        axis.plot(_since(takes[0]), takes[0].weights[:, INDEX[channel]], linewidth=1.2, **look)
    _legend(axis)


def _angles(axis: Axes, takes: Sequence[Take], name: str, measured: Any, labels: Sequence[str]) -> None:
    _dress(axis, takes[0], f"{name}, degrees")
    axis.axhline(0, color=PALE, linewidth=0.6, zorder=0)
    for number, label in enumerate(labels):
        for take in takes[1:]:
            axis.plot(_since(take), measured(take)[:, number], color=PALE, linewidth=2.2, zorder=1)
        axis.plot(_since(takes[0]), measured(takes[0])[:, number], color=INKS[number], label=label, linewidth=1.2)
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, -5), max(high, 5))
    _legend(axis)


def _head_deg(take: Take) -> Array:
    return np.degrees(yaw_pitch_roll_from_matrix(matrix_from_wxyz(take.rotations_wxyz)))


def _gaze_deg(take: Take) -> Array:
    return np.degrees(take.gaze_rad.mean(1))


def _stem(channel: str) -> str:
    """A pair's name; sidewards jaw and mouth are no pair: each has its own colour."""
    if channel in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        return channel
    return channel.removesuffix("Left").removesuffix("Right")


def _dress(axis: Axes, take: Take, title: str) -> None:
    axis.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=3)
    axis.grid(axis="x", color="#e4e7eb", linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    lost = take.confidence == 0
    if lost.any():  # where no face was seen
        axis.fill_between(_since(take), 0, 1, where=lost, transform=axis.get_xaxis_transform(), color="#eceef1", lw=0)


def _legend(axis: Axes) -> None:
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="upper left", bbox_to_anchor=(1.005, 1.08), fontsize=8, frameon=False, handlelength=2.4,
                    labelspacing=0.25, borderaxespad=0)  # fmt: skip


def _heading(take: Take, titles: Sequence[str]) -> str:
    seen = int((take.confidence > 0).sum())
    against = f"  (grey: {titles[1]})" if len(titles) > 1 else ""
    return (
        f"{titles[0]}{against}: {take.duration_s:.1f} s, {take.fps:g} a second, a face in {seen} of {len(take)} frames"
    )
