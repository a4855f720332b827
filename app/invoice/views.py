"""The payer's details, one's invoices, and the download."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from app.core.access import Role, access, person_id, request_now
from app.core.openapi import gives
from app.invoice import mailing, payers, queries, service
from app.invoice.models import Invoice
from app.invoice.schemas import (
    CorrectionIn,
    InvoiceDetailsOut,
    InvoiceOut,
    InvoicesOut,
    MailIn,
    PayerIn,
    PayerOut,
)
from app.policy.days import shanghai_day

blueprint = APIBlueprint("invoice", __name__, url_prefix="/api/v1", tag="发票")


def dump(card: service.Card, now: datetime) -> dict[str, Any]:
    """A card as the screens show it."""
    row = card.invoice
    ready = row if row is not None and card.state == "ready" else None
    return {
        "id": row.id if row else None,
        "order_id": card.order.id,
        "programme_title": card.programme.title,
        "state": card.state,
        "sentence": card.sentence,
        "contact": card.programme.authority.contacts.invoice,
        "amount_fen": row.gross_fen if row is not None else card.order.amount_fen,
        "due_from": str(shanghai_day(card.due_from)) if card.due_from else None,
        "due_until": str(shanghai_day(card.due_until)) if card.due_until else None,
        "number": ready.number if ready else None,
        "issued_on": str(shanghai_day(ready.issued_at)) if ready else None,
        "pdf_url": service.pdf_link(ready, now=now) if ready else None,
    }


def dump_details(row: Invoice, now: datetime) -> dict[str, Any]:
    """One invoice with what stands on it."""
    buyer = payers.of_row(queries.buyer(row))
    card, mail = service.card(row, now=now), mailing.shown(row)
    return dump(card, now) | {
        "email": buyer.email,
        "mail": vars(mail) if mail is not None else None,
        "mailable": card.state == "ready" and mailing.possible(),
        "correctable": card.state == "ready",
        "title": buyer.title,
        "taxpayer_number": buyer.taxpayer_number,
        "net_fen": row.net_fen,
        "tax_fen": row.tax_fen,
        "tax_rate_permille": row.tax_rate_permille,
        "lines": [
            {
                "name": line.goods_name,
                "gross_fen": line.amount.gross_fen,
                "net_fen": line.amount.net_fen,
                "tax_fen": line.amount.tax_fen,
            }
            for line in queries.lines(row)
        ],
    }


def dump_payer() -> dict[str, Any]:
    """The caller's details."""
    known = service.details(person_id())
    return vars(known) | {"saved": payers.current(person_id()) is not None}


@blueprint.get("/payer")
@access(Role.TRAINEE)
@blueprint.output(PayerOut)
@blueprint.doc(summary="我的开票信息", description="付款前核对；没有保存过时，给出本人姓名作为抬头。")
def get_payer() -> dict[str, Any]:
    return dump_payer()


@blueprint.put("/payer")
@access(Role.TRAINEE)
@blueprint.input(PayerIn)
@blueprint.output(PayerOut)
@blueprint.doc(summary="保存开票信息", description="用于以后的付款；已支付订单的开票信息不会改变。")
def save_payer(json_data: dict[str, Any]) -> dict[str, Any]:
    service.save(person_id(), json_data["details"], now=request_now())
    return dump_payer()


@blueprint.get("/invoices")
@access(Role.TRAINEE)
@blueprint.output(InvoicesOut)
@blueprint.doc(summary="我的发票", description="每个已支付的订单一张，新的在前。")
def list_invoices() -> dict[str, Any]:
    now = request_now()
    cards = service.cards(person_id(), now=now)
    return {
        "invoices": [dump(card, now) for card in cards],
        "zip_url": service.zip_link(person_id(), cards, now=now),
    }


@blueprint.get("/invoices/<invoice_id>")
@access(Role.TRAINEE)
@blueprint.output(InvoiceDetailsOut)
@blueprint.doc(summary="一张发票")
def get_invoice(invoice_id: str) -> dict[str, Any]:
    return dump_details(queries.owned(invoice_id, person_id()), request_now())


@blueprint.post("/orders/<order_id>/invoice")
@access(Role.TRAINEE)
@blueprint.output(InvoiceOut)
@blueprint.doc(summary="申请开票", description="发票按申请开具的项目用；重复申请是同一张。")
def request_invoice(order_id: str) -> dict[str, Any]:
    now = request_now()
    row = service.request(person_id(), order_id, now=now)
    return dump(service.card(row, now=now), now)


@blueprint.post("/invoices/<invoice_id>/mail")
@access(Role.TRAINEE)
@blueprint.input(MailIn)
@blueprint.output(InvoiceDetailsOut)
@blueprint.doc(summary="发送发票到邮箱", description="十分钟内重复发送到同一邮箱是同一封；结果不明的不会自动重发。")
def mail_invoice(invoice_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    now, row = request_now(), queries.owned(invoice_id, person_id())
    mailing.ask(row, json_data["email"], actor=f"person:{person_id()}", now=now)
    return dump_details(row, now)


@blueprint.post("/invoices/<invoice_id>/correction")
@access(Role.TRAINEE)
@blueprint.input(CorrectionIn)
@blueprint.output(InvoiceDetailsOut)
@blueprint.doc(summary="申请更正发票", description="按现在保存的开票信息红冲并重开，由财务审核；重复申请是同一次。")
def correct_invoice(invoice_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    now = request_now()
    row = service.ask_correction(person_id(), invoice_id, json_data["words"].strip(), now=now)
    return dump_details(row, now)


@blueprint.get("/invoices.zip")
@access(Role.TICKET)
@gives("application/zip")
@blueprint.doc(summary="下载全部发票（ZIP）", description="链接来自“我的发票”，十分钟内有效。")
def download_invoices() -> Response:
    file = service.zip_of(request.args.get("ticket", ""), now=request_now())
    response = Response(file, content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="fapiao.zip"'
    return response


@blueprint.get("/invoices/<invoice_id>.pdf")
@access(Role.TICKET)
@gives("application/pdf")
@blueprint.doc(summary="下载发票（PDF）", description="链接来自“我的发票”，十分钟内有效。")
def download_invoice(invoice_id: str) -> Response:
    row, file = service.pdf(invoice_id, request.args.get("ticket", ""), now=request_now())
    response = Response(file, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="fapiao-{row.number}.pdf"'
    return response
