"""Routes of a code that a web page shows and a phone scans."""

from __future__ import annotations

import hashlib
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, request

from app.core import clock
from app.core.access import Role, access, client_address, identity, request_now
from app.core.openapi import TICKET
from app.face import scan
from app.face.schemas import (
    ScanLoginIn,
    ScanOpenedOut,
    ScanQuestionOut,
    ScanSeenOut,
    ScanShownOut,
    ScanStudyIn,
)

blueprint = APIBlueprint("scan", __name__, url_prefix="/api/v1/scan-tickets", tag="扫码")

WAIT_SECONDS = 2  # between two questions of a page
_SENTENCES = {
    "login": "有人要在电脑上用您的账号登录。是您本人吗？如果不是您在操作，请点“不是我”。",
    "study_now": "您正在电脑上准备学习。是您本人吗？确认后，电脑会自动继续。",
}


def _asker() -> dict[str, str]:
    return {
        "site": current_app.config["SETTINGS"].public_url,
        "user_agent": request.user_agent.string,
        "address": client_address(),
    }


def _secret() -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "ticket" else ""


def _shown(shown: scan.Shown) -> dict[str, Any]:
    return {
        "id": shown.ticket.id,
        "secret": shown.secret,
        "picture": shown.picture,
        "by": shown.by,
        "expires_at": clock.iso(shown.ticket.expires_at),
        "server_now": clock.iso(request_now()),
        "wait_seconds": WAIT_SECONDS,
    }


@blueprint.post("/login")
@access(Role.PUBLIC, entrance=True)
@blueprint.input(ScanLoginIn)
@blueprint.output(ScanShownOut, status_code=201)
@blueprint.doc(summary="网页：扫码登录", description="显示二维码，2 分钟内用已登录的手机扫码确认。")
def ask_for_login(json_data: dict[str, Any]) -> dict[str, Any]:
    return _shown(scan.ask_for_login(json_data["programme"], **_asker(), now=request_now()))


@blueprint.post("/study")
@access(Role.TRAINEE)
@blueprint.input(ScanStudyIn)
@blueprint.output(ScanShownOut, status_code=201)
@blueprint.doc(summary="网页：立即学习前用手机核验", description="只有同一学员的手机能确认。")
def ask_for_study(json_data: dict[str, Any]) -> dict[str, Any]:
    return _shown(scan.ask_for_study(identity(), json_data["enrolment_id"], **_asker(), now=request_now()))


@blueprint.get("/<ticket_id>")
@access(Role.TICKET)
@blueprint.output(ScanSeenOut)
@blueprint.doc(
    summary="网页：询问扫码状态",
    description="每隔 wait_seconds 秒带 If-None-Match 询问一次，没有变化时返回 304。",
    responses={304: "没有变化", 404: "不是本页面的二维码"},
    security=TICKET,
)
def see(ticket_id: str) -> Any:
    ticket, status, name = scan.see(ticket_id, _secret(), now=request_now())
    body = {
        "status": status,
        "name": name,
        "expires_at": clock.iso(ticket.expires_at),
        "wait_seconds": WAIT_SECONDS,
    }
    response: Response = jsonify(body)
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:16])
    response.headers["Retry-After"] = str(WAIT_SECONDS)
    return response.make_conditional(request)


@blueprint.post("/<ticket_id>/go-on")
@access(Role.TICKET)
@blueprint.output(ScanOpenedOut)
@blueprint.doc(
    summary="网页：确认后继续", description="只能用一次；回答丢失时可重发，得到同一个登录。", security=TICKET
)
def go_on(ticket_id: str) -> dict[str, Any]:
    opened = scan.go_on(ticket_id, _secret(), now=request_now())
    return {"token": opened.token, "next": opened.next, "enrolment_id": opened.subject}


@blueprint.post("/<ticket_id>/scan")
@access(Role.TRAINEE)
@blueprint.output(ScanQuestionOut)
@blueprint.doc(summary="手机：扫到二维码", description="返回要确认的内容；另一位学员的学习二维码会被拒绝。")
def question(ticket_id: str) -> dict[str, Any]:
    asked = scan.question(ticket_id, identity(), now=request_now())
    return {
        "purpose": asked.ticket.purpose,
        "status": asked.status,
        "sentence": _SENTENCES[asked.ticket.purpose],
        "programme": asked.programme,
        "name": asked.name,
        "device": asked.ticket.device,
        "asked_at": clock.iso(asked.ticket.created_at),
        "expires_at": clock.iso(asked.ticket.expires_at),
        "server_now": clock.iso(request_now()),
        "face": dict(zip(("purpose", "subject"), asked.face, strict=True)) if asked.face else None,
    }


@blueprint.post("/<ticket_id>/confirm")
@access(Role.TRAINEE)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="手机：是我本人", responses={403: "还要先通过人脸核验", 409: "二维码已失效"})
def confirm(ticket_id: str) -> str:
    scan.confirm(ticket_id, identity(), now=request_now())
    return ""


@blueprint.post("/<ticket_id>/deny")
@access(Role.TRAINEE)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="手机：不是我", responses={409: "二维码已失效"})
def deny(ticket_id: str) -> str:
    scan.deny(ticket_id, identity(), now=request_now())
    return ""
