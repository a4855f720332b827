"""What support asks of a second person on a trainee's page: another phone, another name or ID number."""

from __future__ import annotations

import re
from datetime import datetime

from app.account import service as account
from app.account.id_number import normalise
from app.account.person_name import is_name, name_form
from app.account.person_pages import Help, Offer, PersonPage, Plea, Said, Sight
from app.cases import service as cases
from app.core import audit
from app.core.crypto import mask_id_number
from app.core.db import transaction
from app.staff.account_kinds import IDENTITY, PHONE
from app.staff.errors import ASKED_ALREADY, IDENTITY_WRONG, PHONE_WRONG

MOBILE = re.compile(r"1[3-9]\d{9}")
SAID = "已提交，等待另一位同事核对后生效。"
OTHERS_PHONE = "注意：这个号码也登记在别的学员名下，请再核对一遍。"
HOW = "如何核实了本人（会记入审计）"


def _always(what: str, sight: Sight) -> list[Offer]:
    return [Offer(f"person:{sight.person_id}", what)]


def _phone(sight: Sight, _now: datetime) -> list[Offer]:
    return _always("旧号码丢失、停机，收不到验证码", sight)


def _identity(sight: Sight, _now: datetime) -> list[Offer]:
    return _always("身份证号报错，或改过姓名", sight)


def _ask_phone(plea: Plea) -> str:
    phone = plea.said["phone"].replace(" ", "")
    if not MOBILE.fullmatch(phone) or account.get_person(plea.person_id).phone == phone:
        raise PHONE_WRONG()
    said = _file(PHONE, plea, {"phone": phone})
    return said + OTHERS_PHONE if account.others_have_phone(phone, plea.person_id) else said


def _ask_identity(plea: Plea) -> str:
    person = account.get_person(plea.person_id)
    name, typed = name_form(plea.said["name"]), plea.said["id_number"]
    number = normalise(typed) if typed else None
    if name and not is_name(name):
        raise IDENTITY_WRONG("只能填写姓名（2 至 50 个字，可含间隔号“·”），请照证件填写。")
    if typed and number is None:
        raise IDENTITY_WRONG("身份证号不正确，请核对后重新填写。")
    if name in ("", person.name) and number in (None, person.id_number):
        raise IDENTITY_WRONG()
    with transaction():
        account.get_person(plea.person_id, locked=True)  # a key pressed twice: the second finds it asked
        if cases.open_about(IDENTITY, (f"person:{plea.person_id}",)):
            raise ASKED_ALREADY()  # before the number is looked at: one question at a time
        taken = number is not None and number != person.id_number and account.whose(number) is not None
        if not taken:
            return _file(IDENTITY, plea, {"name": name or None, "id_number": number})
        _write_down_that_it_is_taken(plea, str(number))
    raise IDENTITY_WRONG("这个身份证号已经属于另一位学员。如果是同一个人，请改用“合并账号”。")


def _write_down_that_it_is_taken(plea: Plea, number: str) -> None:
    """Whoever is told so learns of somebody who may be of another programme: it counts as a look at their data."""
    account.count_looks(plea.staff.actor, 1, now=plea.now)
    audit.record(
        plea.staff.actor,
        account.NUMBER_TAKEN,
        f"person:{plea.person_id}",
        now=plea.now,
        programme=plea.programme,
        id_number=mask_id_number(number),
        reason=plea.words,
    )


def _file(kind: str, plea: Plea, facts: dict[str, str | int | None]) -> str:
    told = {**facts, "reason": plea.words, "asked_by": plea.staff.actor}
    subject = f"person:{plea.person_id}"
    if not cases.file(kind, subject, told, programme=plea.programme, person_id=plea.person_id, now=plea.now):
        raise ASKED_ALREADY()
    return SAID


PAGE = PersonPage(
    domain="staff",
    helps=(
        Help(
            "staff.phone",
            "更换手机号",
            _phone,
            _ask_phone,
            asks=(Said("phone", "新手机号", most=20, kind="tel"),),
            note=HOW,
            told="复核同意后，新旧两个号码都会收到短信，所有登录退出，学员用原密码重新登录。",
            second_look=True,
        ),
        Help(
            "staff.identity",
            "更正姓名或身份证号",
            _identity,
            _ask_identity,
            asks=(
                Said("name", "正确的姓名（不改就空着）", most=32, needed=False),
                Said("id_number", "正确的身份证号（不改就空着）", most=20, needed=False),
            ),
            note=HOW,
            told="复核同意后，学员会收到安全提醒短信，所有登录退出，用正确的身份证号和原密码登录。",
            second_look=True,
            outside=True,  # what was told stays written down
        ),
    ),
    words={account.NUMBER_TAKEN: "申请更正，得知这个身份证号已有账号"},
)
