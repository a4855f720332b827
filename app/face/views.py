"""Routes of photos and face checks, and the page to which the provider sends people back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request

from app.core import clock
from app.core.access import Role, access, identity, person_id, request_now
from app.core.errors import INVALID, NOT_FOUND
from app.core.openapi import gives, takes
from app.face import photos, queries, service
from app.face.schemas import (
    CheckOut,
    FinishIn,
    PhotoCheckOut,
    PhotoIn,
    PhotoOut,
    PhotoRuleOut,
    PictureIn,
    ReplacementIn,
    ReplacementOut,
    StartIn,
    StartOut,
)
from app.face.uploads import MAX_BODY, read_upload

photo = APIBlueprint("photo", __name__, url_prefix="/api/v1/photo", tag="照片")
checks = APIBlueprint("face_checks", __name__, url_prefix="/api/v1/face-checks", tag="人脸核验")
pages = APIBlueprint("face_pages", __name__, url_prefix="/face", template_folder="templates", enable_openapi=False)

_SENTENCES = {
    "no_face": "没有看清您的脸，请正对镜头、摘下帽子和口罩后再试。",
    "not_live": "请本人正对镜头，不要使用照片或屏幕翻拍。",
    "poor_quality": "画面不够清楚，请在光线均匀的地方再试一次。",
    "low_score": "与本人不够相似，请摘下帽子、眼镜，正对镜头再试。",
    "identity_mismatch": "姓名与身份证号核验不一致，请联系客服核对报名信息。",
    "no_reference": "核验机构没有可比对的照片，请联系客服人工核验。",
    "other_person": "核验的不是您本人的信息，请重新发起核验。",
}
_BY_STATUS = {
    "created": "还没有收到核验结果，请完成核验后再试。",
    "unknown": "核验服务没有响应，本次不计入失败次数，请再试一次。",
    "passed": "核验通过。",
    "failed": "核验没有通过，请再试一次。",
    "expired": "核验已超时，请重新发起。",
    "consumed": "这次核验已经使用过。",
}


@photo.get("/rule")
@photo.doc(summary="照片要求与状态")
@photo.output(PhotoRuleOut)
@access(Role.TRAINEE)
def get_rule() -> Any:
    """What photo is wanted, and how the caller's stands."""
    return photos.wanted(identity(), now=request_now())


@photo.post("")  # the mini-program and the app upload by POST only
@photo.put("")
@photo.doc(summary="上传一寸照片")
@photo.output(PhotoOut)
@access(Role.TRAINEE, max_body=MAX_BODY)
@takes(PhotoIn, "multipart/form-data")
def put_photo() -> Any:
    """Keeps the photo, or says what is wrong with it."""
    data, _ = read_upload("photo")
    return photos.set_photo(identity(), data, now=request_now())


@photo.post("/check")
@photo.doc(summary="检查照片是否合格（不保存）")
@photo.output(PhotoCheckOut)
@access(Role.TRAINEE, max_body=MAX_BODY)
@takes(PhotoIn, "multipart/form-data")
def check_photo() -> Any:
    """Hints before the photo is handed in."""
    data, _ = read_upload("photo")
    hints = photos.check_photo(identity(), data, now=request_now())
    return {"fine": not hints, "hints": hints}


@photo.post("/replacement")
@photo.doc(summary="申请更换已确认的照片", description="由客服核对；同意后短信通知，再重新上传。")
@photo.output(ReplacementOut)
@access(Role.TRAINEE)
@photo.input(ReplacementIn)
def ask_replacement(json_data: dict[str, Any]) -> Any:
    """A confirmed photo is changed by support only."""
    return {"filed": photos.ask_replacement(identity(), json_data["reason"], now=request_now())}


@photo.get("")
@photo.doc(summary="查看本人照片")
@access(Role.TRAINEE)
@gives("image/jpeg")
def get_photo() -> Response:
    """The caller's own photo."""
    picture = queries.read_photo(person_id())
    if picture is None:
        raise NOT_FOUND("您还没有上传照片。")
    response = Response(picture, content_type="image/jpeg")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = 'inline; filename="photo.jpg"'
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@checks.post("")
@checks.doc(summary="发起人脸核验")
@checks.input(StartIn)
@checks.output(StartOut, status_code=201)
@access(Role.ACTIVATING)
def start(json_data: dict[str, Any]) -> Any:
    """Purpose "login" for everybody who signed in, "study" for activated persons."""
    started = service.start_check(identity(), now=request_now(), **json_data)
    return {
        "id": started.check.id,
        "nonce": started.nonce,
        "method": started.check.method,
        "h5_url": started.h5_url,
        "expires_at": clock.iso(started.check.expires_at),
    }


@checks.post("/<check_id>/picture")
@checks.doc(summary="提交现场照片")
@checks.output(CheckOut)
@access(Role.ACTIVATING, max_body=MAX_BODY)
@takes(PictureIn, "multipart/form-data")
def submit(check_id: str) -> Any:
    """A picture of the camera is judged at once."""
    data, fields = read_upload("picture")
    nonce = fields.get("nonce", "")
    if not nonce:
        raise INVALID(fields={"nonce": "缺少核验凭证，请重新发起核验。"})
    return _told(service.submit_picture(check_id, identity(), nonce=nonce, data=data, now=request_now()))


@checks.post("/<check_id>/finish")
@checks.doc(summary="从核验页面返回后确认结果")
@checks.input(FinishIn)
@checks.output(CheckOut)
@access(Role.ACTIVATING)
def finish(check_id: str, json_data: dict[str, Any]) -> Any:
    """The server asks the provider; coming back proves nothing."""
    return _told(service.finish_check(check_id, identity(), nonce=json_data["nonce"], now=request_now()))


@checks.get("/<check_id>")
@checks.doc(summary="查看核验状态")
@checks.output(CheckOut)
@access(Role.ACTIVATING)
def see(check_id: str) -> Any:
    """Where a check stands."""
    return _told(service.see_check(check_id, person_id(), now=request_now()))


@pages.get("/return")
@access(Role.PUBLIC)
def returned() -> Any:
    """Where the provider's page sends the browser back: to the web page, which asks how the check stands, or to a
    word that the app or the mini-program goes on. Changes nothing, believes nothing."""
    genuine = service.returned(request.args.get("check", ""), request.args.get("nonce", ""), now=request_now())
    if genuine and "web" in request.args:
        return redirect(f"/?face={request.args['check']}", 303)
    check_id = request.args["check"] if genuine else None
    page = render_template("face/return.html", check_id=check_id, done=request.args.get("outcome") == "done")
    response = Response(page, status=200 if genuine else 400, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/return.css")
@access(Role.PUBLIC)
def returned_style() -> Response:
    """The page's style, as a file of its own: the Content-Security-Policy allows nothing inline."""
    style = (Path(__file__).parent / "templates" / "face" / "return.css").read_text(encoding="utf-8")
    return Response(style, content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=3600"})


def _told(outcome: service.Outcome) -> dict[str, Any]:
    check = outcome.check
    sentence = _BY_STATUS[check.status]
    if check.status == "failed":
        sentence = _SENTENCES.get(check.reason or "", sentence)
    out_of_tries = check.status != "passed" and outcome.retries_left == 0
    return {
        "id": check.id,
        "purpose": check.purpose,
        "method": check.method,
        "status": check.status,
        "reason": check.reason,
        "sentence": sentence,
        "retries_left": outcome.retries_left,
        "expires_at": clock.iso(check.expires_at),
        "manual_route": {"phone": outcome.phone} if out_of_tries else None,
        "token": outcome.token,
    }
