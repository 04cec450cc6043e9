"""`report.html`: one page, with all that it shows inside it, on what became of every film."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..takes.files import written_beside
from .films import DAMAGED, DONE, FAILED, FilmResult

MOST_CARDS = 500
"""Of so many films curves and pictures are shown, those with a problem first: 40 kB each, 20 MB in all."""
WIDTH, HEIGHT, GAP, LABEL = 720, 40, 14, 84
CURVES = (
    ("jawOpen", "jaw open", "--c1"),
    ("mouthSmileLeft", "smile", "--c2"),
    ("eyeBlinkLeft", "blink", "--c3"),
    ("browInnerUp", "brow up", "--c4"),
)
TURN_DEG = 45.0
"""The head's turn is drawn from so far to the one side to so far to the other."""

STYLE = """
:root { color-scheme: light dark; --bg: #f6f6f4; --card: #fff; --ink: #1d2025; --dim: #6a7078; --line: #dcdcd8;
  --ok: #2b7a4b; --warn: #a8630a; --bad: #b3261e; --c1: #c2410c; --c2: #15803d; --c3: #1d4ed8; --c4: #7e22ce; }
@media (prefers-color-scheme: dark) { :root { --bg: #15171a; --card: #1e2125; --ink: #e8e8e6; --dim: #98a0a8;
  --line: #33373d; --ok: #5fc58a; --warn: #e3a33d; --bad: #ff8a80; --c1: #fb923c; --c2: #4ade80; --c3: #7aa5ff;
  --c4: #c084fc; } }
* { box-sizing: border-box; } body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; } h1 { font-size: 24px; margin: 0 0 14px; }
.sums { display: flex; flex-wrap: wrap; gap: 12px; margin-bottom: 22px; }
.sum { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 16px; }
.sum b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; } .sum span { color: var(--dim); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; } th, td { padding: 7px 12px; text-align: left; }
th { color: var(--dim); font-weight: 500; } tr + tr td { border-top: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
a { color: inherit; } .done { color: var(--ok); } .damaged { color: var(--warn); } .failed { color: var(--bad); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; margin-top: 18px; }
h2 { font-size: 17px; margin: 0; overflow-wrap: anywhere; } .card p { margin: 2px 0 10px; color: var(--dim); }
.card p.failed { color: var(--bad); } .card p.damaged { color: var(--warn); }
.strip { display: flex; gap: 3px; margin: 0 0 10px 10.45%; } /* as wide as the curves below */
.strip img { flex: 1 1 0; min-width: 0; max-width: 160px; height: 90px; object-fit: cover; border-radius: 4px; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 11px; fill: var(--dim); }
.base { stroke: var(--line); } .lost { fill: var(--bad); opacity: .13; } .curve { fill: none; stroke-width: 1.4; }
@media (max-width: 640px) { /* on a phone what went wrong stands in the cards */
  main { padding: 18px 12px 40px; } .more { display: none; } th, td { padding: 7px 8px; }
  .strip img:nth-child(even) { display: none; } svg text { font-size: 17px; } .curve { stroke-width: 2.4; } }
"""


def write_report(path: Path, results: Sequence[FilmResult]) -> None:
    """Write the page; the whole or nothing of it. raises : SinkError"""
    order = {FAILED: 0, DAMAGED: 1, DONE: 2}
    shown = sorted(results, key=lambda result: (order[result.status], result.problem is None))[:MOST_CARDS]
    numbers = {id(result): number for number, result in enumerate(results)}
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Batch of films</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style></head><body><main><h1>Batch of films</h1>",
        _sums(results),
        _table(results, {numbers[id(result)] for result in shown}),
        *(_card(numbers[id(result)], result, path.parent) for result in shown),
    ]
    if len(shown) < len(results):
        parts.append(f"<p>Curves and pictures of {len(shown)} of the {len(results)} films.</p>")
    with written_beside(path) as scratch:
        scratch.write_text("\n".join([*parts, "</main></body></html>"]), "utf-8")


def _sums(results: Sequence[FilmResult]) -> str:
    frames = sum(result.frames for result in results)
    with_face = sum(result.frames_with_face for result in results)
    failed = sum(result.status == FAILED for result in results)
    damaged = sum(result.status == DAMAGED for result in results)
    sums = [
        ("films", f"{len(results)}", ""),
        ("failed", f"{failed}", "failed" if failed else ""),
        *([("damaged", f"{damaged}", "damaged")] if damaged else []),
        ("frames", f"{frames:,}", ""),
        ("with a face", f"{with_face / frames:.1%}" if frames else "none", ""),
        ("of work", _duration(sum(result.seconds for result in results)), ""),
    ]
    boxes = (f'<div class="sum"><b class="{kind}">{value}</b><span>{name}</span></div>' for name, value, kind in sums)
    return f'<div class="sums">{"".join(boxes)}</div>'


