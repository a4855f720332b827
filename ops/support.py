"""What support does for one person, named by the ID number: `python -m ops.manage release-photo … --reason …`. Each
command calls one service, which writes the reason down in the audit log."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import get_args

from app.account import service as account
from app.account.id_number import normalise
from app.core.clock import utcnow
from app.core.staff import Right, Staff
from app.enrol import unmasking
from app.face import photos, tries
from app.policy import load as policy

VERBS: dict[str, tuple[Callable[..., None], str]] = {
    "release-photo": (photos.release_photo, "give a wrong photo free: the person uploads a new one"),
    "allow-face": (tries.allow_again, "give the tries of face checks anew, after a look at the person"),
    "unlock-login": (account.clear_login_limits, "let an owner in whose account strangers keep guarded"),
}


def help_person(options: argparse.Namespace) -> int:
    """Do `options.verb` for the person with this ID number; 1 if there is none."""
    number = normalise(options.id_number)
    person = account.find_by_id_number(number) if number else None
    if person is None:
        print("没有这个身份证号的人员，请核对号码。", file=sys.stderr)
        return 1
    VERBS[options.verb][0](person.id, actor=options.actor, reason=options.reason, now=utcnow())
    return 0


def unmask(options: argparse.Namespace) -> int:
    """Print fields of a person in the clear; the audit log names who asked, for what, and why."""
    number = normalise(options.person)
    known = account.find_by_id_number(number) if number else None
    rights = frozenset((Right.SUPPORT, programme.key) for programme in policy.all_programmes())
    staff = Staff(options.actor, rights)
    person_id = known.id if known else options.person
    clear = unmasking.unmask(staff, options.programme, person_id, options.fields, reason=options.reason, now=utcnow())
    for name, value in clear.items():
        print(f"{name}\t{value or '-'}")
    return 0


def a_reason(text: str) -> str:
    """Some words, not only blanks."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a reason is needed")
    return text.strip()


def an_actor(name: str) -> str:
    """Whom the audit log names for somebody's name: 'staff:<name>'."""
    if not name.strip() or len(name) > 30:
        raise argparse.ArgumentTypeError("a name of 1 to 30 characters")
    return f"staff:{name.strip()}"


def say_who(command: argparse.ArgumentParser) -> None:
    """A command that changes something, or shows what is masked: `options.actor` is who does it."""
    command.add_argument("--by", required=True, type=an_actor, dest="actor", metavar="NAME", help="who does it")


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """One command a verb, and the look at what is masked."""
    for verb, (_, text) in VERBS.items():
        command = commands.add_parser(verb, help=text)
        command.add_argument("id_number", metavar="ID_NUMBER")
        command.add_argument("--reason", required=True, type=a_reason)
        say_who(command)
        command.set_defaults(run=help_person, verb=verb)
    command = commands.add_parser("unmask", help="show personal data in the clear; audited")
    command.add_argument("person", metavar="PERSON", help="the person's id, as cases name it, or the ID number")
    command.add_argument("--programme", required=True, help="on whose roster the person stands")
    command.add_argument("--fields", nargs="+", required=True, choices=get_args(unmasking.Field))
    command.add_argument("--reason", required=True, type=a_reason)
    say_who(command)
    command.set_defaults(run=unmask)
