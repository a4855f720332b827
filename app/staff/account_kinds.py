"""What two of the staff decide about a trainee's account: its phone, who its owner is, two accounts of one person.
The account knows no cases: what is asked about it is described here."""

from __future__ import annotations

import json

from app.account import service as account
from app.account.models import Person
from app.cases import hands
from app.cases import service as cases
from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind
from app.cases.models import Case
from app.core.crypto import mask_id_number, mask_name, mask_phone
from app.core.db import transaction
from app.core.staff import Right
from app.staff import members

PHONE, IDENTITY, MERGE = "account.phone_change", "account.identity", "account.merge"
REFUSE = Decision("refuse", "不同意", note_needed=True, tone="bad")


def _told(case: Case) -> dict[str, str]:
    found: dict[str, str] = json.loads(case.facts)
    return found


def _person(case: Case) -> Person:
    return account.get_person(case.person_id)


def _of(person: Person) -> str:
    return f"{mask_name(person.name)} {mask_id_number(person.id_number)} {mask_phone(person.phone) or '没有手机号'}"


def _name(actor: str) -> str:
    return members.names([actor]).get(actor, actor)


def _why(case: Case) -> tuple[Fact, ...]:
    told = _told(case)
    return (Fact("申请人", _name(told["asked_by"])), Fact("理由与核实方式", told["reason"]))


def _second(deed: Deed) -> dict[str, str]:
    """What was asked for, by somebody else. Raises `case_second_look`, `case_same_hand`."""
    told = _told(deed.case)
    hands.require_another(told["asked_by"], deed.actor)
    return told


def _phone_evidence(case: Case) -> Evidence:
    phone, person = _told(case)["phone"], _person(case)
    found = [Fact("学员", _of(person)), Fact("新手机号", mask_phone(phone) or "", bad=True)]
    if account.others_have_phone(phone, person.id):
        found.append(Fact("请注意", "这个号码也登记在别的学员名下：验证码会发到那里。", bad=True))
    return Evidence((*found, *_why(case)))


def _change_phone(deed: Deed) -> None:
    told = _second(deed)
    account.change_phone_by_support(
        deed.case.person_id,
        told["phone"],
        programme=deed.case.programme,
        actor=deed.actor,
        reason=told["reason"],
        now=deed.now,
    )


def _identity_evidence(case: Case) -> Evidence:
    told, found = _told(case), [Fact("现在登记的", _of(_person(case)))]
    if told.get("name"):
        found.append(Fact("更正姓名为", mask_name(told["name"]) or "", bad=True))
    if told.get("id_number"):
        found.append(Fact("更正身份证号为", mask_id_number(told["id_number"]) or "", bad=True))
    return Evidence((*found, *_why(case)))


def _identity_clear(case: Case) -> tuple[Fact, ...]:
    told = _told(case)
    names = (("name", "更正姓名为"), ("id_number", "更正身份证号为"), ("phone", "新手机号"))
    return tuple(Fact(label, told[name]) for name, label in names if told.get(name))


def _correct(deed: Deed) -> None:
    told = _second(deed)
    account.correct(
        deed.case.person_id,
        name=told.get("name"),
        id_number=told.get("id_number"),
        programme=deed.case.programme,
        actor=deed.actor,
        reason=told["reason"],
        now=deed.now,
    )


def _merge_evidence(case: Case) -> Evidence:
    keep, gone = _person(case), account.get_person(_told(case)["gone"])
    against = account.why_not(keep.id, gone.id) if gone.merged_into is None else None
    return Evidence(
        (
            Fact("保留的账号", _of(keep)),
            Fact("并入的账号", _of(gone), bad=True),
            *((Fact("现在不能合并", against, bad=True),) if against else ()),
            *_why(case),
        )
    )


def _merge_clear(case: Case) -> tuple[Fact, ...]:
    gone = account.get_person(_told(case)["gone"])
    return (Fact("并入账号的姓名", gone.name), Fact("并入账号的身份证号", gone.id_number))


def _merge(deed: Deed) -> None:
    told = _second(deed)
    account.merge(
        deed.case.person_id,
        told["gone"],
        programme=told.get("asked_in") or deed.case.programme,  # in whose name both are told
        actor=deed.actor,
        reason=told["reason"],
        now=deed.now,
    )
    with transaction():  # a process that dies before this: the case is decided again, and the merge changes nothing
        cases.decide_about(MERGE, deed.case.subject, deed.words, actor=deed.actor, now=deed.now)


KINDS = (
    Kind(
        name=PHONE,
        title="更换手机号复核",
        what="学员丢了旧手机号，一位同事申请更换。请另行核对本人；同意后新旧两个号码都会收到短信，所有登录退出。",
        right=Right.SUPPORT,
        working_days=1,
        evidence=_phone_evidence,
        clear=_identity_clear,
        decisions=(Decision("agree", "已核对本人，同意更换", _change_phone, tone="good"), REFUSE),
    ),
    Kind(
        name=IDENTITY,
        title="更正身份信息复核",
        what="登记的姓名或身份证号有误，一位同事申请更正。请核对证件；已出具的证明不会改变，会另外提示处理。",
        right=Right.SUPPORT,
        working_days=2,
        evidence=_identity_evidence,
        clear=_identity_clear,
        decisions=(Decision("agree", "已核对证件，同意更正", _correct, tone="good"), REFUSE),
    ),
    Kind(
        name=MERGE,
        title="合并账号复核",
        what="同一位学员有两个账号，一位同事申请合并。报名、缴费、学时、考试和证明都归入保留的账号，另一个不能再登录。",
        right=Right.SUPPORT,
        working_days=2,
        evidence=_merge_evidence,
        clear=_merge_clear,
        also=lambda case: str(_told(case)["gone"]),
        decisions=(Decision("agree", "已核对是同一人，同意合并", _merge, tone="good", outside=True), REFUSE),
    ),
)
