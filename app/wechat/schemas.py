"""What the WeChat API takes and gives."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, Regexp


class LoginIn(Schema):
    programme = String(required=True, validate=Regexp(r"[a-z0-9_-]{1,32}\Z", error="没有这个培训项目。"))
    code = String(
        required=True,
        validate=Regexp(r"[!-~]{1,128}\Z", error="微信登录凭证不对，请重新点“微信登录”。"),
        metadata={"description": "wx.login 得到的 code，只能用一次"},
    )


class LoginOut(Schema):
    bound = Boolean(metadata={"description": "这个微信是否已绑定学员"})
    token = String(allow_none=True, metadata={"description": "新的登录凭证，仅在已绑定时"})
    activated = Boolean(allow_none=True)
    must_change_password = Boolean(allow_none=True)
    next = String(allow_none=True, metadata={"enum": ["activate", "password", "consent", "home"]})
    bind_ticket = String(allow_none=True, metadata={"description": "未绑定时，10 分钟内登录后用它绑定"})


def _password() -> String:
    return String(
        required=True,
        validate=Regexp(r"[^\x00-\x1f\ud800-\udfff]{1,128}\Z", error="密码里有不能识别的字符，请重新填写。"),
    )


class BindIn(Schema):
    bind_ticket = String(required=True, validate=Length(min=1, max=300))
    password = _password()


class UnbindIn(Schema):
    password = _password()


class BindOut(Schema):
    bound = Boolean()
    rebound = Boolean(metadata={"description": "是否替换了原来绑定的微信；原来的登录都已退出"})


class PhoneIn(Schema):
    code = String(
        required=True,
        validate=Regexp(r"[!-~]{1,128}\Z", error="微信手机号凭证不对，请重新点“微信手机号”。"),
        metadata={"description": "手机号按钮得到的 code（不是 wx.login 的），只能用一次"},
    )
    password = _password()


class PhoneOut(Schema):
    phone = String(metadata={"description": "打码后的手机号"})


class AuthoriseIn(Schema):
    programme = String(
        required=True,
        validate=Regexp(r"[a-z0-9_-]{1,32}\Z", error="没有这个培训项目。"),
        metadata={"description": "要支付的订单的项目：authorise_wechat_first 里的 programme"},
    )
    back = String(
        required=True,
        validate=Regexp(r"/(?!/)[!-\[\]-~]{0,199}\Z", error="返回的页面不对，请刷新页面后重试。"),
        metadata={"description": "授权后回到本站的哪个页面，以 / 开头"},
    )


class AuthoriseOut(Schema):
    url = String(required=True, metadata={"description": "在微信里打开它；随后回到 /?wechat=return&code=…&state=…"})


class AuthorisedIn(Schema):
    code = String(required=True, validate=Regexp(r"[!-~]{1,128}\Z", error="微信授权凭证不对，请重新点“微信支付”。"))
    state = String(required=True, validate=Regexp(r"[0-9a-f]{16}\Z", error="微信授权凭证不对，请重新点“微信支付”。"))


class AuthorisedOut(Schema):
    back = String(required=True, metadata={"description": "接着打开的页面"})


class SubscriptionOut(Schema):
    template = String()
    template_id = String(metadata={"description": "交给 wx.requestSubscribeMessage"})
    standing = Integer(metadata={"description": "还可以发送几条；同意一次只能发一条"})


class SubscriptionsOut(Schema):
    items = List(Nested(SubscriptionOut))


class AllowIn(Schema):
    request_id = String(
        required=True,
        validate=Regexp(r"[A-Za-z0-9_-]{8,48}\Z", error="请求编号的格式不对，请刷新页面后重试。"),
        metadata={"description": "每次弹窗生成一个随机编号；同一编号上报多少次都只计一次"},
    )
    accepted = List(
        String(validate=Length(min=1, max=32)),
        required=True,
        validate=Length(max=20),
        metadata={"description": "用户点了允许的 template"},
    )
