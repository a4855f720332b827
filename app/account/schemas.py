"""What the account's routes take and give. Nothing that is taken may hold a control character."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, String
from marshmallow import ValidationError
from marshmallow.validate import Equal, Length, OneOf, Regexp

from app.account.id_number import normalise
from app.account.service import CONSENT_KINDS

CHANNELS = ("web", "phone_web", "mini_program", "app")


def plain(text: str) -> None:
    """Refuses control characters and halves of characters."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text):
        raise ValidationError("含有不能识别的字符，请重新填写。")


class IdNumber(String):
    """A citizen identity number: 18 characters, right check character. Gives it in its one form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        text = super()._deserialize(value, attr, data, **more)
        number = normalise(text) if len(text) <= 40 else None
        if number is None:
            raise ValidationError("身份证号应为 18 位，请对照证件核对（最后一位可能是 X）。")
        return number


def _programme() -> String:
    return String(
        required=True,
        validate=Regexp(re.compile(r"[a-z][a-z0-9-]{0,31}\Z"), error="没有这个培训项目，请从首页重新进入。"),
        metadata={"description": "培训项目，如 yunnan"},
    )


def _id_number() -> IdNumber:
    return IdNumber(required=True, metadata={"description": "身份证号"})


def _code(required: bool = True) -> String:
    return String(
        required=required,
        validate=Regexp(re.compile(r"[0-9]{6}\Z", re.ASCII), error="验证码是 6 位数字。"),
        metadata={"description": "短信验证码，6 位数字，5 分钟内有效"},
    )


def _ticket() -> String:
    return String(
        validate=[Length(1, 200, error="请重新获取验证码。"), plain],
        metadata={"description": "获取验证码时返回的 ticket；带上它，换了网络验证码仍然有效"},
    )


def _password(description: str) -> String:
    return String(
        required=True,
        validate=[Length(1, 128, error="密码应为 1 至 128 位。"), plain],
        metadata={"description": description},
    )


class LoginIn(Schema):
    programme = _programme()
    id_number = _id_number()
    password = _password("密码；首次登录用项目的初始密码")
    channel = String(
        required=True,
        validate=OneOf(CHANNELS, error="请从网页、小程序或 App 登录。"),
        metadata={"description": "web 电脑网页 / phone_web 手机网页（含微信里打开的）/ mini_program 小程序 / app"},
    )
    code = _code(required=False)
    ticket = _ticket()


class LogoutIn(Schema):
    everywhere = Boolean(load_default=False, metadata={"description": "退出本人在所有设备上的登录"})


class SignedInOut(Schema):
    token = String(required=True, metadata={"description": "新的会话令牌，放在 Authorization: Bearer 中"})
    activated = Boolean(required=True, metadata={"description": "是否已完成激活（含自设密码和同意协议）"})
    must_change_password = Boolean(required=True, metadata={"description": "是否还需设置自己的密码"})
    next = String(
        required=True,
        metadata={
            "description": "下一步：activate 激活 / password 设置密码 / consent 同意协议 / home 首页",
            "enum": ["activate", "password", "consent", "home"],
        },
    )


class AskCodeIn(Schema):
    programme = _programme()
    id_number = _id_number()


class CodeSentOut(Schema):
    expires_in = Integer(required=True, metadata={"description": "验证码有效秒数"})
    wait_seconds = Integer(required=True, metadata={"description": "多少秒后可以重新获取"})
    phone = String(metadata={"description": "接收短信的手机号（打码）；未登录时不返回"})
    notice = String(required=True, metadata={"description": "给学员看的一句话"})
    ticket = String(metadata={"description": "与验证码一起提交，换了网络也有效；已登录时不返回"})


class CodeIn(Schema):
    code = _code()


class PasswordIn(Schema):
    new_password = _password("新密码，8 至 64 位")
    old_password = String(
        validate=[Length(1, 128, error="密码应为 1 至 128 位。"), plain],
        metadata={"description": "原密码；还没有自己的密码时不填"},
    )


class NextOut(Schema):
    next = String(
        required=True, metadata={"description": "下一步", "enum": ["activate", "password", "consent", "home"]}
    )


class ResetIn(Schema):
    programme = _programme()
    id_number = _id_number()
    code = _code()
    ticket = _ticket()
    new_password = _password("新密码，8 至 64 位")


class ResetOut(Schema):
    next = String(required=True, metadata={"description": "下一步：用新密码登录", "enum": ["login"]})


class ConsentIn(Schema):
    kind = String(
        required=True,
        validate=OneOf(CONSENT_KINDS, error="没有这项协议，请刷新页面后重试。"),
        metadata={"description": "agreement 用户协议 / face 人脸信息处理同意书（单独同意）"},
    )
    version = String(required=True, validate=[Length(1, 16), plain], metadata={"description": "所阅读协议的版本"})
    agreed = Boolean(
        required=True,
        truthy={True},
        falsy={False},
        validate=Equal(True, error="请阅读后勾选同意；不同意则无法继续。"),
    )


class PhoneCodeIn(Schema):
    phone = String(
        required=True,
        validate=Regexp(re.compile(r"1[3-9][0-9]{9}\Z", re.ASCII), error="请填写 11 位手机号。"),
        metadata={"description": "新手机号"},
    )
    password = _password("登录密码")


class PhoneOut(Schema):
    phone = String(required=True, metadata={"description": "现在的手机号（打码）"})


class MeOut(Schema):
    name = String(required=True, metadata={"description": "姓名（打码）"})
    id_number = String(required=True, metadata={"description": "身份证号（打码）"})
    phone = String(required=True, allow_none=True, metadata={"description": "手机号（打码）"})
    programme = String(required=True, metadata={"description": "这次登录的项目"})
    channel = String(required=True, metadata={"enum": list(CHANNELS)})
    activated = Boolean(required=True, metadata={"description": "是否已完成激活（含自设密码和同意协议）"})
    must_change_password = Boolean(required=True)
    next = String(required=True, metadata={"enum": ["activate", "password", "consent", "home"]})
    activation_methods = List(
        String(metadata={"enum": ["sms", "face"]}),
        required=True,
        metadata={"description": "可用的激活方式；没有登记手机号时只能人脸核验"},
    )
    consents = Dict(
        keys=String(), values=Boolean(), required=True, metadata={"description": "各项协议的现行版本是否已同意"}
    )
    consent_versions = Dict(
        keys=String(), values=String(), required=True, metadata={"description": "各项协议的现行版本"}
    )
    contact = String(required=True, metadata={"description": "登录问题的客服电话"})
