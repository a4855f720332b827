"""Routes of getting in: sign-in, activation, password, consent, phone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint

from app.account import activation, login, me, own_password, phone, service
from app.account.codes import LIVES, WAIT_SECONDS, Purpose
from app.account.login import SignedIn
from app.account.schemas import (
    AskCodeIn,
    CodeIn,
    CodeSentOut,
    ConsentIn,
    LoginIn,
    LogoutIn,
    MeOut,
    NextOut,
    PasswordIn,
    PhoneCodeIn,
    PhoneOut,
    ResetIn,
    ResetOut,
    SignedInOut,
)
from app.account.sessions import or_followed
from app.core.access import Role, access, client_address, identity, request_now

blueprint = APIBlueprint("account", __name__, url_prefix="/api/v1", tag="账号")

Body = dict[str, Any]
_SENT = "验证码已发送，请查收短信，5 分钟内有效。"
_MAYBE_SENT = "如果这个身份证号登记了手机号，验证码已发往该手机，5 分钟内有效。"


def signed_in(result: SignedIn) -> Body:
    """What a sign-in answers."""
    body = asdict(result)
    return body | {"activated": body.pop("full")}


def _sent(notice: str, **more: str | None) -> Body:
    return {"expires_in": int(LIVES.total_seconds()), "wait_seconds": WAIT_SECONDS, "notice": notice} | more


@blueprint.post("/login")
@access(Role.PUBLIC, entrance=True)
@blueprint.input(LoginIn)
@blueprint.output(SignedInOut)
@blueprint.doc(
    summary="登录",
    description="身份证号和密码。初始密码登录后只能激活账号。账号被多次尝试时返回 403 login_code_needed，"
    "需先获取短信验证码再带 code 登录；错误过多返回 429 login_paused。密码正确而账号在别的项目时返回 409 "
    "other_programme，programmes 列出这些项目（key、title）。",
    responses={
        401: "身份证号或密码不正确",
        403: "还需要短信验证码",
        404: "没有这个项目",
        409: "账号在别的项目里，或项目未开放",
        422: "填写有误",
        429: "稍后再试",
    },
)
def post_login(json_data: Body) -> Body:
    result = login.login(
        json_data["programme"],
        json_data["id_number"],
        json_data["password"],
        json_data["channel"],
        code=json_data.get("code"),
        ticket=json_data.get("ticket"),
        address=client_address(),
        now=request_now(),
    )
    return signed_in(result)


def _ask_code(json_data: Body, purpose: Purpose) -> Body:
    key, number = json_data["programme"], json_data["id_number"]
    ticket = login.send_code(key, number, purpose, address=client_address(), now=request_now())
    return _sent(_MAYBE_SENT, ticket=ticket)


@blueprint.post("/login/code")
@access(Role.PUBLIC)
@blueprint.input(AskCodeIn)
@blueprint.output(CodeSentOut)
@blueprint.doc(
    summary="获取登录验证码",
    description="仅在登录返回 login_code_needed 时需要。无论身份证号是否存在，回答都相同。",
    responses={404: "没有这个项目", 409: "项目不支持短信", 422: "填写有误", 429: "获取太频繁"},
)
def post_login_code(json_data: Body) -> Body:
    return _ask_code(json_data, "login")


@blueprint.post("/logout")
@access(Role.ACTIVATING)
@blueprint.input(LogoutIn)
@blueprint.output({}, status_code=204)
@blueprint.doc(
    summary="退出登录",
    description="本次会话立即失效；everywhere 为 true 时，本人在所有设备上的登录都失效。",
    responses={401: "未登录"},
)
def post_logout(json_data: Body) -> str:
    who = identity()
    login.logout(who.person_id, who.session_id, everywhere=json_data["everywhere"], now=request_now())
    return ""


@blueprint.post("/activation/code")
@access(Role.ACTIVATING)
@blueprint.output(CodeSentOut)
@blueprint.doc(
    summary="获取激活验证码",
    description="发往报名数据中登记的手机号，不能自填。",
    responses={401: "未登录", 409: "没有登记手机号，或已激活", 429: "获取太频繁"},
)
def post_activation_code() -> Body:
    sent = activation.send_code(identity(), address=client_address(), now=request_now())
    return _sent(_SENT, phone=sent.phone)


@blueprint.post("/activation")
@access(Role.ACTIVATING, reading=or_followed)
@blueprint.input(CodeIn)
@blueprint.output(SignedInOut)
@blueprint.doc(
    summary="激活账号",
    description="验证码正确后返回新的令牌，原令牌失效；回答丢失时可用原令牌和同一验证码重发，得到同一个新会话。",
    responses={401: "未登录", 409: "已激活", 422: "验证码不正确"},
)
def post_activation(json_data: Body) -> Body:
    return signed_in(activation.confirm(identity(), json_data["code"], address=client_address(), now=request_now()))


@blueprint.post("/password")
@access(Role.ACTIVATING)
@blueprint.input(PasswordIn)
@blueprint.output(NextOut)
@blueprint.doc(
    summary="设置或修改密码",
    description="激活后首次设置不需要原密码。其他设备上的登录全部失效，本次登录保留。",
    responses={401: "未登录", 403: "尚未激活", 422: "原密码不正确或新密码不合要求", 429: "稍后再试"},
)
def post_password(json_data: Body) -> Body:
    new, old = json_data["new_password"], json_data.get("old_password")
    return {"next": own_password.change(identity(), new, old, now=request_now())}


@blueprint.post("/password-reset/code")
@access(Role.PUBLIC)
@blueprint.input(AskCodeIn)
@blueprint.output(CodeSentOut)
@blueprint.doc(
    summary="忘记密码：获取验证码",
    description="无论身份证号是否存在，回答都相同。",
    responses={404: "没有这个项目", 409: "项目不支持短信", 422: "填写有误", 429: "获取太频繁"},
)
def post_reset_code(json_data: Body) -> Body:
    return _ask_code(json_data, "reset")


@blueprint.post("/password-reset")
@access(Role.PUBLIC)
@blueprint.input(ResetIn)
@blueprint.output(ResetOut)
@blueprint.doc(
    summary="忘记密码：重设",
    description="验证码正确即重设密码，所有登录失效，登录限制解除；账号未激活的同时激活。",
    responses={404: "没有这个项目", 422: "验证码不正确或新密码不合要求", 429: "稍后再试"},
)
def post_reset(json_data: Body) -> Body:
    own_password.reset(
        json_data["programme"],
        json_data["id_number"],
        json_data["code"],
        json_data["new_password"],
        ticket=json_data.get("ticket"),
        address=client_address(),
        now=request_now(),
    )
    return {"next": "login"}


@blueprint.post("/consents")
@access(Role.ACTIVATING)
@blueprint.input(ConsentIn)
@blueprint.output(NextOut)
@blueprint.doc(
    summary="同意协议",
    description="用户协议与人脸信息处理分别同意；人脸核验激活前须先同意后者。重复提交不变。",
    responses={401: "未登录", 409: "协议已更新", 422: "填写有误"},
)
def post_consent(json_data: Body) -> Body:
    who, now = identity(), request_now()
    service.give_consent(who.person_id, json_data["kind"], json_data["version"], now=now, session_id=who.session_id)
    return {"next": me.describe(who, now=now).next}


@blueprint.delete("/consents/<kind>")
@access(Role.TRAINEE)
@blueprint.output({}, status_code=204)
@blueprint.doc(
    summary="撤回同意",
    description="只能撤回 face：撤回后不再核验人脸，人脸照片随即删除（证明上的照片不变）；"
    "以后要重新同意、实名核验、上传头像才能学习。重复撤回不变。",
    responses={401: "未登录", 404: "没有这项协议", 409: "这项不能单独撤回"},
)
def delete_consent(kind: str) -> str:
    service.withdraw_consent(identity().person_id, kind, now=request_now())
    return ""


@blueprint.get("/me")
@access(Role.ACTIVATING)
@blueprint.output(MeOut)
@blueprint.doc(summary="我的账号", description="个人信息均已打码。", responses={401: "未登录"})
def get_me() -> Body:
    return asdict(me.describe(identity(), now=request_now()))


@blueprint.post("/phone/code")
@access(Role.TRAINEE)
@blueprint.input(PhoneCodeIn)
@blueprint.output(CodeSentOut)
@blueprint.doc(
    summary="更换手机号：获取验证码",
    description="验证密码后，验证码发往新手机号。",
    responses={401: "未登录", 409: "手机号未变", 422: "密码不正确或填写有误", 429: "稍后再试"},
)
def post_phone_code(json_data: Body) -> Body:
    number = json_data["phone"]
    phone.send_code(identity(), number, json_data["password"], address=client_address(), now=request_now())
    return _sent(_SENT)


@blueprint.post("/phone")
@access(Role.TRAINEE)
@blueprint.input(CodeIn)
@blueprint.output(PhoneOut)
@blueprint.doc(
    summary="更换手机号：确认",
    description="验证码正确即更换，并短信通知原手机号。",
    responses={401: "未登录", 422: "验证码不正确"},
)
def post_phone(json_data: Body) -> Body:
    return {"phone": phone.confirm(identity(), json_data["code"], address=client_address(), now=request_now())}
