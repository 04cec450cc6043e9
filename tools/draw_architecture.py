"""Draws docs/images/architecture.svg, the house in one picture, from the table of floors in docs/architecture.md.

python -m tools.draw_architecture
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, PICTURE = DOCS / "architecture.md", DOCS / "images" / "architecture.svg"

WIDTH, MARGIN, LABEL = 1180, 20, 96
FLOOR, CORRIDOR = 52, 176
CORRIDOR_ROOMS = ("sources", "tracking", "solving", "rigging", "rendering", "sinks")
FLOWS = ("Frame", "Face", "Motion", "Mesh", "Frame")
BEGINS = ("camera", "film, pictures", "another tracker", "browser")
ENDS = ("window", "film, pictures", "other programs", "browser")

INK, PALE, PAPER = "#12343b", "#5c7a80", "#ffffff"
FLOORS = ("#f3f6f6", "#eaf1f1")
TEAL, WAIST = "#0f766e", "#c2410c"
STYLE = "text { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }"


def floors() -> list[tuple[str, list[str]]]:
    """(name, rooms) of each floor, from the bottom up, as the page tells them."""
    table = PAGE.read_text("utf-8").split("## The floors")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (`.*?`) \|", table, re.MULTILINE)
    return [(name, re.findall(r"`(\w+)`", rooms)) for name, rooms in rows]


def picture() -> str:
    """The whole drawing, as SVG."""
    above, parts = MARGIN, []
    for number, (name, rooms) in reversed(list(enumerate(floors()))):
        is_corridor = set(CORRIDOR_ROOMS) <= set(rooms)
        height = CORRIDOR if is_corridor else FLOOR
        parts.append(box(MARGIN, above, WIDTH - 2 * MARGIN, height, FLOORS[number % 2], radius=0))
        parts.append(text(MARGIN + 12, above + height / 2 + 5, name, size=15, colour=PALE, anchor="start"))
        if is_corridor:
            parts += corridor(above, [room for room in rooms if room not in CORRIDOR_ROOMS])
        else:
            parts += chips(rooms, above + FLOOR / 2)
        above += height
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {above + MARGIN}" role="img">'
    title = "<title>The house: a corridor of six rooms, between the floors it stands on and those that use it</title>"
    return "\n".join(
        [head, title, f"<style>{STYLE}</style>", box(0, 0, WIDTH, above + MARGIN, PAPER), *parts, "</svg>\n"]
    )


def corridor(above: float, others: list[str]) -> list[str]:
    """The rooms in their order, what crosses each door, and what is outside."""
    left, right, gap = MARGIN + LABEL + 126, WIDTH - MARGIN - 136, 50
    step = (right - left + gap) / len(CORRIDOR_ROOMS)
    wide, high, middle = step - gap, 48, above + 74
    parts = []
    for i, room in enumerate(CORRIDOR_ROOMS):
        x = left + i * step
        parts.append(box(x, middle - high / 2, wide, high, TEAL, radius=7))
        parts.append(text(x + wide / 2, middle + 5, room, size=15, colour=PAPER, weight=600))
        if i < len(FLOWS):
            is_waist = FLOWS[i] == "Motion"
            colour = WAIST if is_waist else INK
            parts.append(arrow(x + wide + 3, middle, x + step - 3, colour))
            parts.append(
                text(x + (wide + step) / 2, middle - 34, FLOWS[i], colour=colour, weight=700 if is_waist else 500)
            )
    for i, (begin, leave) in enumerate(zip(BEGINS, ENDS, strict=True)):
        y = middle - 27 + 18 * i
        parts += [text(left - 30, y + 4, begin, size=12, colour=PALE, anchor="end")]
        parts += [text(right + 30, y + 4, leave, size=12, colour=PALE, anchor="start")]
    parts += [arrow(left - 25, middle, left - 3, PALE), arrow(right + 3, middle, right + 25, PALE)]
    waist = left + 3 * step - gap / 2
    parts.append(
        f'<path d="M{waist:.1f} {middle + 10}V{above + 132}" stroke="{WAIST}" stroke-width="2" stroke-dasharray="4 4"/>'
    )
    said = "Motion is the narrow waist: takes, protocols and peers put it in here, or take it out"
    parts.append(text(waist, above + 152, said, size=13, colour=WAIST))
    for i, room in enumerate(others):
        parts += chip(room, right - wide + 110 * i, above + 147, wide)
    return parts


def chips(rooms: list[str], middle: float) -> list[str]:
    """Rooms of a floor beside each other."""
    widths = [8.2 * len(room) + 20 for room in rooms]
    left, room_for_all = MARGIN + LABEL, WIDTH - 2 * MARGIN - LABEL - 10
    gap = min(12.0, (room_for_all - sum(widths)) / max(len(rooms) - 1, 1))
    squeeze = min(1.0, (room_for_all - 4 * (len(rooms) - 1)) / sum(widths))
    parts: list[str] = []
    for room, width in zip(rooms, widths, strict=True):
        parts += chip(room, left, middle, width * squeeze)
        left += width * squeeze + max(gap, 4)
    return parts


def chip(name: str, left: float, middle: float, width: float) -> list[str]:
    size = min(13.0, (width - 8) / (0.6 * len(name)))
    return [
        box(left, middle - 15, width, 30, PAPER, radius=6, edge=PALE),
        text(left + width / 2, middle + 4.5, name, size=size),
    ]


def box(x: float, y: float, width: float, height: float, fill: str, *, radius: float = 0, edge: str = "none") -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}" '
        f'fill="{fill}" stroke="{edge}"/>'
    )


def text(
    x: float, y: float, said: str, *, size: float = 13, colour: str = INK, anchor: str = "middle", weight: int = 400
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(said)}</text>'
    )


def arrow(left: float, y: float, right: float, colour: str) -> str:
    return (
        f'<path d="M{left:.1f} {y:.1f}H{right - 8:.1f}" stroke="{colour}" stroke-width="2.5"/>'
        f'<path d="M{right:.1f} {y:.1f}l-10 -5.5v11z" fill="{colour}"/>'
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
    print(f"wrote {PICTURE.relative_to(DOCS.parent)}")
