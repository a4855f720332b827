"""The settings screen: the account, what was agreed to, and whose WeChat it is, in one answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.account import service as account
from app.core.access import Identity
from app.core.errors import Problem
from app.home import overview
from app.home.texts import TEXTS
from app.policy import load
from app.wechat import service as wechat
from app.wechat.errors import WECHAT_NOT_OFFERED


@dataclass(frozen=True)
class Consent:
    """A text that a person agrees to; `agreed_at`: when they did, to the version in force."""

    kind: str
    title: str
    version: str
    agreed_at: datetime | None
    withdrawable: bool


@dataclass(frozen=True)
class Settings:
    """The screen. `me` is masked. `wechat_offered`: the programme has a mini-program to bind."""

    me: dict[str, object]
    consents: list[Consent]
    wechat_offered: bool
    wechat_bound_at: datetime | None


def settings(who: Identity, *, now: datetime) -> Settings:
    """The caller's."""
    offered, bound_at = _wechat(who, now)
    return Settings(
        me=_me(who, now),
        consents=[_consent(who.person_id, kind) for kind in account.CONSENT_KINDS],
        wechat_offered=offered,
        wechat_bound_at=bound_at,
    )


def _me(who: Identity, now: datetime) -> dict[str, object]:
    session = account.get_session(who.session_id)
    contact = load.in_force(session.programme, now).authority.contacts.login
    return overview.me(who.person_id) | {
        "programme": session.programme,
        "channel": session.channel,
        "contact": contact,
    }


def _consent(person_id: str, kind: str) -> Consent:
    at = account.consent_given_at(person_id, kind)
    return Consent(
        kind=kind,
        title=TEXTS[kind].title,
        version=TEXTS[kind].version,
        agreed_at=at,
        withdrawable=at is not None and kind in account.WITHDRAWABLE,
    )


def _wechat(who: Identity, now: datetime) -> tuple[bool, datetime | None]:
    try:
        return True, wechat.bound_at(who, now=now)
    except Problem as problem:
        if problem.kind is not WECHAT_NOT_OFFERED:
            raise
        return False, None
