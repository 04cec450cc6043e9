"""Makes the pictures of the four views and of the window in docs/images/, from the bundled performance.

    python -m tools.render_views [--out docs/images]

The window needs a display (Debian: xvfb-run -s "-screen 0 1280x900x24" python -m tools.render_views); without one its
picture is left as it is.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from animator.config import Config, ShowConfig
from animator.data import Array
from animator.display import has_display
from animator.filming import Camera, film_size_px
from animator.pipeline import Moment, open_performance
from animator.rendering.framing import VIEWS
from animator.rendering.overlay import resized
from animator.rigging.library import load_rig
from animator.solving.solver import SolverConfig
from animator.sources import performance
from animator.timing import Stopwatch
from tools.render_rig_sheets import save

SHOWN_S = (3.95,)
"""A broad smile, the head turned a little."""
BANNER_S = (2.4, 3.95, 7.5, 8.05)
"""A wink, a smile, talking, a look to the side."""


def moments_at(times_s: tuple[float, ...]) -> list[Moment]:
    """The first moments of the bundled performance at or after each time."""
    found: list[Moment] = []
    config = Config(solving=SolverConfig(calibrate=0.6))
    with open_performance(performance(), config) as acted:
        for moment in acted:
            if len(found) < len(times_s) and moment.time_s >= times_s[len(found)]:
                found.append(moment)
    return found


def picture(moment: Moment, view: str) -> Array:
    """(H, W, 3) uint8 of one moment in one view."""
    config = Config(show=ShowConfig(view=view))
    with open_performance(performance(), config) as acted:
        size_px = film_size_px(acted, config)
    camera = Camera(load_rig(config.show.rig), config, size_px, Stopwatch())
    taken = camera.take(moment)
    camera.close()
    return taken


def shrunk(picture: Array) -> Array:
    """Half as large."""
    height, width = picture.shape[:2]
    return resized(picture, (width // 2, height // 2))


def window_picture(moment: Moment) -> Array:
    """(H, W, 3) uint8 of the window with its sliders and status."""
    from animator.on_screen import Screen

    config = Config(show=replace(ShowConfig(), view="side-by-side", size_px=(1100, 620)))
    with open_performance(performance(loop=True), config, live=True) as acted:
        screen = Screen(acted, config)
        taken: list[Array] = []

        def take(shown: Moment) -> None:
            if shown.time_s >= moment.time_s:
                taken.append(screen.picture())
                screen.quit()

        screen.run(after_drawing=take)
    return taken[0]


def main() -> None:
    """Make every picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "docs" / "images")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    smiling, *_ = moments_at(SHOWN_S)
    for view in VIEWS:
        save(folder / f"view-{view}.png", picture(smiling, view), step=2)
    banner = [picture(moment, "side-by-side") for moment in moments_at(BANNER_S)]
    save(folder / "banner.png", shrunk(np.vstack([np.hstack(banner[:2]), np.hstack(banner[2:])])), step=2)
    if has_display():
        save(folder / "window.png", window_picture(smiling), step=2)


if __name__ == "__main__":
    main()
