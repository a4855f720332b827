"""Invoices at the desk of finance: looked for, held, released, put forward for a correction, and many in one ZIP."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date
from io import BytesIO

from flask import Response, request, send_file

from app.cases import service as cases
from app.console import words
from app.console.pages import blueprint, go, is_htmx, page
from app.core import audit
from app.core.access import Role, access, request_now, staff
from app.core.clock import day_of
from app.core.errors import INVALID, NOT_FOUND, Problem
from app.core.staff import EVERYWHERE, Right
from app.invoice import service as invoices
from app.invoice.finance import bundles, queries, service
from app.invoice.finance.queries import Wanted
from app.invoice.models import Invoice
from app.policy import load as policy
from app.policy.days import shanghai_day
from app.staff import service as staff_service

FINANCE = (Right.FINANCE, Right.ADMINISTRATOR)
MAX_BODY = queries.MAX_RED_FILE + 64 * 1024
STATES = {
    "all": "全部状态",
    "waiting": "未开或开具中",
    "held": "暂缓",
    "ready": "已开具",
    "trouble": "有问题",
    "over": "不再开具或已红冲",
}
BUNDLES = {"queued": "等待打包", "making": "正在打包", "ready": "可以下载", "failed": "没有成功", "over": "已过期"}


def _programmes() -> list[str]:
    """Whose invoices this person looks after."""
    where = staff().staff.programmes(Right.FINANCE)
    return [
        key
        for key in sorted({one.key for one in policy.all_programmes() if one.invoice})
        if EVERYWHERE in where or key in where
    ]


def _day(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return day_of(text)
    except ValueError:
        raise INVALID("日期不正确，请用日历选择。", fields={name: "请用日历选择日期。"}) from None


def _wanted() -> Wanted:
    """What the form asks for; what it names wrongly is left out."""
    form = request.form
    programme, state = form.get("programme", ""), form.get("state", "all")
    return Wanted(
        programme if programme in _programmes() else "",
        state if state in STATES else "all",
        _day("since"),
        _day("until"),
        " ".join(form.get("payer", "").split())[:60],
    )


def _list(wanted: Wanted, *, status: int = 200, text: str = "") -> Response:
    who = staff().staff
    holds = {one.programme: one for one in queries.holds() if who.may(Right.FINANCE, one.programme)}
    names = staff_service.names({one.held_by for one in holds.values()})
    hits = queries.search(who, wanted)
    return page(
        "invoices.html",
        status,
        wanted=wanted,
        states=STATES,
        programmes=_programmes(),
        rows=hits.rows,
        cut=hits.cut,
        scanned=queries.SCANNED,
        shown=queries.PAGE,
        words=queries.STATUSES,
        holds=holds,
        held_by={one.programme: words.actor(one.held_by, names) for one in holds.values()},
        text=text,
    )


@blueprint.get("/invoices")
@access(Role.STAFF, rights=FINANCE)
def invoices_page() -> Response:
    """The latest invoices, and which programmes are held."""
    return _list(Wanted())


@blueprint.post("/invoices")
@access(Role.STAFF, rights=FINANCE)
def search_invoices() -> Response:
    """Those that fit. A form that is sent: names do not belong into addresses."""
    return _list(_wanted())


@blueprint.get("/invoices/<invoice_id>")
@access(Role.STAFF, rights=FINANCE)
def invoice_page(invoice_id: str) -> Response:
    """One invoice: what stands on it, how it came, what finance can do."""
    return _invoice(queries.one(staff().staff, invoice_id))


def _invoice(
    row: Invoice,
    *,
    status: int = 200,
    text: str = "",
    tone: str = "good",
    typed: Mapping[str, str] | None = None,
) -> Response:
    lines = audit.about((f"invoice:{row.id}",), limit=50)
    names = staff_service.names({line.actor for line in lines})
    return page(
        "invoice.html",
        status,
        row=row,
        sheet=queries.sheet(row),
        word=queries.STATUSES.get(row.status, row.status),
        case=cases.open_about("invoice.correction", [f"invoice:{row.id}"]).get(f"invoice:{row.id}"),
        history=[
            (line, words.actor(line.actor, names), words.action(line.action), str(line.data.get("reason") or ""))
            for line in lines
        ],
        entered=cases.open_about(queries.RED_CASE, [f"invoice:{row.id}"]).get(f"invoice:{row.id}"),
        by_hand=queries.may_enter_red(row, now=request_now()),
        today=shanghai_day(request_now()),
        typed=typed or {},
        text=text,
        tone=tone,
    )


@blueprint.get("/invoices/<invoice_id>/pdf")
@access(Role.STAFF, rights=FINANCE)
def invoice_file(invoice_id: str) -> Response:
    """The PDF itself, which names the payer: looking at it is written down."""
    row = queries.one(staff().staff, invoice_id)
    data = invoices.file_of(row)
    audit.record(staff().staff.actor, "invoice.viewed", f"invoice:{row.id}", now=request_now())
    return send_file(BytesIO(data), mimetype="application/pdf", download_name=f"{row.number}.pdf")


VERBS = {"hold": service.hold, "release": service.release, "correct": service.ask_correction}
PROGRAMME_VERBS = {"hold": service.hold_programme, "release": service.release_programme}
DONE = {
    "hold": "已暂缓，放行前不会开具。",
    "release": "已放行，到开具日自动开出。",
    "correct": "已提交，等待财务办理和复核。",
}


@blueprint.post("/invoices/<invoice_id>/red-letter")
@access(Role.STAFF, rights=FINANCE, max_body=MAX_BODY)
def enter_red_letter(invoice_id: str) -> Response:
    """A red letter that was issued in the tax bureau's own system, with its PDF; what was typed stays if it is
    refused."""
    who, form, file = staff().staff, request.form, request.files.get("file")
    try:
        day = day_of(form.get("day", ""))
    except ValueError:
        day = None
    pdf = file.read() if file is not None else b""
    try:
        service.enter_red(
            who, invoice_id, form.get("number", ""), day, pdf, form.get("reason", ""), now=request_now()
        )
    except Problem as problem:
        if problem.kind.status == 404:
            raise
        row = queries.one(who, invoice_id)
        return _invoice(row, status=problem.kind.status, text=problem.detail, tone="bad", typed=form)
    return _invoice(queries.one(who, invoice_id), text="已登记，等待财务办理和复核。")


@blueprint.post("/invoices/<invoice_id>/<verb>")
@access(Role.STAFF, rights=FINANCE)
def do_with_invoice(invoice_id: str, verb: str) -> Response:
    """Hold one, release it, or put it forward for a correction."""
    who = staff().staff
    if verb not in VERBS:
        raise NOT_FOUND()
    try:
        VERBS[verb](who, invoice_id, request.form.get("reason", ""), now=request_now())
    except Problem as problem:
        if problem.kind.status == 404:
            raise
        row = queries.one(who, invoice_id)
        return _invoice(row, status=problem.kind.status, text=problem.detail, tone="bad")
    return _invoice(queries.one(who, invoice_id), text=DONE[verb])


@blueprint.post("/invoices/programmes/<programme>/<verb>")
@access(Role.STAFF, rights=FINANCE)
def do_with_programme(programme: str, verb: str) -> Response:
    """Hold a whole programme's invoices, or let them go on."""
    if verb not in PROGRAMME_VERBS:
        raise NOT_FOUND()
    change = PROGRAMME_VERBS[verb]
    try:
        change(staff().staff, programme, request.form.get("reason", ""), now=request_now())
    except Problem as problem:
        if problem.kind.status == 404:
            raise
        return _list(Wanted(), status=problem.kind.status, text=problem.detail)
    return go("/console/invoices")


