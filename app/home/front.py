"""What a front end asks before anybody has signed in: which programmes there are and whom to call, and whether the
front end itself is still good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import segno

from app.home.texts import TEXTS
from app.policy import load, rules
from app.policy.parties import Contacts
from app.policy.schema import Programme
from config.settings import Settings

# Whom to call for what, in the order of the way; one number for several is told once.
TOPICS = {
    "sign_up": "报名",
    "login": "登录",
    "payment": "缴费",
    "payment_technical": "支付遇到问题",
    "invoice": "发票",
    "photo": "头像",
    "face": "人脸核验",
    "study": "学习",
    "exam": "考试",
    "extension": "延期",
    "make_up": "补考",
    "renewal": "换证",
}
_NUMBER = re.compile(r"0\d{2,3}-?\d{7,8}|1[3-9]\d{9}|[48]00-?\d{3,4}-?\d{3,4}")


@dataclass(frozen=True)
class Contact:
    """A telephone number as the programme writes it (with its extension), the part of it that a phone can dial, and
    what it is for; `kinds`: only for holders of these kinds of certificate (their titles), empty for all."""

    phone: str
    dial: str
    topics: list[str]
    kinds: list[str]


@dataclass(frozen=True)
class Entry:
    """A programme as the sign-in and the contact page show it. `first_password`: told where all have the same."""

    key: str
    title: str
    authority: str
    first_password: str | None
    activation_methods: list[str]
    wechat_login: bool
    scan_login: bool
    contacts: list[Contact]


def programmes(now: datetime) -> list[Entry]:
    """What can be begun today, by key."""
    return [_entry(programme) for programme in load.all_in_force(now)]


def _entry(programme: Programme) -> Entry:
    authority = programme.authority
    wechat = authority.secrets.wechat is not None
    contacts = _contacts(authority.contacts, [])
    for some in authority.contacts_for_kinds or ():
        kinds = [kind.title for kind in programme.certificate_kinds if kind.code in some.certificate_kinds]
        contacts += _contacts(some, kinds)
    offered = programme.activation.methods
    return Entry(
        key=programme.key,
        title=programme.title,
        authority=authority.name,
        first_password=rules.first_password(programme.login.person, account="", mobile=None, certificate_kinds=())
        or None,
        activation_methods=["sms"] * ("sms_to_supplied_phone" in offered) + ["face"] * ("real_name_face" in offered),
        wechat_login=wechat,
        scan_login=wechat,
        contacts=contacts,
    )


def _contacts(named: Contacts, kinds: list[str]) -> list[Contact]:
    topics: dict[str, list[str]] = {}
    for topic, title in TOPICS.items():
        topics.setdefault(getattr(named, topic), []).append(title)
    return [Contact(phone, _dialled(phone), titles, kinds) for phone, titles in topics.items()]


def _dialled(phone: str) -> str:
    """The number without its extension ('转 5', '-6'): what `tel:` and wx.makePhoneCall take."""
    found = _NUMBER.search(phone)
    return re.sub(r"\D", "", found[0] if found else phone)


@dataclass(frozen=True)
class Client:
    """Which front end is current, which still works, where to get it, and the versions of the texts in force."""

    version: str
    minimum: str
    web_url: str
    web_qr: str
    android_url: str | None
    ios_url: str | None
    texts: dict[str, str]


def client(settings: Settings) -> Client:
    """The front end of this installation. `web_qr`: its address as a QR code (a data URL of an SVG)."""
    address = f"{settings.public_url}/"
    return Client(
        version=settings.client_version,
        minimum=settings.client_minimum,
        web_url=address,
        web_qr=segno.make(address, error="m").svg_data_uri(scale=6, border=2),
        android_url=settings.android_url,
        ios_url=settings.ios_url,
        texts={name: text.version for name, text in TEXTS.items()},
    )
