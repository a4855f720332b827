"""The staff's accounts as the console knows them: signing in, sessions, administration."""

from __future__ import annotations

from datetime import datetime

from app.core.staff import EVERYWHERE, Right, Staff
from app.staff import members, sessions
from app.staff.factor import code_at
from app.staff.members import (
    Card,
    agree,
    ask_factor_reset,
    by_login,
    card,
    cards,
    create,
    disable,
    enable,
    give,
    invite,
    known_programmes,
    names,
    reset_factor,
    take,
    to_disable,
)
from app.staff.sessions import LIVES, authenticate, end_all, rights_of
from app.staff.sign_in import accept, enrolment, enter_code, enter_password, invited, sign_out

__all__ = [
    "LIVES",
    "Card",
    "accept",
    "agree",
    "ask_factor_reset",
    "authenticate",
    "by_login",
    "card",
    "cards",
    "code_at",
    "create",
    "create_first",
    "disable",
    "enable",
    "end_all",
    "enrolment",
    "enter_code",
    "enter_password",
    "forget",
    "give",
    "invite",
    "invited",
    "known_programmes",
    "names",
    "reset_factor",
    "rights_of",
    "sign_out",
    "take",
    "to_disable",
]

forget = sessions.forget


def create_first(login: str, name: str, *, actor: str, now: datetime) -> str:
    """Make an administrator of everything; gives the token of the link. For the command line: whoever may run it has
    the database. Raises `staff_invalid`, `staff_login_taken`."""
    system = Staff(actor, frozenset({(Right.ADMINISTRATOR, EVERYWHERE)}))
    _, token = members.create(system, login, name, [(Right.ADMINISTRATOR, EVERYWHERE)], now=now)
    return token
