"""The proof's routes: the owner's, and the public check."""

from __future__ import annotations

from typing import Any

import segno
from apiflask import APIBlueprint
from flask import Response, render_template, request, send_from_directory

from app.certificate import queries, schemas, service
from app.certificate.errors import NO_SUCH_PROOF
from app.certificate.models import Proof
from app.certificate.status import Status
from app.core.access import Role, access, person_id, request_now
from app.core.crypto import mask_name
from app.core.errors import Problem
from app.core.openapi import gives
from app.policy.days import shanghai_day

blueprint = APIBlueprint("certificate", __name__, url_prefix="/api/v1", tag="证明")
public = APIBlueprint("verify", __name__, template_folder="templates", enable_openapi=False)

UPLOAD_PHOTO = "考试已全部合格。还缺一张通过核验的照片：请上传照片并完成人脸核验，证明会自动出具，不用再考。"
REVOKED = "这份证明已被撤销，不再有效；下载的文件上会标明“已撤销”。如有疑问，请联系客服。"
RARE_NAME = "您姓名中有字库印不出的生僻字，证明上以国际编码〔U+…〕标出并加注，不影响效力；工作人员已收到提示。"


@blueprint.get("/enrolments/<enrolment_id>/proof")
@access(Role.TRAINEE)
@blueprint.output(schemas.ProofOut)
@blueprint.doc(summary="我的证明")
def proof(enrolment_id: str) -> dict[str, Any]:
    now = request_now()
    row = service.of_enrolment(enrolment_id, person_id(), now=now)
    issued = row.status != Status.PENDING_PHOTO
    verify_url = service.verify_url(row) if issued else None
    shared = f"{queries.kind_title(row)}继续教育{queries.rules_of(row).title}，编号 {row.number}"
    next_steps = {Status.PENDING_PHOTO: UPLOAD_PHOTO, Status.REVOKED: REVOKED}
    return {
        "status": row.status,
        "next_step": next_steps.get(row.status),
        "title": queries.rules_of(row).title,
        "number": row.number,
        "issued_on": str(queries.issued_on(row)) if issued else None,
        "revoked_on": str(shanghai_day(row.revoked_at)) if row.revoked_at else None,
        "pdf_url": service.pdf_link(row, now=now) if issued else None,
        "verify_url": verify_url,
        "qr_svg": segno.make(verify_url, error="m").svg_data_uri(scale=6, border=2) if verify_url else None,
        "share_text": shared if issued else None,
        "note": RARE_NAME if row.unwritable else None,
    }


@blueprint.get("/proofs/<proof_id>.pdf")
@access(Role.TICKET)
@gives("application/pdf")
@blueprint.doc(summary="下载证明（PDF）", description="链接来自“我的证明”，十分钟内有效。")
def download(proof_id: str) -> Response:
    row, file = service.printed(proof_id, request.args.get("ticket", ""), now=request_now())
    response = Response(file, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{row.number}.pdf"'
    return response


def _public(row: Proof) -> dict[str, Any]:
    programme = queries.programme_of(row)
    return {
        "valid": row.status == Status.VALID,
        "status": row.status,
        "title": queries.rules_of(row).title,
        "name": mask_name(row.name),
        "kind": queries.kind_title(row),
        "number": row.number,
        "issued_on": str(queries.issued_on(row)),
        "revoked_on": str(shanghai_day(row.revoked_at)) if row.revoked_at else None,
        "programme": programme.title,
        "authority": programme.authority.name,
    }


@blueprint.get("/verify/<token>")
@access(Role.PUBLIC)
@blueprint.output(schemas.VerifyOut)
@blueprint.doc(summary="核验证明", description="任何人可查；只给出核验所需的最少内容。")
def verify(token: str) -> dict[str, Any]:
    return _public(service.verified(token))


def _page(status: int, **values: Any) -> Response:
    response = Response(render_template("verify.html", **values), status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@public.get("/verify/<token>")
@access(Role.PUBLIC)
def verify_page(token: str) -> Response:
    """The page behind the QR code."""
    try:
        return _page(200, proof=_public(service.verified(token)))
    except Problem as problem:
        if problem.kind is not NO_SUCH_PROOF:
            raise
        return _page(404, proof=None)


@public.get("/verify/style.css")
@access(Role.PUBLIC)
def verify_style() -> Response:
    """The page's style: the policy allows none inside the page."""
    response = send_from_directory(f"{public.root_path}/static", "verify.css")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
