"""What the routes for a front end give, before anybody has signed in."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, List, Nested, String

_MAYBE: dict[str, Any] = {"required": True, "allow_none": True}


class ClientOut(Schema):
    version = String(required=True, metadata={"description": "当前版本"})
    minimum = String(required=True, metadata={"description": "仍可使用的最低版本"})
    web_url = String(required=True)
    web_qr = String(required=True, metadata={"description": "网页地址的二维码（data: URI，SVG）"})
    android_url = String(**_MAYBE, metadata={"description": "安卓应用的下载地址"})
    ios_url = String(**_MAYBE, metadata={"description": "苹果应用的下载地址"})
    texts = Dict(
        keys=String(),
        values=String(),
        required=True,
        metadata={"description": "agreement / privacy / face 的现行版本"},
    )


class ContactOut(Schema):
    phone = String(required=True, metadata={"description": "给人看的号码，含分机"})
    dial = String(required=True, metadata={"description": "可以直接拨打的号码，不含分机"})
    topics = List(String(), required=True, metadata={"description": "管哪些事"})
    kinds = List(String(), required=True, metadata={"description": "只管这些证书类别；空的都管"})


class ProgrammeOut(Schema):
    key = String(required=True, metadata={"description": "登录时填在 programme 里"})
    title = String(required=True)
    authority = String(required=True, metadata={"description": "主办单位"})
    first_password = String(**_MAYBE, metadata={"description": "大家都一样的初始密码；没有时为空"})
    activation_methods = List(String(metadata={"enum": ["sms", "face"]}), required=True)
    wechat_login = Boolean(required=True, metadata={"description": "小程序里可以用微信登录"})
    scan_login = Boolean(required=True, metadata={"description": "电脑网页可以扫码登录"})
    contacts = List(Nested(ContactOut), required=True)


class ProgrammesOut(Schema):
    items = List(Nested(ProgrammeOut), required=True)


class SectionOut(Schema):
    heading = String(**_MAYBE)
    paragraphs = List(String(), required=True)


class TextOut(Schema):
    name = String(required=True, metadata={"enum": ["agreement", "privacy", "face"]})
    title = String(required=True)
    version = String(required=True)
    sections = List(Nested(SectionOut), required=True)
