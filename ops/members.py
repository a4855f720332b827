"""The staff's accounts from the command line: `python -m ops.manage staff-administrator …`, for whoever may log
in to the server. The first administrator is made so; the others in the console."""

from __future__ import annotations

import argparse
import sys

from app.core.clock import utcnow
from app.staff import service as staff
from config.settings import load
from ops.support import a_reason, say_who


def invite(options: argparse.Namespace) -> int:
    """Make an administrator of everything, and print the link that sets the password, once."""
    token = staff.create_first(options.login, options.name, actor=options.actor, now=utcnow())
    print(f"{load().public_url}/console/welcome/{token}")
    return 0


def reset_factor(options: argparse.Namespace) -> int:
    """Where there is no second administrator to agree; 1 if there is no such account."""
    member = staff.by_login(options.login)
    if member is None:
        print(f"没有这个账号：{options.login}", file=sys.stderr)
        return 1
    staff.reset_factor(member.id, actor=options.actor, reason=options.reason, now=utcnow())
    return 0


def agree(options: argparse.Namespace) -> int:
    """Where there is no second administrator to agree; 1 if there is no such account."""
    member = staff.by_login(options.login)
    if member is None:
        print(f"没有这个账号：{options.login}", file=sys.stderr)
        return 1
    staff.agree(member.id, actor=options.actor, now=utcnow())
    return 0


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """All of them."""
    command = commands.add_parser("staff-administrator", help="make an administrator; prints a link, good once")
    command.add_argument("login")
    command.add_argument("--name", required=True)
    say_who(command)
    command.set_defaults(run=invite)
    command = commands.add_parser("staff-reset-factor", help="have a second factor set up anew at the next sign-in")
    command.add_argument("login")
    command.add_argument("--reason", required=True, type=a_reason, help="why; kept in the audit log")
    say_who(command)
    command.set_defaults(run=reset_factor)
    command = commands.add_parser("staff-agree", help="a new account is its owner's own: it may take second looks")
    command.add_argument("login")
    say_who(command)
    command.set_defaults(run=agree)
