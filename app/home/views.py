"""The first screen, the plain page that stands in for the front end, and the API's description."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, render_template, request, send_from_directory

from app.account.service import CONSENT_VERSIONS
from app.core.access import Role, access, identity, request_now
from app.core.clock import utcnow
from app.core.errors import NOT_FOUND, TABLE
from app.face.models import EVIDENCE_DAYS
from app.home import fingerprint, kept
from app.home.schemas import HomeOut
from app.policy import load as policy
from app.policy import rules

blueprint = APIBlueprint("home", __name__, tag="首页", template_folder="templates")

ASSETS = frozenset({"home.css", "home.js", "screen.js", "trainings.js", "docs.css", "icon.svg"})
METHODS = ("get", "post", "put", "patch", "delete")


@blueprint.get("/api/v1/home")
@access(Role.TRAINEE, reading=fingerprint.with_session)
@blueprint.output(HomeOut)
@blueprint.doc(summary="首页：我的培训与下一步", responses={304: "与 If-None-Match 所示的相同"})
def home() -> Response:
    """一次取得首页所需的全部内容。内容未变时 ETag 不变（server_now 不计入）。"""
    now = request_now()
    who = identity()
    found = kept.home(who.person_id, who.rows, now=now)
    known = "If-None-Match" in request.headers and request.if_none_match.contains_weak(found.etag)
    response = Response(status=304) if known else Response(found.body(now), content_type="application/json")
    response.headers["ETag"] = f'W/"{found.etag}"'
    return response


@blueprint.get("/")
@access(Role.PUBLIC)
@blueprint.doc(hide=True)
def page() -> str:
    """The page that shows a trainee's state."""
    settings = current_app.config["SETTINGS"]
    programmes = []
    for programme in policy.all_in_force(utcnow()):
        first = rules.first_password(programme.login.person, account="", mobile=None, certificate_kinds=())
        programmes.append({"key": programme.key, "title": programme.title, "first_password": first})
    phone = settings.sandbox_url if settings.demo else None
    return render_template("home.html", programmes=programmes, phone=phone)


@blueprint.get("/texts")
@access(Role.PUBLIC)
@blueprint.doc(hide=True)
def texts() -> str:
    """The texts that a person agrees to, in the versions in force."""
    return render_template("texts.html", versions=CONSENT_VERSIONS, evidence_days=EVIDENCE_DAYS)


@blueprint.get("/assets/<name>")
@access(Role.PUBLIC)
@blueprint.doc(hide=True)
def asset(name: str) -> Response:
    """The page's style and script."""
    if name not in ASSETS:
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
