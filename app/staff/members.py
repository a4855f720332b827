"""What administrators do with the staff's accounts. Each verb is one transaction with its line in the audit log.

Rights are given and taken within the administrator's own programmes only; what concerns the whole account (disabling,
a new link, the second factor) needs an administrator of every programme in which the member has a right."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app.cases import service as cases
from app.core import audit
from app.core.db import compare_and_set, insert_once, transaction
from app.core.errors import NOT_FOUND
from app.core.ids import new_id
from app.core.staff import EVERYWHERE, Right, Staff
from app.policy import load as policy
from app.staff import factor, links, sessions
from app.staff.errors import STAFF_INVALID, STAFF_LOGIN_TAKEN, STAFF_NOT_SET_UP, STAFF_NOT_YOURSELF
from app.staff.models import Member, MemberRight

LOGIN = re.compile(r"[a-z][a-z0-9._-]{2,31}")
RESET, AGREEMENT = "staff.second_factor", "staff.new_account"  # kinds of cases


@dataclass(frozen=True)
class Card:
    """A member as administrators see them."""

    id: str
    login: str
    name: str
    rights: tuple[tuple[Right, str], ...]
    state: str  # 'invited', 'enrolling', 'active', 'disabled'
    created_at: datetime


def known_programmes() -> list[str]:
    """Where a right can be given."""
    return [EVERYWHERE, *sorted({one.key for one in policy.all_programmes()})]


def _card(member: Member, rights: Collection[tuple[Right, str]]) -> Card:
    state = "active" if member.totp_at else "enrolling" if member.password_hash else "invited"
    return Card(
        id=member.id,
        login=member.login,
        name=member.name,
        rights=tuple(sorted(rights)),
        state="disabled" if member.disabled_at else state,
        created_at=member.created_at,
    )


def _is_shown(staff: Staff, card: Card) -> bool:
    places = [programme for _, programme in card.rights]
    return any(staff.may(Right.ADMINISTRATOR, place) for place in [*places, EVERYWHERE])


def cards(staff: Staff) -> list[Card]:
    """The members of the administrator's programmes; those of who is one everywhere: all."""
    rights: dict[str, list[tuple[Right, str]]] = defaultdict(list)
    for row in MemberRight.select():
        rights[row.member_id].append((Right(row.right), row.programme))
    found = [_card(member, rights[member.id]) for member in Member.select().order_by(Member.login)]
    return [card for card in found if _is_shown(staff, card)]


def card(staff: Staff, member_id: str) -> Card:
    """One of `cards`. Raises `not_found` for others, too."""
    member = Member.get_or_none(Member.id == member_id)
    found = _card(member, sessions.rights_of(member_id)) if member is not None else None
    if found is None or not _is_shown(staff, found):
        raise NOT_FOUND()
    return found


def _whole(staff: Staff, member_id: str) -> Card:
    """A member about whom this administrator may decide altogether. Raises `not_found`, `forbidden`."""
    found = card(staff, member_id)
    for _, programme in found.rights:
        staff.require(Right.ADMINISTRATOR, programme)
    if not found.rights:
        staff.require(Right.ADMINISTRATOR, EVERYWHERE)
    return found


def create(
    staff: Staff, login: str, name: str, rights: Collection[tuple[Right, str]], *, now: datetime
) -> tuple[str, str]:
    """Make an account and the token of its link; gives the member's id and the token. Raises `staff_invalid`,
    `staff_login_taken`, `forbidden`."""
    login, name = login.strip().lower(), name.strip()
    wrong = {}
    if not LOGIN.fullmatch(login):
        wrong["login"] = "登录账号为 3 至 32 位小写字母、数字、点或横线，以字母开头。"
    if not 1 <= len(name) <= 32:
        wrong["name"] = "请填写姓名，不超过 32 个字。"
    if not rights:
        wrong["rights"] = "请至少选择一项权限。"
    if wrong:
        raise STAFF_INVALID(next(iter(wrong.values())), fields=wrong)
    member_id, number = new_id(), new_id()
    with transaction():
        values = {"login": login, "name": name, "invitation": number, "created_at": now}
        values["made_by"] = _maker(staff)
        if not insert_once(Member, id=member_id, **values):
            raise STAFF_LOGIN_TAKEN(fields={"login": STAFF_LOGIN_TAKEN.sentence})
        audit.record(staff.actor, "staff.created", f"staff:{member_id}", now=now, login=login)
        for right, programme in sorted(rights):
            _give(staff, member_id, right, programme, now)
        _ask_agreement(staff, member_id, rights, now)
    return member_id, links.make(member_id, number, now=now)


