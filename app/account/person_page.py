"""What the account adds to a person's page: sign-ins, how the account stands, and the way in for an owner who is kept
out by wrong passwords."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from app.account import limits, service
from app.account.id_number import normalise
from app.account.models import Person, Session
from app.account.people import id_number_index, standing
from app.account.person_pages import Entry, Finder, Help, Offer, PersonPage, Plea, Sight, Source, Window
from app.core import crypto
from app.core.clock import shanghai
from app.core.staff import Fact, Reason

CHANNELS = {"web": "电脑网页", "phone_web": "手机网页", "mini_program": "微信小程序", "app": "手机应用"}
PHONE = re.compile(r"1\d{10}")
ORIGINS = {"roster": "名册提供", "verified": "本人验证过", "support": "客服登记，两人复核"}
CHECKED = (
    Reason("by_phone", "已在电话中核对姓名、证件号码和报名信息，是本人。"),
    Reason("in_person", "本人持身份证到场，已核对。"),
)


def _by_id_number(text: str, _programmes: Collection[str] | None, limit: int) -> list[str]:
    number = normalise(text)
    if number is None:
        return []
    found = Person.select(Person.id).where(Person.id_number_index.in_(crypto.indexes("person.id_number", number)))
    return standing([row_id for (row_id,) in found.limit(limit).tuples()])


def _by_phone(text: str, _programmes: Collection[str] | None, limit: int) -> list[str]:
    number = text.replace(" ", "").replace("-", "").removeprefix("+86")
    if not PHONE.fullmatch(number):
        return []
    found = Person.select(Person.id).where(Person.phone_index.in_(crypto.indexes("person.phone", number)))
    return standing([row_id for (row_id,) in found.limit(limit).tuples()])


def entries(sight: Sight, window: Window) -> list[Entry]:
    """Sign-ins, each in the programme that was chosen."""
    query = Session.select().where(sight.mine(Session.person_id), sight.within(Session.programme))
    return [
        Entry(
            row.created_at,
            row.id,
            f"登录（{CHANNELS.get(row.channel, row.channel)}）"
            + ("" if row.proved else "，用初始密码，还没有核实本人"),
            evidence=f"{shanghai(row.ended_at):%m-%d %H:%M} 已退出" if row.ended_at else "",
            programme=row.programme,
            who="学员",
        )
        for row in window.of(query, Session.created_at, Session.id)
    ]


def facts(sight: Sight, now: datetime) -> list[Fact]:
    """How the account stands."""
    person = _person(sight)
    if person.activated_at is None:
        state = Fact("账号", "还没有激活", bad=True)
    elif person.password_hash is None:
        state = Fact("账号", "已激活，还没有设置密码", bad=True)
    else:
        state = Fact("账号", f"{shanghai(person.activated_at):%Y-%m-%d} 激活")
    origin = ORIGINS.get(person.phone_origin or "", "")
    phone = Fact("手机号来源", origin) if person.phone_sealed else Fact("手机号来源", "没有登记手机号", bad=True)
    return [state, phone, Fact("登录限制", _locks(sight, now) or "没有", bad=bool(_locks(sight, now)))]


def _person(sight: Sight) -> Person:
    return sight.once("person", lambda: service.get_person(sight.person_id))


def _locks(sight: Sight, now: datetime) -> str:
    person = _person(sight)
    found = sight.once("locks", lambda: limits.locks(person.id_number, person.id, now=now))
    said = []
    if found.paused_until:
        said.append(f"密码错误次数多，暂停到 {shanghai(found.paused_until):%m-%d %H:%M}")
    if found.guarded_until:
        said.append("多处试错密码，登录须加短信验证码")
    return "；".join(said)


def _locked(sight: Sight, now: datetime) -> list[Offer]:
    locked = _locks(sight, now)
    return [Offer(f"person:{sight.person_id}", "账号登录", locked)] if locked else []


def _unlock(plea: Plea) -> str:
    service.clear_login_limits(
        plea.person_id, actor=plea.staff.actor, reason=plea.words, now=plea.now, programme=plea.programme
    )
    return "登录限制已解除，请学员现在用自己的密码登录；忘记密码可点“忘记密码”。"


def subjects(sight: Sight) -> dict[str, str]:
    """The person, and the account that wrong passwords were tried at."""
    people = Person.select().where(Person.id.in_(sight.person_ids))
    found = {f"person:{person_id}": "" for person_id in sight.person_ids}
    return found | {f"account:{id_number_index(person.id_number)}": "" for person in people}


PAGE = PersonPage(
    domain="account",
    sources=(Source("sessions", entries),),
    facts=facts,
    subjects=subjects,
    helps=(
        Help(
            "account.unlock",
            "解除登录限制",
            _locked,
            _unlock,
            reasons=CHECKED,
            told="不发短信，请在电话里告诉学员现在可以登录。",
        ),
    ),
    finders=(Finder("身份证号", _by_id_number), Finder("手机号", _by_phone)),
    words={
        "login.succeeded": "登录",
        "login.wechat": "用微信登录",
        "login.scanned": "扫码登录",
        "activation.by_code": "用短信激活",
        "login.failed": "密码错误，没有登录",
        "login.limits_cleared": "解除登录限制",
        "logout": "退出登录",
        "password.set": "设置密码",
        "password.reset": "用短信重设密码",
        "person.activated": "激活账号",
        "phone.changed": "更换手机号",
        "phone.from_roster": "名册更新了手机号",
        "phone.changed_by_support": "客服更换手机号",
        "person.corrected": "更正身份信息",
        "person.merged": "合并两个账号",
        "consent.given": "同意协议",
        "consent.withdrawn": "撤回同意",
        "consent.dropped": "此前他人的同意作废",
    },
    silent=("login.succeeded", "login.wechat", "login.scanned", "activation.by_code"),
)
