"""Routes for a front end before anybody has signed in: nobody's own, so that phones and proxies may keep them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, request

from app.core.access import Role, access, request_now
from app.core.errors import NOT_FOUND
from app.home import front
from app.home.front_schemas import ClientOut, ProgrammesOut, TextOut
from app.home.texts import TEXTS

blueprint = APIBlueprint("front", __name__, url_prefix="/api/v1", tag="前端")

MINUTES = 5  # how long an answer is good without asking again
SAME = {304: "与 If-None-Match 所示的相同"}


def _kept(body: Any) -> Response:
    response = jsonify(body)
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.headers["Cache-Control"] = f"public, max-age={MINUTES * 60}"
    response.make_conditional(request)
    return response


@blueprint.get("/client")
@access(Role.PUBLIC)
@blueprint.output(ClientOut)
@blueprint.doc(
    summary="前端的版本与下载",
    description="每次请求可带 X-Client-Version；低于 minimum 时，登录和首页返回 409 client_too_old，"
    "正在进行的学习、考试和支付不受影响。",
    responses=SAME,
)
def get_client() -> Response:
    return _kept(asdict(front.client(current_app.config["SETTINGS"])))


@blueprint.get("/programmes")
@access(Role.PUBLIC)
@blueprint.output(ProgrammesOut)
@blueprint.doc(summary="培训项目与客服电话", description="只有一个项目时，登录页不用选择。", responses=SAME)
def list_programmes() -> Response:
    return _kept({"items": [asdict(entry) for entry in front.programmes(request_now())]})


@blueprint.get("/texts/<name>")
@access(Role.PUBLIC)
@blueprint.output(TextOut)
@blueprint.doc(
    summary="协议与说明", description="agreement 用户协议 / privacy 隐私政策 / face 人脸信息说明", responses=SAME
)
def get_text(name: str) -> Response:
    if name not in TEXTS:
        raise NOT_FOUND()
    return _kept(asdict(TEXTS[name]))
