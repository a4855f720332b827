"""New keys for old: `python -m ops.manage rotate-keys` and `check-keys` (docs/SECURITY.md says in which order)."""

from __future__ import annotations

import argparse
import sys

from app import wiring
from app.core import rotation
from app.core.clock import utcnow

SETTLED = "nothing needs an older key: they can be dropped"
LEFT = "keep these keys and run rotate-keys again later; login counters and codes are forgotten within 30 days"


def rotate_keys(options: argparse.Namespace) -> int:
    """Write everything anew that is under an older key; 1 if something cannot be."""
    outcome = rotation.rotate(wiring.models(), now=utcnow(), batch=options.batch, pause=options.pause, progress=show)
    for place, rows in sorted(outcome.written.items()):
        print(f"{place}: {rows} written anew")
    for text in outcome.wrong:
        print(text, file=sys.stderr)
    tell_stale()
    return 1 if outcome.wrong else 0


def check_keys(_options: argparse.Namespace) -> int:
    """Whether old keys can be dropped; 1 if something still needs one."""
    return 1 if tell_stale() else 0


def tell_stale() -> bool:
    """Print what still needs an old key."""
    left = rotation.stale(rotation.uses(wiring.models()))
    for use, count in left.items():
        print(f"{use.secret}: {use.key_id} is needed by {use.place} ({count})")
    print(LEFT if left else SETTLED)
    return bool(left)


def show(place: str, looked_at: int) -> None:
    """One line that counts up."""
    print(f"\r  {place}: {looked_at}", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Both commands."""
    command = commands.add_parser("rotate-keys", help="write everything anew under today's keys, while we run")
    command.add_argument("--batch", type=int, default=100, help="rows a transaction")
    command.add_argument("--pause", type=float, default=0.0, help="seconds after each, to leave room to the product")
    command.set_defaults(run=rotate_keys)
    command = commands.add_parser("check-keys", help="tell which old keys are still needed")
    command.set_defaults(run=check_keys)
