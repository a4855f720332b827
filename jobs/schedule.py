"""What runs when. Each entry is idempotent, bounded per run, and finds its work in SQL: running it twice, late, or on
two hosts changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.account import service as account
from app.certificate import service as certificate
from app.core import db, inbox, outbox
from app.enrol import messages as enrol_messages
from app.enrol import service as enrol
from app.exam import service as exam
from app.exam.bank import files as question_files
from app.face import service as face_service
from app.face import store as face_store
from app.face import withdrawal as face_withdrawal
from app.invoice import issuing as invoice_issuing
from app.invoice import mailing as invoice_mailing
from app.invoice import red_letters as invoice_red_letters
from app.invoice import watch as invoice_watch
from app.invoice.finance import bundles as invoice_bundles
from app.notify import reports as sms_reports
from app.notify import service as notify
from app.pay import janitor as pay_janitor
from app.pay import refunds as pay_refunds
from app.pay.reconciliation import service as pay_reconciliation
from app.pay.transfers import service as pay_transfers
from app.reports import service as reports
from app.staff import service as staff
from app.study.teaching import transcoding, uploads
from app.support import service as support
from app.wechat import service as wechat

QUEUED = "cron:queued:{}"  # the mark, in Redis, of a run that waits for a worker


@dataclass(frozen=True)
class Entry:
    """Run `run(now=…)` every `seconds`."""

    name: str
    seconds: int
    run: Callable[..., object]


SCHEDULE: tuple[Entry, ...] = (
    Entry("outbox.sweep", seconds=5, run=outbox.sweep),
    Entry("inbox.sweep", seconds=5, run=inbox.sweep),
    Entry("enrol.lapse", seconds=60, run=enrol.lapse),
    Entry("enrol.remind", seconds=600, run=enrol_messages.remind),
    Entry("notify.send_queued", seconds=5, run=notify.send_queued),
    Entry("notify.pull_status", seconds=30, run=sms_reports.pull_status),
    Entry("notify.forget", seconds=3600, run=notify.forget),
    Entry("pay.expire_orders", seconds=5, run=pay_janitor.expire_orders),
    Entry("pay.find_lost_payments", seconds=5, run=pay_janitor.find_lost_payments),
    Entry("pay.find_late_payments", seconds=60, run=pay_janitor.find_late_payments),
    Entry("pay.settle_refunds", seconds=5, run=pay_refunds.settle_due),
    Entry("pay.reconcile", seconds=300, run=pay_reconciliation.reconcile),
    Entry("pay.transfers", seconds=60, run=pay_transfers.look_after),
    Entry("invoice.work", seconds=10, run=invoice_issuing.work),
    Entry("invoice.red_letters", seconds=10, run=invoice_red_letters.work),
    Entry("invoice.mail", seconds=15, run=invoice_mailing.work),
    Entry("invoice.bundles", seconds=30, run=invoice_bundles.work),
    Entry("invoice.look_after", seconds=600, run=invoice_watch.look_after),
    Entry("study.find_films", seconds=15, run=transcoding.sweep),
    Entry("study.forget_films", seconds=3600, run=uploads.forget),
    Entry("exam.close_due", seconds=10, run=exam.close_due),
    Entry("exam.forget_uploads", seconds=3600, run=question_files.forget),
    Entry("certificate.issue_waiting", seconds=15, run=certificate.issue_waiting),
    Entry("face.expire_checks", seconds=60, run=face_service.expire_checks),
    Entry("face.forget_withdrawn", seconds=60, run=face_withdrawal.forget),
    Entry("face.purge_evidence", seconds=3600, run=face_store.purge_evidence),
    Entry("account.forget", seconds=600, run=account.forget),
    Entry("staff.forget", seconds=3600, run=staff.forget),
    Entry("reports.reckon", seconds=60, run=reports.reckon),
    Entry("reports.work_exports", seconds=10, run=reports.work_exports),
    Entry("support.forget", seconds=3600, run=support.forget),
    Entry("wechat.send_taken", seconds=5, run=wechat.send_taken),
    Entry("wechat.forget", seconds=600, run=wechat.forget),
)


def run(name: str, *, now: datetime) -> object:
    """Run the entry called `name`. Raises `KeyError` if there is none."""
    entry = {entry.name: entry for entry in SCHEDULE}[name]
    with db.connection():
        return db.unit(lambda: entry.run(now=now))
