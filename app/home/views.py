"""The first screen, the settings, the texts as a page, and the API's description."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, render_template, request, send_from_directory

from app.core.access import Role, access, identity, request_now
from app.core.clock import iso
from app.core.errors import NOT_FOUND, TABLE
from app.home import fingerprint, kept, settings
from app.home.schemas import HomeOut, SettingsOut
from app.home.texts import TEXTS

blueprint = APIBlueprint("home", __name__, tag="首页", template_folder="templates")

STYLES = frozenset({"pages.css", "docs.css", "icon.svg"})
METHODS = ("get", "post", "put", "patch", "delete")


@blueprint.get("/api/v1/home")
@access(Role.TRAINEE, reading=fingerprint.with_session, entrance=True)
@blueprint.output(HomeOut)
@blueprint.doc(summary="首页：我的培训与下一步", responses={304: "与 If-None-Match 所示的相同"})
def home() -> Response:
    """一次取得首页所需的全部内容。内容未变时 ETag 不变（server_now 不计入）。"""
    now = request_now()
    who = identity()
    found = kept.home(who.person_id, who.rows, now=now)
    known = "HTTP_IF_NONE_MATCH" in request.environ and request.if_none_match.contains_weak(found.etag)
    etag = [("ETag", f'W/"{found.etag}"')]
    if known:
        return Response(status=304, headers=etag)
    return Response(found.body(now), headers=etag, content_type="application/json")


@blueprint.get("/api/v1/settings")
@access(Role.TRAINEE)
@blueprint.output(SettingsOut)
@blueprint.doc(summary="设置页：账号、协议、微信绑定", description="个人信息均已打码。")
def get_settings() -> dict[str, Any]:
    found = settings.settings(identity(), now=request_now())
    bound_at = found.wechat_bound_at
    return {
        "me": found.me,
        "consents": [
            asdict(one)
            | {"agreed": one.agreed_at is not None, "agreed_at": iso(one.agreed_at) if one.agreed_at else None}
            for one in found.consents
        ],
        "wechat": {
            "offered": found.wechat_offered,
            "bound": bound_at is not None,
            "bound_at": iso(bound_at) if bound_at else None,
        },
    }


@blueprint.get("/texts")
@access(Role.PUBLIC)
@blueprint.doc(hide=True)
def texts() -> str:
    """The texts that a person agrees to, in the versions in force."""
    return render_template("texts.html", texts=TEXTS.values())


@blueprint.get("/style/<name>")
@access(Role.PUBLIC)
@blueprint.doc(hide=True)
def style(name: str) -> Response:
    """The style and the icon of the pages that are no part of the front end."""
    if name not in STYLES:
        raise NOT_FOUND()
    return send_from_directory(f"{blueprint.root_path}/static", name, max_age=0)  # asked again, answered 304


@blueprint.get("/api/openapi.json")
@access(Role.PUBLIC)
@blueprint.doc(hide=True)
def openapi() -> Response:
    """The API's description (OpenAPI 3.1)."""
    return jsonify(current_app.spec)  # type: ignore[attr-defined]


@blueprint.get("/api/docs")
@access(Role.PUBLIC)
@blueprint.doc(hide=True)
def docs() -> str:
    """The same for people, without any outside host."""
    spec = current_app.spec  # type: ignore[attr-defined]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in spec["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                tag = (operation.get("tags") or ["其他"])[0]
                groups.setdefault(tag, []).append({"method": method, "path": path, **operation})
    problems = sorted(TABLE.values(), key=lambda kind: (kind.status, kind.code))
    return render_template("docs.html", groups=groups, problems=problems, schemas=spec["components"]["schemas"])
