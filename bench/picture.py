"""Small line charts as SVG, for the docs: what a soak looked like."""

from __future__ import annotations

from typing import Any

WIDTH, HEIGHT, LEFT, TOP = 640, 150, 60, 26
COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#57606a")
Lines = dict[str, list[tuple[float, float]]]


def draw(report: dict[str, Any]) -> str:
    """The SVG of a soak's report: latencies per minute, memory of each process, connections."""
    minutes, samples = report["minutes"], report["samples"]
    kinds = [name for name in ("heartbeat", "first screen", "answer save") if any(name in row for row in minutes)]
    p99: Lines = {
        f"{name} p99": [(number + 1, row[name]["p99"]) for number, row in enumerate(minutes) if name in row]
        for name in kinds
    }
    names = [name for name in samples[0] if name not in ("at", "connections")]
    memory: Lines = {name: [(each["at"] / 60, each[name]["pss_mb"]) for each in samples] for name in names}
    kept: Lines = {
        "database": [(each["at"] / 60, each["connections"]["database"]) for each in samples],
        "Redis": [(each["at"] / 60, each["connections"]["redis"]) for each in samples],
        "files of web": [(each["at"] / 60, each["web"]["files"]) for each in samples],
    }
    charts = [("p99 of each minute (ms)", p99), ("memory (MB)", memory), ("connections and open files", kept)]
    height = len(charts) * (HEIGHT + TOP + 34)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + LEFT + 20}" height="{height}" '
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
    ]
    for number, (title, lines) in enumerate(charts):
        parts += _chart(title, lines, number * (HEIGHT + TOP + 34) + TOP)
    return "\n".join([*parts, "</svg>\n"])


def _chart(title: str, lines: Lines, top: int) -> list[str]:
    points = [point for line in lines.values() for point in line]
    right = max((x for x, _ in points), default=1) or 1
    most = max((y for _, y in points), default=1) * 1.1 or 1

    def place(x: float, y: float) -> str:
        return f"{LEFT + x / right * WIDTH:.1f},{top + HEIGHT - y / most * HEIGHT:.1f}"

    parts = [f'<text x="{LEFT}" y="{top - 9}" font-weight="bold">{title}</text>']
    for share in (0, 0.5, 1):
        y = top + HEIGHT - share * HEIGHT
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{LEFT + WIDTH}" y2="{y}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{most * share:.3g}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        where = " ".join(place(x, y) for x, y in line)
        parts.append(f'<polyline points="{where}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{LEFT + 100 * number}" y="{top + HEIGHT + 16}" fill="{colour}">{name}</text>')
    parts.append(f'<text x="{LEFT + WIDTH}" y="{top + HEIGHT + 16}" text-anchor="end">{right:.0f} min</text>')
    return parts
