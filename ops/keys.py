"""New keys for old: `python -m ops.manage rotate-keys` and `check-keys` (docs/SECURITY.md says in which order)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from app import wiring
from app.core import audit, canaries, db, rotation
from app.core.clock import shanghai, utcnow
from config.settings import load
from ops import support

LEFT = "keep these keys and run rotate-keys again later; login counters and codes are forgotten within 30 days"
RINGS = (canaries.FIELDS, canaries.PHOTOS, canaries.INDEX, canaries.SIGNING)


def rotate_keys(options: argparse.Namespace) -> int:
    """Write everything anew that is under an older key; 1 if something cannot be."""
    outcome = rotation.rotate(wiring.models(), now=utcnow(), batch=options.batch, pause=options.pause, progress=show)
    rows, wrong = outcome.written.total(), len(outcome.wrong)
    with db.transaction():
        audit.record(options.actor, "keys.rotated", "keys", now=utcnow(), rows=rows, wrong=wrong)
    for place, rows in sorted(outcome.written.items()):
        print(f"{place}: {rows} written anew")
    for text in outcome.wrong:
        print(text, file=sys.stderr)
    tell()
    return 1 if outcome.wrong else 0


def check_keys(_options: argparse.Namespace) -> int:
    """Which keys can be dropped; 1 if one other than the first is still needed, or waits to be put first."""
    return 0 if tell() else 1


def tell() -> bool:
    """Print of each key but the first of its ring what still needs it, and let go of what nothing does. True if all
    of them can be dropped."""
    left = rotation.stale(rotation.uses(wiring.models(), now=utcnow()))
    for use, count in left.items():
        print(f"{use.secret}: {use.key_id} is needed by {use.place} ({count})")
    if left:
        print(LEFT)
    needed, secrets = {(use.secret, use.key_id) for use in left}, load().secrets
    waiting = [_waits(secret, list(secrets.keyring(secret)), needed) for secret in RINGS]
    return not left and not any(waiting)


def _waits(secret: str, ring: Sequence[str], needed: set[tuple[str, str]]) -> bool:
    """Tell of the keys of one ring that nothing needs; True if one of them never wrote: it is no older key, but the
    one that comes next."""
    began = dict(canaries.periods(secret))
    since = began.get(ring[0])
    if len(ring) == 1:
        print(f"{secret}: {ring[0]} is the only key")
    for key_id in ring[1:]:
        if (secret, key_id) in needed:
            continue
        if key_id not in began:
            print(f"{secret}: {key_id} has not written yet: put it first once every process was started with it")
            continue
        canaries.let_go(secret, key_id)
        print(f"{secret}: {key_id} can be dropped, once no process runs that was started before {_moment(since)}")
    return any(key_id not in began for key_id in ring[1:])


def _moment(since: datetime | None) -> str:
    return f"{shanghai(since):%Y-%m-%d %H:%M:%S}" if since else "now"


def show(place: str, looked_at: int) -> None:
    """One line that counts up."""
    print(f"\r  {place}: {looked_at}", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Both commands."""
    command = commands.add_parser("rotate-keys", help="write everything anew under today's keys, while we run")
    command.add_argument("--batch", type=int, default=100, help="rows a transaction")
    command.add_argument("--pause", type=float, default=0.0, help="seconds after each, to leave room to the product")
    support.say_who(command)
    command.set_defaults(run=rotate_keys)
    command = commands.add_parser("check-keys", help="tell which old keys are still needed")
    command.set_defaults(run=check_keys)