# --- many in one file --------------------------------------------------------------------------------------------


@blueprint.get("/invoices/bundles")
@access(Role.STAFF, rights=FINANCE)
def bundles_page() -> Response:
    """My ZIPs, and how far they are; asks for itself until all are made."""
    rows = queries.bundles_of(staff().staff)
    moving = any(row.status in ("queued", "making") for row in rows)
    return page("_bundles.html" if is_htmx() else "bundles.html", rows=rows, moving=moving, words=BUNDLES)


@blueprint.post("/invoices/bundles")
@access(Role.STAFF, rights=FINANCE)
def ask_bundle() -> Response:
    """Have what was looked for put into a ZIP."""
    wanted = _wanted()
    try:
        bundles.ask(staff().staff, wanted, request.form.get("reason", ""), now=request_now())
    except Problem as problem:
        return _list(wanted, status=problem.kind.status, text=problem.detail)
    return go("/console/invoices/bundles")


@blueprint.get("/invoices/bundles/<bundle_id>/file")
@access(Role.STAFF, rights=FINANCE)
def bundle_file(bundle_id: str) -> Response:
    """The ZIP."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the response
    bundles.fetch(staff().staff, bundle_id, file, now=request_now())
    file.seek(0)
    return send_file(file, mimetype="application/zip", as_attachment=True, download_name=f"fapiao-{bundle_id}.zip")
