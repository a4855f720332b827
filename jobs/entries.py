"""What RQ runs: each function opens a connection, takes one `now`, and calls one service. Arguments are ids."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.certificate import service as certificate
from app.core import db, inbox, outbox
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.invoice import issuing as invoice
from app.invoice import mailing, red_letters
from app.invoice.finance import bundles
from app.notify import service as notify
from app.pay import refunds
from app.reports import service as reports
from app.study.teaching import transcoding
from app.wechat import service as wechat
from jobs.schedule import QUEUED, run

film_step: Callable[[], None] = transcoding.no_step  # the films' worker sets its pulse


def deliver_outbox(*message_ids: str) -> None:
    """Deliver the outbox messages of one event soon after their commit."""
    with db.connection():
        for message_id in message_ids:
            db.unit(partial(outbox.deliver, message_id, now=utcnow()))


def apply_inbox(message_id: str) -> None:
    """Apply one callback soon after it was committed."""
    with db.connection():
        db.unit(lambda: inbox.apply(message_id, now=utcnow()))


def issue_proof(proof_id: str) -> None:
    """Issue a proof soon after it was earned."""
    with db.connection():
        db.unit(lambda: certificate.issue(proof_id, now=utcnow()))


def send_refund(refund_id: str) -> None:
    """Send one refund soon after it was decided."""
    with db.connection():
        db.unit(lambda: refunds.settle(refund_id, now=utcnow()))


def advance_invoice(invoice_id: str) -> None:
    """Take one invoice further soon after it became due."""
    with db.connection():
        db.unit(lambda: invoice.advance(invoice_id, now=utcnow()))


def advance_red_letter(red_letter_id: str) -> None:
    """Take one red letter further soon after it was decided."""
    with db.connection():
        db.unit(lambda: red_letters.advance(red_letter_id, now=utcnow()))


def send_invoice_mail(mail_id: str) -> None:
    """Send one invoice by e-mail soon after it was asked for."""
    with db.connection():
        db.unit(lambda: mailing.send(mail_id, now=utcnow()))


def make_invoice_bundle(bundle_id: str) -> None:
    """Make one ZIP of invoices soon after it was asked for."""
    with db.connection():
        db.unit(lambda: bundles.make(bundle_id, now=utcnow()))


def send_sms(sms_id: str) -> None:
    """Send one SMS soon after it was asked for."""
    with db.connection():
        db.unit(lambda: notify.send(sms_id, now=utcnow()))


def send_subscribe_message(leave_id: str) -> None:
    """Send one subscribe message soon after it was asked for."""
    with db.connection():
        db.unit(lambda: wechat.send_message(leave_id, now=utcnow()))


def make_export(export_id: str) -> None:
    """Make one file of a list soon after it was asked for."""
    with db.connection():
        reports.make_export(export_id, now=utcnow())


def transcode_film(film_id: str) -> None:
    """Make one film watchable; minutes of work, for the worker of films."""
    with db.connection():
        transcoding.transcode(film_id, now=utcnow(), step=film_step)


def run_scheduled(name: str) -> None:
    """Run one entry of the schedule."""
    redis_clients.queue().delete(QUEUED.format(name))
    run(name, now=utcnow())