def hand_of(actor: str) -> str:
    """Who may be behind an actor: who made the account, until a second administrator has agreed; then itself."""
    member = Member.get_or_none(Member.id == actor.removeprefix("staff:")) if actor.startswith("staff:") else None
    return f"staff:{member.made_by}" if member is not None and member.made_by else actor


def _maker(staff: Staff) -> str | None:
    """None for the command line: whoever may run it has the database anyway."""
    hand = hand_of(staff.actor)
    return hand.removeprefix("staff:") if hand.startswith("staff:") else None


def _place_of(rights: Collection[tuple[Right, str]]) -> str:
    places = {programme for _, programme in rights}
    return places.pop() if len(places) == 1 else EVERYWHERE


def _ask_agreement(staff: Staff, member_id: str, rights: Collection[tuple[Right, str]], now: datetime) -> None:
    if _maker(staff) is not None:
        facts: dict[str, str | int | None] = {"asked_by": staff.actor}
        cases.file(AGREEMENT, f"staff:{member_id}", facts, programme=_place_of(rights), now=now)


def agree(member_id: str, *, actor: str, now: datetime) -> None:
    """The account is its owner's own: it takes part in decisions of two. Not before its second factor is set
    up: until then it is whoever's who has the link. In the caller's transaction, if there is one. Raises `not_found`,
    `staff_not_set_up`."""
    with transaction():
        member = Member.get_or_none(Member.id == member_id)
        if member is None:
            raise NOT_FOUND()
        if member.totp_at is None:
            raise STAFF_NOT_SET_UP()
        Member.update(made_by=None).where(Member.id == member_id).execute()
        cases.decide_about(AGREEMENT, f"staff:{member_id}", "同意", actor=actor, now=now)  # by the command line
        audit.record(actor, "staff.agreed", f"staff:{member_id}", now=now)


def _give(staff: Staff, member_id: str, right: Right, programme: str, now: datetime) -> None:
    if programme not in known_programmes():
        raise STAFF_INVALID(fields={"programme": "没有这个培训项目。"})
    staff.require(Right.ADMINISTRATOR, programme)
    if insert_once(MemberRight, member_id=member_id, right=right, programme=programme):
        subject = f"staff:{member_id}"
        audit.record(staff.actor, "staff.right_given", subject, now=now, right=right, programme=programme)


def give(staff: Staff, member_id: str, right: Right, programme: str, *, now: datetime) -> None:
    """Give a right; given before, nothing changes. Raises `not_found`, `forbidden`, `staff_invalid`."""
    card(staff, member_id)
    with transaction():
        _give(staff, member_id, right, programme, now)


def take(staff: Staff, member_id: str, right: Right, programme: str, *, now: datetime) -> None:
    """Take a right away, at once. Raises `not_found`, `forbidden`, `staff_not_yourself`."""
    card(staff, member_id)
    _require_another(staff, member_id)
    staff.require(Right.ADMINISTRATOR, programme)
    mine = (MemberRight.member_id == member_id) & (MemberRight.programme == programme) & (MemberRight.right == right)
    with transaction():
        if MemberRight.delete().where(mine).execute():
            subject = f"staff:{member_id}"
            audit.record(staff.actor, "staff.right_taken", subject, now=now, right=right, programme=programme)


def _require_another(staff: Staff, member_id: str) -> None:
    if staff.actor == f"staff:{member_id}":
        raise STAFF_NOT_YOURSELF()


