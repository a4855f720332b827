"""The link by which a member sets a password: signed, for two days, and good once (it names the invitation)."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core import tokens
from app.staff.errors import STAFF_LINK_OVER

PURPOSE = "staff invitation"
LIVES = timedelta(days=2)


def make(member_id: str, number: str, *, now: datetime) -> str:
    """The token of a link for this invitation."""
    return tokens.sign(PURPOSE, member_id, number, expires=now + LIVES)


def _parts(token: str, now: datetime) -> list[str]:
    try:
        parts = tokens.verify(PURPOSE, token, now)
    except tokens.BadToken:
        raise STAFF_LINK_OVER() from None
    return parts


def member_of(token: str, *, now: datetime) -> str:
    """Whom the link is for. Raises `staff_link_over`."""
    return _parts(token, now)[0]


def number_of(token: str, *, now: datetime) -> str:
    """Which invitation it is. Raises `staff_link_over`."""
    return _parts(token, now)[1]
