"""WeChat's routes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import current_app

from app.core.access import Role, access, client_address, identity, request_now
from app.wechat import messages, schemas, service

blueprint = APIBlueprint("wechat", __name__, url_prefix="/api/v1/wechat", tag="微信")


@blueprint.post("/login")
@access(Role.PUBLIC, entrance=True)
@blueprint.input(schemas.LoginIn)
@blueprint.output(schemas.LoginOut)
@blueprint.doc(
    summary="微信登录",
    description="已绑定的微信直接登录；未绑定的、绑定后密码改过或重设过的，给出绑定凭据，用密码登录后凭它绑定。",
)
def log_in(json_data: dict[str, Any]) -> dict[str, Any]:
    result = service.log_in(json_data["programme"], json_data["code"], client_address(), now=request_now())
    if isinstance(result, service.Unbound):
        return {"bound": False, "bind_ticket": result.bind_ticket}
    return {
        "bound": True,
        "token": result.token,
        "activated": result.next == "home",
        "must_change_password": result.next == "password",
        "next": result.next,
    }


@blueprint.post("/bind")
@access(Role.TRAINEE)
@blueprint.input(schemas.BindIn)
@blueprint.output(schemas.BindOut)
@blueprint.doc(summary="绑定或换绑微信", description="需要再次输入密码；换绑后其他登录都会退出，并短信通知本人。")
def bind(json_data: dict[str, Any]) -> dict[str, Any]:
    rebound = service.bind(identity(), json_data["bind_ticket"], json_data["password"], now=request_now())
    return {"bound": True, "rebound": rebound}


@blueprint.post("/unbind")
@access(Role.TRAINEE)
@blueprint.input(schemas.UnbindIn)
@blueprint.output(schemas.BindOut)
@blueprint.doc(summary="解除微信绑定", description="需要再次输入密码；其他登录都会退出，并短信通知本人。")
def unbind(json_data: dict[str, Any]) -> dict[str, Any]:
    service.unbind(identity(), json_data["password"], now=request_now())
    return {"bound": False, "rebound": False}


@blueprint.post("/phone")
@access(Role.TRAINEE)
@blueprint.input(schemas.PhoneIn)
@blueprint.output(schemas.PhoneOut)
@blueprint.doc(
    summary="用微信手机号更换手机号", description="需要再次输入密码，并短信通知原手机号；不能用来激活账号。"
)
def change_phone(json_data: dict[str, Any]) -> dict[str, Any]:
    return {"phone": service.change_phone(identity(), json_data["code"], json_data["password"], now=request_now())}


@blueprint.post("/authorise")
@access(Role.TRAINEE)
@blueprint.input(schemas.AuthoriseIn)
@blueprint.output(schemas.AuthoriseOut)
@blueprint.doc(summary="微信内网页：支付前授权", description="只取得付款所需的微信标识，不能用来登录。")
def authorise(json_data: dict[str, Any]) -> dict[str, Any]:
    site: str = current_app.config["SETTINGS"].public_url
    key, back = json_data["programme"], json_data["back"]
    return {"url": service.begin_authorisation(identity(), key, back, site=site, now=request_now())}


@blueprint.post("/authorised")
@access(Role.TRAINEE)
@blueprint.input(schemas.AuthorisedIn)
@blueprint.output(schemas.AuthorisedOut)
@blueprint.doc(summary="微信内网页：授权后返回", description="凭证只能用一次，且只对发起授权的这次登录有效。")
def authorised(json_data: dict[str, Any]) -> dict[str, Any]:
    code, state = json_data["code"], json_data["state"]
    return {"back": service.finish_authorisation(identity(), code, state, now=request_now())}


@blueprint.get("/subscriptions")
@access(Role.TRAINEE)
@blueprint.output(schemas.SubscriptionsOut)
@blueprint.doc(summary="可以请求允许的订阅消息")
def list_subscriptions() -> dict[str, Any]:
    return {"items": [asdict(each) for each in messages.offered(identity(), now=request_now())]}


@blueprint.post("/subscriptions")
@access(Role.TRAINEE)
@blueprint.input(schemas.AllowIn)
@blueprint.output(schemas.SubscriptionsOut)
@blueprint.doc(summary="上报用户允许的订阅消息", description="允许一次可发一条；没有允许的，改发短信。")
def allow(json_data: dict[str, Any]) -> dict[str, Any]:
    request_id, accepted = json_data["request_id"], json_data["accepted"]
    return {"items": [asdict(each) for each in messages.allow(identity(), request_id, accepted, now=request_now())]}
