"""The command line of the product: `python -m ops.manage --help`. Each command calls one service."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app import wiring
from app.core import db
from app.core.clock import utcnow
from app.core.sheet import SheetRefused, write_report
from app.enrol import service as enrol
from app.policy import load as programmes
from config.settings import load
from ops import rosters


def show_progress(done: int, total: int) -> None:
    """One line on the screen that counts up; when standard error is a file, only its last state."""
    last = done >= total
    if sys.stderr.isatty() or last:
        print(f"\r  {done}/{total}", end="\n" if last else "", file=sys.stderr, flush=True)


def import_roster(options: argparse.Namespace) -> int:
    """Import a roster; with errors nothing is imported, and a report is written beside the file."""
    try:
        result = enrol.import_roster(
            options.file, options.programme, actor="system", now=utcnow(), progress=show_progress
        )
    except SheetRefused as refused:
        print(refused.sentence, file=sys.stderr)
        return 1
    for error in result.errors[:20]:
        print(f"第 {error.row} 行 {error.column}：{error.message}", file=sys.stderr)
    if result.errors:
        report = options.report or options.file.with_name(f"{options.file.stem}-错误.xlsx")
        write_report(report, result.table, result.errors)
        print(f"没有导入：{len(result.errors)} 处错误，全部列在 {report}", file=sys.stderr)
        return 1
    print(f"共 {result.rows} 行：新增 {result.added}，更新 {result.changed}，未变 {result.unchanged}")
    return 0


def make_roster(options: argparse.Namespace) -> int:
    """Write a roster of made-up people."""
    programme = programmes.in_force(options.programme, utcnow())
    today = programmes.shanghai_day(utcnow())
    rosters.write(options.file, list(rosters.people(programme, options.rows, today=today, seed=options.seed)))
    print(f"{options.file}: {options.rows} rows")
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    top = argparse.ArgumentParser(prog="python -m ops.manage", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("import-roster", help="import the regulator's roster (xlsx)")
    command.add_argument("file", type=Path)
    command.add_argument("--programme", required=True)
    command.add_argument("--report", type=Path, help="where to list errors (default: beside the file)")
    command.set_defaults(run=import_roster)

    command = commands.add_parser("make-roster", help="write a roster of made-up people (xlsx)")
    command.add_argument("file", type=Path)
    command.add_argument("--programme", required=True)
    command.add_argument("--rows", type=int, default=20)
    command.add_argument("--seed", type=int, default=1)
    command.set_defaults(run=make_roster)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    options = parser().parse_args(arguments)
    wiring.start(load())
    with db.connection():
        status: int = options.run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
