"""`make bench-table`: docs/performance.md anew from build/*.json; no figure stands in the docs that a command did not
print."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from bench.results import FOLDER
from config.settings import ROOT

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "bench" / "soak.svg"
PARTS = {
    "ratios": "CPU of the web server per request, compared in the same run",
    "notifications": "Payment notifications",
    "applying": "One payment notification, from the letter to the paid order",
    "redis": "Redis",
    "flush": "The flusher",
}
HEAD = """# Performance

Written by `make bench-table` from what `make bench`, `make bench-server` and `make soak` measured last; edit the
commands, not this page. Two noisy cores, load and databases on the same machine: trust the ratios, not the
microseconds. CPU is of the whole tree of the server's processes; a database's own is apart, SQLite's is not. The
empty view is what a request of a signed-in person costs at least: session (one read of SQL), rates, headers. The
compared upsert is an authenticated view that reads its JSON and commits one row.
"""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _goal(row: dict[str, Any]) -> str:
    if row["goal"] is None:
        return ""
    sign = "≤" if row["goal_is"] == "at most" else "≥"
    return f"{sign} {row['goal']:,g} {'met' if row['met'] else '**not met**'}"


def rows(part: dict[str, Any]) -> list[str]:
    """A Markdown table of results."""
    lines = ["| | measured | compared with | ratio (rounds) | goal |", "|---|---|---|---|---|"]
    for row in part["rows"]:
        spread = "" if row["low"] is None else f" ({_number(row['low'])}–{_number(row['high'])})"
        ratio = f"{row['compared']:.3g}{spread}" if row["to"] else ""
        lines.append(
            f"| {row['name']} | {_number(row['value'])} {row['unit']} | {row['to']} | {ratio} | {_goal(row)} |"
        )
    return lines


def _soak(report: dict[str, Any]) -> list[str]:
    last = report["minutes"][-1]
    lines = [
        "",
        "## Soak",
        "",
        f"{report['length']} minutes at {report['at']} on {report['database']} and Redis, "
        f"{report['phones']:,} phones; {report['wrong_count']} answers were not as they should be.",
        "",
        "![latency, memory and connections by minute](bench/soak.svg)",
        "",
        "| last minute | requests | p50 | p99 |",
        "|---|---|---|---|",
        *(f"| {what} | {row['count']:,} | {row['p50']:g} ms | {row['p99']:g} ms |" for what, row in last.items()),
        "",
        "| process | measure | at the end | growth, last third against the one before | |",
        "|---|---|---|---|---|",
    ]
    for row in report["verdict"]:
        word = "flat" if row["flat"] else "**grows**"
        lines.append(f"| {row['process']} | {row['measure']} | {row['last']:g} | {row['growth']:+g} | {word} |")
    return lines


def _read(name: str) -> dict[str, Any]:
    path = FOLDER / name
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _console(report: dict[str, Any]) -> list[str]:
    counts = {table.replace("pay_order", "order"): f"{count:,}" for table, count in report["counts"].items()}
    where = ", ".join(f"{count} {table}s" for table, count in counts.items())
    found = {row["name"]: row for row in report["rows"]}
    names = [name.removesuffix(", p50") for name in found if name.endswith(", p50")]
    lines = [
        "",
        "## The console on a large database",
        "",
        f"{report['at']}, {report['database']} with {where} (`make big-data`, `make bench-console`).",
        "",
        "| page | p50 | p95 | goal |",
        "|---|---|---|---|",
    ]
    for name in names:
        p50, p95 = found[f"{name}, p50"], found[f"{name}, p95"]
        lines.append(f"| {name} | {_number(p50['value'])} ms | {_number(p95['value'])} ms | {_goal(p95)} |")
    by_hand = [row for row in report["rows"] if not row["name"].endswith((", p50", ", p95"))]
    return [*lines, "", *rows({"rows": by_hand})] if by_hand else lines


def page(bench: dict[str, Any], servers: dict[str, Any], soak: dict[str, Any], console: dict[str, Any]) -> str:
    """The page of these reports; a part that was not measured is left out."""
    lines = [HEAD]
    for part, title in PARTS.items():
        if part in bench:
            lines += [
                f"## {title}",
                "",
                f"{bench[part]['at']}, {bench[part]['database']}",
                "",
                *rows(bench[part]),
                "",
            ]
    if "servers" in servers:
        found = servers["servers"]
        where = f"{found['at']}, {found['database']}, one worker of {found['threads']} threads each (ADR 31)"
        lines += ["## Granian beside gunicorn", "", where, "", *rows(found)]
    if "console" in console:
        lines += _console(console["console"])
    if soak:
        lines += _soak(soak)
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write the page, and the soak's picture beside it."""
    soak = _read("soak.json")
    PAGE.write_text(page(_read("bench.json"), _read("server.json"), soak, _read("console.json")), encoding="utf-8")
    picture = FOLDER / "soak.svg"
    if soak and picture.exists():
        PICTURE.parent.mkdir(exist_ok=True)
        shutil.copy(picture, PICTURE)
    print(f"written: {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")


if __name__ == "__main__":
    main()
