"""Makes docs/images/play.png, the player on the bundled performance, and plot.png, a part of its curves.

    python -m tools.render_takes [--out docs/images]

The player needs a display (Debian: xvfb-run -s "-screen 0 1280x900x24" python -m tools.render_takes); without one its
picture is left as it is. The curves need matplotlib.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from animator.config import Config
from animator.data import Array
from animator.display import has_display
from animator.plotting import plot_take
from animator.resources import asset_path
from animator.takes import sliced
from animator.takes.npz import load_takes
from tools.render_rig_sheets import save

SHOWN_S, IN_S, OUT_S = 7.4, 2.1, 8.5
"""A mouth wide open, between an in and an out point."""
CURVES_S = (2.0, 4.4)
"""Two winks and a smile."""


def player_picture() -> Array:
    """(H, W, 3) uint8 of the player, paused."""
    from animator.playing import Player

    player = Player(load_takes(asset_path("performance.npz")), "performance.npz", Config())
    player.playback.playing = False
    player.playback.seek(SHOWN_S)
    player.playback.set_in(IN_S)
    player.playback.set_out(OUT_S)
    taken: list[Array] = []

    def take() -> None:
        taken.append(player.picture())
        player.quit()

    player.run(take)
    return taken[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    folder = parser.parse_args().out
    (take,) = load_takes(asset_path("performance.npz"))
    plot_take(folder / "plot.png", sliced(take, *CURVES_S), titles=["performance.npz"])
    print(f"wrote {folder / 'plot.png'}")
    if has_display():
        save(folder / "play.png", player_picture())


if __name__ == "__main__":
    main()
