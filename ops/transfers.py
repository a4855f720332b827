"""Commands about bank transfers: what waits, the statement's import, decisions. Each calls one service."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from app.core.clock import utcnow
from app.core.money import yuan
from app.pay.transfers import codes, decisions, queries, service
from app.pay.transfers.models import StatementLine
from app.pay.transfers.words import FINDINGS, LINES, STATEMENTS
from app.policy import load as policy
from ops.support import a_reason, say_who


def _programmes() -> set[str]:
    return {programme.key for programme in policy.open_programmes()}


def _print_lines(lines: list[StatementLine]) -> None:
    for line in lines:
        why = f"（{FINDINGS[line.finding]}）" if line.finding else ""
        print(f"  {line.id}  {line.day}  {line.number}  {yuan(line.amount_fen)}  {LINES[line.status]}{why}")


def list_transfers(_options: argparse.Namespace) -> int:
    """List the orders that wait for a transfer, the lines that wait for a person, and what is to go back."""
    for row in queries.waiting(_programmes()):
        came = f"，已到 {yuan(row.part_fen)}" if row.part_fen else ""
        print(f"{row.order.id}  {codes.shown(row.transfer.code)}  {yuan(row.order.amount_fen)}{came}  {row.last_day}")
    for status in ("open", "held"):
        _print_lines(queries.in_state(_programmes(), status))
    for payout in queries.payouts_due(_programmes()):
        print(f"  {payout.id}  待退回 {yuan(payout.amount_fen)}")
    return 0


def import_statement(options: argparse.Namespace) -> int:
    """Show a bank statement, and take it in unless only that is asked for."""
    accounts = {account.number: account for account in queries.accounts({options.programme})}
    if options.account is None and len(accounts) == 1:
        options.account = next(iter(accounts))
    if options.account not in accounts:
        print(f"--account: one of {', '.join(sorted(accounts)) or 'none'}")
        return 1
    row = service.show(options.file, accounts[options.account], actor=options.actor, now=utcnow())
    if not options.preview:
        first = options.first or date.fromisoformat(row.first_day)
        last = options.last or date.fromisoformat(row.last_day)
        over = options.last_day_over
        row = service.confirm(row.id, first, last, last_day_over=over, actor=options.actor, now=utcnow())
    print(f"{row.id}  {STATEMENTS[row.status]}  {row.first_day} 至 {row.last_day}  收入 {row.lines} 笔")
    _print_lines(queries.lines(row.id))
    return 0


def decide(options: argparse.Namespace) -> int:
    """Do `options.verb` with a line."""
    VERBS[options.verb][0](options.line, reason=options.reason, actor=options.actor, now=utcnow())
    return 0


def attach(options: argparse.Namespace) -> int:
    """Give a line to the order of a code."""
    found = decisions.attach(options.line, options.code, reason=options.reason, actor=options.actor, now=utcnow())
    print(FINDINGS[found])
    return 0


def payout_sent(options: argparse.Namespace) -> int:
    """Write down that something was transferred back."""
    decisions.sent(options.payout, options.reference, told_by=options.told_by, actor=options.actor, now=utcnow())
    return 0


VERBS = {
    "transfer-accept": (decisions.accept, "the payer's other name was checked: it pays the order of its code"),
    "transfer-keep": (decisions.keep, "too much came: the order is paid, the rest goes back"),
    "transfer-ask-rest": (decisions.ask_for_rest, "too little came: the payer was asked for the rest"),
    "transfer-give-back": (decisions.give_back, "all of it goes back to whom it came from"),
    "transfer-set-aside": (decisions.set_aside, "it has nothing to do with any order here"),
}


def add_commands(commands: Any) -> None:
    """The commands and their arguments."""
    command = commands.add_parser("transfers", help="what waits for a bank transfer, or for a decision about one")
    command.set_defaults(run=list_transfers)

    command = commands.add_parser("import-statement", help="take in a bank statement (xlsx, csv)")
    command.add_argument("file", type=Path)
    command.add_argument("--programme", required=True)
    command.add_argument("--account", help="the account's number, where the programme has several")
    command.add_argument(
        "--first", type=date.fromisoformat, metavar="YYYY-MM-DD", help="default: its first line's day"
    )
    command.add_argument("--last", type=date.fromisoformat, metavar="YYYY-MM-DD", help="default: its last line's day")
    command.add_argument("--last-day-over", action="store_true", help="it was downloaded when its last day was over")
    command.add_argument("--preview", action="store_true", help="show it only; nothing counts")
    say_who(command)
    command.set_defaults(run=import_statement)

    for verb, (_, text) in VERBS.items():
        command = commands.add_parser(verb, help=text)
        command.add_argument("line", help="the line, as its case names it")
        command.add_argument("--reason", required=True, type=a_reason, help="why; kept in the audit log")
        say_who(command)
        command.set_defaults(run=decide, verb=verb)

    command = commands.add_parser("transfer-attach", help="give a line to the order of a remittance code")
    command.add_argument("line", help="the line, as its case names it")
    command.add_argument("code")
    command.add_argument("--reason", required=True, type=a_reason, help="why; kept in the audit log")
    say_who(command)
    command.set_defaults(run=attach)

    command = commands.add_parser("payout-sent", help="money was transferred back, and two people have seen it")
    command.add_argument("payout", help="as its case names it")
    command.add_argument("reference", help="the bank's number of the transfer")
    command.add_argument("--told-by", required=True, help="who has made the transfer")
    say_who(command)
    command.set_defaults(run=payout_sent)
