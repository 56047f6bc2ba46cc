"""The page about speed: its tables and plots, from bench/results.json."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results.json"
PAGE = ROOT / "docs" / "explanation" / "performance.md"

Found = dict[str, Any]
OURS, PEER, GRID, TEXT = "#3f51b5", "#ff7043", "#d9d9d9", "#333333"
FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" '
    'fill="{text}" role="img" aria-label="{title}">\n<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>\n'
    '<text x="16" y="24" font-size="14" font-weight="bold">{title}</text>\n{body}</svg>\n'
)


def results() -> Found:
    """The last whole run of `make bench`."""
    found: Found = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def page() -> str:
    """The page with the parts between its marks made anew."""
    found = results()
    text = PAGE.read_text(encoding="utf-8")
    for mark, made in (("budgets", budgets(found)), ("all", everything(found)), ("machine", machine(found))):
        begin, end = f"<!-- {mark}: from bench/results.json -->\n", f"<!-- end of {mark} -->"
        text = re.sub(f"(?<={re.escape(begin)}).*?(?={end})", lambda _, made=made: f"\n{made}\n", text, flags=re.DOTALL)
    return text


def machine(found: Found) -> str:
    """What was measured, when, on what."""
    on, what = found["machine"], found["programs"]
    versions = ", ".join(f"{name} {version}" for name, version in what.items())
    return (
        f"Measured on {found['made']} with {versions}, Python {on['python']}, on {on['cores']} cores ({on['processor']}) with "
        f"{on['memory_gb']:.0f} GB and {on['system']}, in one run of {found['minutes']:.0f} minutes; medians of {found['runs']} runs."
    )


def budgets(found: Found) -> str:
    """The rows that have to hold something."""
    rows = [row for row in found["rows"] if row["met"] is not None]
    head = "| what | understudy | peer | ratio | has to be | |\n|---|--:|--:|--:|--:|---|\n"
    return head + "".join(
        f"| {name(row)} | {amount(row['ours'], row['unit'])} | {row['peer']} {amount(row['theirs'], row['unit'])} "
        f"| {ratio(row)} | {wanted(row)} | {'holds' if row['met'] else '**does not hold**'} |\n"
        for row in rows
    )


def everything(found: Found) -> str:
    """The other rows."""
    rows = [row for row in found["rows"] if row["met"] is None]
    head = "| what | understudy | peer | ratio |\n|---|--:|--:|--:|\n"
    peers = (f"{row['peer']} {amount(row['theirs'], row['unit'])}" if row["peer"] else "" for row in rows)
    return head + "".join(
        f"| {name(row)} | {amount(row['ours'], row['unit'])} | {peer} | {ratio(row)} |\n"
        for row, peer in zip(rows, peers, strict=True)
    )


def name(row: Found) -> str:
    """The row's name with the size of its project."""
    what = re.sub(r"(ls|compile|--\w+)\b((?: -s \S+)?)((?: --\w+(?: prod)?)*)", lambda m: f"`{m[0]}`", row["what"])
    return what if row["models"] is None else f"{what}, {row['models']:,} models"


def amount(value: float, unit: str) -> str:
    """A figure with its unit, three digits of it."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def ratio(row: Found) -> str:
    """How many times the peer's figure is ours; for a peer that cannot be beaten, ours to its."""
    if row["ratio"] is None:
        return ""
    return f"{1 / row['ratio']:.2f} of it" if row["at_most"] is not None else f"{row['ratio']:.1f} times less"


def wanted(row: Found) -> str:
    """The budget in the same words."""
    return f"at most {row['at_most']}" if row["at_most"] is not None else f"{row['budget']:g} times"