def _table(results: Sequence[FilmResult], linked: set[int]) -> str:
    rows = []
    for number, result in enumerate(results):
        name = escape(result.name)
        name = f'<a href="#f{number}">{name}</a>' if number in linked else name
        rows.append(
            f'<tr><td>{name}</td><td class="{result.status}">{result.status}</td><td class="n">{result.frames}</td>'
            f'<td class="n">{_share(result)}</td><td class="n more">{result.performers}</td>'
            f'<td class="n more">{result.frames_per_second:.0f}</td>'
            f'<td class="more">{escape(result.problem or "")}</td></tr>'
        )
    head = (
        '<tr><th>film</th><th></th><th class="n">frames</th><th class="n">with a face</th>'
        '<th class="n more">people</th><th class="n more">fps</th><th class="more">problem</th></tr>'
    )
    return f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'


def _card(number: int, result: FilmResult, out: Path) -> str:
    links = ", ".join(f'<a href="{escape(_link(file, out))}">{escape(file.name)}</a>' for file in result.files)
    about = f"{result.frames} frames at {result.fps:.4g} a second" if result.frames else escape(str(result.film))
    parts = [
        f'<section class="card" id="f{number}"><h2>{escape(result.name)} '
        f'<span class="{result.status}">{result.status}</span></h2>',
        f"<p>{about}{' · ' + links if links else ''}</p>",
    ]
    if result.problem:
        parts.append(f'<p class="{result.status if result.status != DONE else DAMAGED}">{escape(result.problem)}</p>')
    if result.pictures:
        images = (f'<img alt="" src="data:image/jpeg;base64,{picture}">' for picture in result.pictures)
        parts.append(f'<div class="strip">{"".join(images)}</div>')
    if result.frames_with_face:
        parts.append(_curves(result))
    return "".join([*parts, "</section>"])


def _curves(result: FilmResult) -> str:
    """Channels one over the other, and the head's turn; where no face was found there is a red ground."""
    confidence = result.curves["confidence"]
    rows = len(CURVES) + 1
    height = rows * (HEIGHT + GAP) + 6
    step = WIDTH / max(1, len(confidence) - 1)
    label = LABEL
    drawn = [f'<svg viewBox="0 0 {WIDTH + label} {height}" role="img" aria-label="Curves of the first performer">']
    for index, value in enumerate(confidence):
        if value <= 0:
            x = max(0.0, label + (index - 0.5) * step)
            drawn.append(f'<rect class="lost" x="{x:.1f}" y="0" width="{step:.1f}" height="{height - GAP - 6}"/>')
    tracks = [(title, result.curves[name], colour) for name, title, colour in CURVES]
    turn = [0.5 + max(-1.0, min(1.0, value / TURN_DEG)) / 2 for value in result.curves["yaw_deg"]]
    for row, (title, values, colour) in enumerate([*tracks, ("head turns", turn, "--ink")]):
        top = row * (HEIGHT + GAP)
        base = top + (HEIGHT / 2 if title == "head turns" else HEIGHT)
        points = " ".join(
            f"{label + index * step:.1f},{top + HEIGHT * (1 - value):.1f}" for index, value in enumerate(values)
        )
        drawn.append(
            f'<text x="0" y="{top + HEIGHT / 2 + 4}">{title}</text>'
            f'<line class="base" x1="{label}" x2="{label + WIDTH}" y1="{base}" y2="{base}"/>'
            f'<polyline class="curve" style="stroke: var({colour})" points="{points}"/>'
        )
    seconds = result.frames / result.fps if result.fps else 0.0
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        x = label + share * WIDTH
        drawn.append(f'<text x="{x:.0f}" y="{height - 2}" text-anchor="{anchor}">{share * seconds:.1f} s</text>')
    return "".join([*drawn, "</svg>"])


def _share(result: FilmResult) -> str:
    return f"{result.frames_with_face / result.frames:.0%}" if result.frames else ""


def _link(file: Path, out: Path) -> str:
    from urllib.parse import quote

    return quote(file.relative_to(out).as_posix())


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