def to_disable(staff: Staff, member_id: str) -> Card:
    """An account that this administrator may disable. Raises `not_found`, `forbidden`, `staff_not_yourself`."""
    found = _whole(staff, member_id)
    _require_another(staff, member_id)
    return found


def disable(staff: Staff, member_id: str, *, now: datetime) -> None:
    """Nobody signs in to the account any more; its sessions end at once. Raises `not_found`, `forbidden`,
    `staff_not_yourself`."""
    to_disable(staff, member_id)
    with transaction():
        if compare_and_set(Member, member_id, {"disabled_at": None}, {"disabled_at": now, "invitation": None}):
            sessions.end_all(member_id, now=now)
            audit.record(staff.actor, "staff.disabled", f"staff:{member_id}", now=now)


def enable(staff: Staff, member_id: str, *, now: datetime) -> None:
    """Let a disabled account in again, as it was. Raises `not_found`, `forbidden`."""
    _whole(staff, member_id)
    with transaction():
        Member.update(disabled_at=None).where(Member.id == member_id).execute()
        audit.record(staff.actor, "staff.enabled", f"staff:{member_id}", now=now)


def invite(staff: Staff, member_id: str, *, now: datetime) -> str:
    """The token of a link that sets a new password, in place of any before; the second factor stays. Where there is
    none yet, the account is in the hand of who has made this link, and of nobody from before. Raises `not_found`,
    `forbidden`."""
    found = _whole(staff, member_id)
    number = new_id()
    with transaction():
        mine = (Member.id == member_id) & Member.disabled_at.is_null()
        Member.update(invitation=number).where(mine).execute()
        fresh = {"made_by": _maker(staff), "password_hash": None, "totp_sealed": None}
        if Member.update(fresh).where(mine, Member.totp_at.is_null()).execute():
            sessions.end_all(member_id, now=now)
        if hand_of(f"staff:{member_id}") != f"staff:{member_id}":
            _ask_agreement(staff, member_id, found.rights, now)
        audit.record(staff.actor, "staff.invited", f"staff:{member_id}", now=now)
    return links.make(member_id, number, now=now)


def ask_factor_reset(staff: Staff, member_id: str, reason: str, *, now: datetime) -> bool:
    """A member has lost phone and recovery codes: another administrator has to agree (a case). False if that was
    asked already. Raises `not_found`, `forbidden`, `staff_invalid`."""
    found = _whole(staff, member_id)
    reason = reason.strip()
    if not 2 <= len(reason) <= 200:
        raise STAFF_INVALID("请写明重置的原因（如何核实了本人），2 至 200 个字。")
    facts: dict[str, str | int | None] = {"reason": reason, "asked_by": staff.actor}
    with transaction():
        audit.record(staff.actor, "staff.factor_reset_asked", f"staff:{member_id}", now=now, reason=reason)
        return cases.file(RESET, f"staff:{member_id}", facts, programme=_place_of(found.rights), now=now)


def reset_factor(member_id: str, *, actor: str, reason: str, now: datetime) -> None:
    """The second factor is set up anew at the next sign-in. In the caller's transaction, if there is one. Raises
    `not_found`."""
    with transaction():
        member = Member.get_or_none(Member.id == member_id)
        if member is None:
            raise NOT_FOUND()
        member.totp, member.totp_at, member.totp_step = None, None, 0
        member.save(only=(Member.totp_sealed, Member.totp_at, Member.totp_step))
        factor.forget(member_id)
        sessions.end_all(member_id, now=now)
        audit.record(actor, "staff.factor_reset", f"staff:{member_id}", now=now, reason=reason)


def by_login(login: str) -> Member | None:
    """The member with this login."""
    return Member.get_or_none(Member.login == login.strip().lower())


def names(actors: Collection[str]) -> dict[str, str]:
    """The names of 'staff:<id>' actors."""
    ids = [actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")]
    rows = Member.select(Member.id, Member.name).where(Member.id.in_(ids)).tuples() if ids else ()
    return {f"staff:{member_id}": name for member_id, name in rows}
