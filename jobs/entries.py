"""What RQ runs: each function opens a connection, takes one `now`, and calls one service. Arguments are ids."""

from __future__ import annotations

from functools import partial

from app.certificate import service as certificate
from app.core import db, inbox, outbox
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.invoice import issuing as invoice
from app.notify import service as notify
from app.pay import refunds
from app.wechat import service as wechat
from jobs.schedule import QUEUED, run


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


def send_sms(sms_id: str) -> None:
    """Send one SMS soon after it was asked for."""
    with db.connection():
        db.unit(lambda: notify.send(sms_id, now=utcnow()))


def send_subscribe_message(leave_id: str) -> None:
    """Send one subscribe message soon after it was asked for."""
    with db.connection():
        db.unit(lambda: wechat.send_message(leave_id, now=utcnow()))


def run_scheduled(name: str) -> None:
    """Run one entry of the schedule."""
    redis_clients.queue().delete(QUEUED.format(name))
    run(name, now=utcnow())
