"""Commands about money: what a person decides. Each calls one service; what is done stands in the audit log."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from app.core import audit
from app.core.clock import utcnow
from app.core.db import transaction
from app.core.money import fen, yuan
from app.invoice import service as invoices
from app.pay import decisions
from app.pay.reconciliation import day_sheet, queries
from app.pay.reconciliation import service as reconciliation
from app.pay.reconciliation.sentences import SUGGESTIONS
from app.policy.days import shanghai_day
from ops.support import a_reason, say_who


def pay_dismiss(options: argparse.Namespace) -> int:
    """End a dispute about money that never arrived."""
    decisions.dismiss(options.attempt, reason=options.reason, actor=options.actor, now=utcnow())
    return 0


def pay_give_back(options: argparse.Namespace) -> int:
    """Refund what a disputed payment captured."""
    print(decisions.give_back(options.attempt, reason=options.reason, actor=options.actor, now=utcnow()))
    return 0


def pay_refund(options: argparse.Namespace) -> int:
    """Refund a part of what an order keeps."""
    print(decisions.refund_part(options.order, options.fen, reason=options.reason, actor=options.actor, now=utcnow()))
    return 0


def save_organisation(options: argparse.Namespace) -> int:
    """Write down in whose name an organisation's invoices are; those that waited for it are planned by cron."""
    about, now = f"organisation:{options.organisation}", utcnow()
    names = ("title", "taxpayer_number", "email", "phone", "address", "bank_name", "bank_account")
    said = {name: getattr(options, name) for name in names}
    with transaction():
        invoices.save_organisation(options.organisation, invoices.Details("enterprise", **said), now=now)
        audit.record(options.actor, "invoice.organisation_saved", about, now=now, reason=options.reason)
    return 0


def pay_leave_refund(options: argparse.Namespace) -> int:
    """Never send a refund again."""
    decisions.leave_refund(options.refund, reason=options.reason, actor=options.actor, now=utcnow())
    return 0


def pay_retry_refund(options: argparse.Namespace) -> int:
    """Send a failed refund again, under its own number."""
    decisions.retry_refund(options.refund, reason=options.reason, actor=options.actor, now=utcnow())
    print(options.refund)
    return 0


def list_bills(options: argparse.Namespace) -> int:
    """List the bills of the last days, and what in them waits for a person."""
    for day in queries.days(shanghai_day(utcnow()), options.days):
        paid = f"paid {yuan(day.their_paid_fen)}, ours {yuan(day.our_paid_fen)}"
        back = f"back {yuan(day.their_back_fen)}, ours {yuan(day.our_back_fen)}"
        open_ = f"{day.lines} lines, {day.open_differences} differences open"
        print(f"{day.day}  {day.merchant}  {day.status}  {open_}  {paid}  {back}")
    for row in queries.open_differences():
        theirs, ours = ("-" if amount is None else yuan(amount) for amount in (row.their_fen, row.our_fen))
        print(f"{row.id}  {row.finding}  {row.kind} {row.number}  theirs {theirs}, ours {ours}")
        print(f"    {SUGGESTIONS[row.suggestion]}")
    return 0


def reconcile(_options: argparse.Namespace) -> int:
    """Fetch and compare what is due."""
    print(f"{reconciliation.reconcile(now=utcnow())} bills came to their end")
    return 0


def resolve_difference(options: argparse.Namespace) -> int:
    """Have the provider asked once more about a difference, or explain it."""
    done = reconciliation.resolve(
        options.difference, options.action, reason=options.reason, actor=options.actor, now=utcnow()
    )
    print(done)
    return 0


def bill_sheet(options: argparse.Namespace) -> int:
    """Write the sheet of one day."""
    print(f"{options.file}: {day_sheet.write(options.file, options.day)} lines")
    return 0


def add_commands(commands: Any) -> None:
    """The commands and their arguments."""
    command = commands.add_parser("pay-give-back", help="refund what a disputed payment captured")
    command.add_argument("attempt", help="the payment attempt, as its case names it")
    command.add_argument("--reason", required=True, help="why; kept in the audit log")
    say_who(command)
    command.set_defaults(run=pay_give_back)

    command = commands.add_parser("pay-dismiss", help="end a dispute about money that never arrived")
    command.add_argument("attempt", help="the payment attempt, as its case names it")
    command.add_argument("--reason", required=True, help="why; kept in the audit log")
    say_who(command)
    command.set_defaults(run=pay_dismiss)

    command = commands.add_parser("save-organisation", help="write down in whose name an organisation's invoices are")
    command.add_argument("organisation", help="the organisation, as its case names it")
    command.add_argument("--title", required=True, help="its name, as on its licence")
    command.add_argument("--taxpayer-number", required=True)
    for option in ("--email", "--phone", "--address", "--bank-name", "--bank-account"):
        command.add_argument(option)
    command.add_argument("--reason", required=True, type=a_reason, help="why; kept in the audit log")
    say_who(command)
    command.set_defaults(run=save_organisation)

    command = commands.add_parser("pay-refund", help="give a part of a paid order's money back")
    command.add_argument("order")
    command.add_argument("fen", metavar="YUAN", type=fen, help="how much, for example 50.00")
    command.add_argument("--reason", required=True, help="why; kept in the audit log")
    say_who(command)
    command.set_defaults(run=pay_refund)

    command = commands.add_parser("pay-retry-refund", help="send a failed refund again under its number")
    command.add_argument("refund", help="the refund, as its case names it")
    command.add_argument("--reason", required=True, help="why; kept in the audit log")
    say_who(command)
    command.set_defaults(run=pay_retry_refund)

    command = commands.add_parser("pay-leave-refund", help="never send a refund again: given back in another way")
    command.add_argument("refund", help="the refund, as its case names it")
    command.add_argument("--reason", required=True, help="how it was given back; kept in the audit log")
    say_who(command)
    command.set_defaults(run=pay_leave_refund)

    command = commands.add_parser("bills", help="the providers' bills beside our books, and what does not match")
    command.add_argument("--days", type=int, default=30)
    command.set_defaults(run=list_bills)

    command = commands.add_parser("reconcile", help="fetch and compare the bills that are due, as the schedule does")
    command.set_defaults(run=reconcile)

    command = commands.add_parser("resolve-difference", help="ask again about a difference, or explain it")
    command.add_argument("difference", help="as its case names it")
    command.add_argument("action", choices=("ask", "explain"))
    command.add_argument("--reason", required=True, type=a_reason, help="why; kept in the audit log")
    say_who(command)
    command.set_defaults(run=resolve_difference)

    command = commands.add_parser("bill-sheet", help="write the bills of one day as xlsx")
    command.add_argument("day", type=date.fromisoformat, metavar="YYYY-MM-DD")
    command.add_argument("file", type=Path)
    command.set_defaults(run=bill_sheet)