def ratios_plot() -> str:
    """Bars: how many times less than dbt, with a mark where the budget stands."""
    rows = [row for row in results()["rows"] if row["budget"] is not None and row["ratio"]]
    left, right, top, step = 330, 760, 64, 26
    height = top + step * len(rows) + 24
    most = max(max(row["ratio"], row["budget"]) for row in rows)
    body = list(grid(_ticks(1, most), left, right, top - 14, height - 20, most))
    for number, row in enumerate(rows):
        y = top + step * number
        end, mark = (scale(row[key], 1, most, left, right) for key in ("ratio", "budget"))
        body += [
            f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(name(row).replace("`", ""))}</text>',
            f'<rect x="{left}" y="{y}" width="{end - left:.1f}" height="16" fill="{OURS if row["met"] else PEER}"/>',
            f'<text x="{end + 5:.1f}" y="{y + 12}">{row["ratio"]:.0f}</text>',
            f'<line x1="{mark:.1f}" x2="{mark:.1f}" y1="{y - 3}" y2="{y + 19}" stroke="#000000" stroke-width="2"/>',
        ]
    return frame("How many times less than dbt 1.11 (black: what it has to be)", 820, height, body)


def sizes_plot() -> str:
    """Curves: seconds over the number of models, ours and dbt's, for each command that was measured at several sizes."""
    rows = [row for row in results()["rows"] if row["models"] and row["unit"] == "s" and row["peer"] == "dbt"]
    kinds = list(dict.fromkeys(row["what"] for row in rows))
    sizes = sorted({row["models"] for row in rows})
    least, most = min(row["ours"] for row in rows) / 1.5, max(row["theirs"] for row in rows) * 1.5
    width, gap, top, bottom = 200, 24, 84, 300
    body: list[str] = [
        f'<circle cx="22" cy="42" r="4" fill="{OURS}"/><text x="32" y="46">understudy</text>',
        f'<circle cx="122" cy="42" r="4" fill="{PEER}"/><text x="132" y="46">dbt 1.11</text>',
    ]
    for number, kind in enumerate(kinds):
        left = 56 + number * (width + gap)
        body.append(f'<text x="{left}" y="{top - 12}">{escape(kind.split(": ")[-1][:33])}</text>')
        body += lines_across(_ticks(least, most), left, left + width, top, bottom, (least, most), labels=number == 0)
        mine = [row for row in rows if row["what"] == kind]
        for key, colour in (("ours", OURS), ("theirs", PEER)):
            points = [
                (
                    scale(row["models"], sizes[0] / 1.3, sizes[-1] * 1.3, left, left + width),
                    scale(row[key], least, most, bottom, top),
                )
                for row in mine
            ]
            body += curve(points, colour)
        for size in sizes:
            x = scale(size, sizes[0] / 1.3, sizes[-1] * 1.3, left, left + width)
            body.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" font-size="10">{size:,}</text>')
    return frame("Seconds over the number of models", 56 + len(kinds) * (width + gap), bottom + 32, body)


def curve(points: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
    """A line with its points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)


def scale(value: float, least: float, most: float, low: float, high: float) -> float:
    """A place on a logarithmic axis."""
    return low + (math.log(max(value, least)) - math.log(least)) / (math.log(most) - math.log(least)) * (high - low)


def _ticks(least: float, most: float) -> list[float]:
    powers = range(math.ceil(math.log10(least) - 1e-9), math.floor(math.log10(most) + 1e-9) + 1)
    return [10.0**power for power in powers]


def grid(ticks: Sequence[float], left: float, right: float, top: float, bottom: float, most: float) -> Iterator[str]:
    """Vertical lines with their numbers above."""
    for tick in ticks:
        x = scale(tick, 1, most, left, right)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="{GRID}"/>'
        yield f'<text x="{x:.1f}" y="{top - 4}" text-anchor="middle" font-size="10">{tick:g}</text>'


def lines_across(
    ticks: Sequence[float],
    left: float,
    right: float,
    top: float,
    bottom: float,
    ends: tuple[float, float],
    *,
    labels: bool,
) -> Iterator[str]:
    """Horizontal lines; with labels, their numbers at the left."""
    for tick in ticks:
        y = scale(tick, *ends, bottom, top)
        yield f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        if labels:
            yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="10">{tick:g}</text>'


def frame(title: str, width: int, height: int, body: Sequence[str]) -> str:
    """A whole picture."""
    return FRAME.format(width=width, height=height, text=TEXT, title=escape(title), body="\n".join(body) + "\n")
