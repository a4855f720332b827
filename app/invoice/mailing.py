"""An invoice by e-mail: a row for each message, sent once. One whose answer was lost is never sent again by itself:
the payer sees that, looks into the mailbox, and may ask for another."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, Literal

import structlog

from app.core import audit, sweep
from app.core.budget import Budget
from app.core.clock import SHANGHAI, shanghai
from app.core.crypto import mask_email
from app.core.db import after_commit, compare_and_set, insert_once, transaction
from app.core.ids import new_id
from app.core.money import yuan
from app.core.queue import enqueue_hint
from app.invoice import providers, queries
from app.invoice.errors import INVOICE_MAIL_OFTEN, INVOICE_NO_MAIL, INVOICE_NOT_READY
from app.invoice.models import Invoice, InvoiceFile, Mail
from app.invoice.providers.postbox import Letter
from app.invoice.providers.protocol import Refused, Unavailable, Unknown
from app.invoice.status import Action, MailStatus, NotAllowed, Status, next_mail

log = structlog.get_logger(__name__)

SEND = "jobs.entries.send_invoice_mail"
A_DAY = 5  # of one invoice
SAME = timedelta(minutes=10)  # the same mailbox again within that is the same message
CALL = timedelta(seconds=90)  # one that is `sending` for longer lost its worker
TRIES = 6
State = Literal["on_its_way", "sent", "unknown", "failed"]


@dataclass(frozen=True)
class Shown:
    """How the last message of an invoice stands; `email` is masked."""

    email: str
    state: State
    sentence: str


def possible() -> bool:
    """Whether invoices go by e-mail here."""
    return providers.postbox() is not None


def ask(row: Invoice, email: str, *, actor: str, now: datetime) -> Mail:
    """Send an invoice that is ready to a mailbox. Asked again within ten minutes, while nothing went wrong, it is the
    same message. Raises `invoice_not_ready`, `invoice_no_mail`, `invoice_mail_often`."""
    if row.status != Status.READY:
        raise INVOICE_NOT_READY()
    if providers.postbox() is None:
        raise INVOICE_NO_MAIL()
    for _ in range(A_DAY + 1):
        known = list(Mail.select().where(Mail.invoice_id == row.id).order_by(Mail.id))
        again = [one for one in known if _same(one, email, now)]
        if again:
            return again[-1]
        midnight = datetime.combine(shanghai(now).date(), time(), SHANGHAI)
        if sum(one.asked_at >= midnight for one in known) >= A_DAY:
            break
        mail_id = new_id()
        with transaction():
            fresh = insert_once(
                Mail,
                id=mail_id,
                key=f"{row.id}:{len(known) + 1}",
                invoice_id=row.id,
                email=email,
                status=MailStatus.QUEUED,
                asked_at=now,
                next_at=now,
            )
            if fresh:
                audit.record(actor, "invoice.mailed", f"invoice:{row.id}", now=now, to=mask_email(email))
                after_commit(partial(enqueue_hint, SEND, mail_id))
        if fresh:
            found: Mail = Mail.get_by_id(mail_id)
            return found
    raise INVOICE_MAIL_OFTEN()


def _same(mail: Mail, email: str, now: datetime) -> bool:
    going = mail.status in (MailStatus.QUEUED, MailStatus.SENDING)
    soon = mail.status == MailStatus.SENT and mail.asked_at > now - SAME
    return bool(mail.email == email and (going or soon))


def shown(row: Invoice) -> Shown | None:
    """The last message of an invoice, as its payer sees it."""
    mail = Mail.select().where(Mail.invoice_id == row.id).order_by(Mail.id.desc()).first()
    if mail is None:
        return None
    masked = mask_email(mail.email) or ""
    if mail.status == MailStatus.SENT:
        return Shown(masked, "sent", f"已发送到 {masked}。没有看到的话，请查看垃圾邮件。")
    if mail.status == MailStatus.UNKNOWN:
        return Shown(masked, "unknown", f"不确定是否已发送到 {masked}。请先查看邮箱，没有收到可以再发一次。")
    if mail.status == MailStatus.FAILED:
        return Shown(masked, "failed", f"没有发送到 {masked}：邮箱没有接收。请核对邮箱，或直接下载。")
    return Shown(masked, "on_its_way", f"正在发送到 {masked}，一般一分钟内可以收到。")


def _move(mail: Mail, action: Action, **values: Any) -> bool:
    try:
        after = next_mail(mail.status, action)
    except NotAllowed:
        return False
    if not compare_and_set(Mail, mail.id, {"status": mail.status}, {"status": after, **values}):
        return False
    mail.status = after
    return True


def send(mail_id: str, *, now: datetime) -> None:
    """Send one message, if its time has come; the row says `sending` before the call."""
    mail = Mail.get_or_none(Mail.id == mail_id)
    if mail is None or mail.next_at is None or mail.next_at > now:
        return
    if mail.status == MailStatus.SENDING:  # its worker was lost: nobody knows whether the server took it
        _move(mail, Action.LOSE, next_at=None, ended_at=now, code="worker lost")
        log.warning("invoice_mail_unknown", mail_id=mail.id)
        return
    postbox, row = providers.postbox(), Invoice.get_by_id(mail.invoice_id)
    if row.status != Status.READY:  # taken back meanwhile: the old one is not sent any more
        if _move(mail, Action.SEND, next_at=now + CALL):
            _move(mail, Action.REFUSE, next_at=None, ended_at=now, code="invoice over")
        return
    if postbox is None or not _move(mail, Action.SEND, next_at=now + CALL, tries=mail.tries + 1):
        return
    try:
        postbox.post(letter_of(mail, row))
    except Unavailable as error:
        log.warning("invoice_mail_unavailable", mail_id=mail.id, provider_code=error.code)
        if mail.tries + 1 >= TRIES:
            _move(mail, Action.REFUSE, next_at=None, ended_at=now, code=error.code[:64])
        else:
            _move(mail, Action.POSTPONE, next_at=now + timedelta(seconds=30 * 2**mail.tries), code=error.code[:64])
    except Refused as error:
        log.warning("invoice_mail_refused", mail_id=mail.id, provider_code=error.code)
        _move(mail, Action.REFUSE, next_at=None, ended_at=now, code=error.code[:64])
    except Unknown as error:
        log.warning("invoice_mail_unknown", mail_id=mail.id, why=str(error))
        _move(mail, Action.LOSE, next_at=None, ended_at=now, code=str(error)[:64])
    else:
        _move(mail, Action.TAKE, next_at=None, ended_at=now, code=None)


def letter_of(mail: Mail, row: Invoice) -> Letter:
    """The message: what it is, in a few lines, and the PDF."""
    programme = queries.programme_of(row)
    text = (
        f"您好：\n\n附件是您的电子发票。\n\n发票号码：{row.number}\n价税合计：{yuan(row.gross_fen)} 元\n"
        f"培训项目：{programme.title}\n\n发票咨询：{programme.authority.contacts.invoice}\n"
        "这封邮件由系统发出，请不要回复。\n"
    )
    pdf = base64.b64decode(InvoiceFile.get_by_id(row.id).pdf)
    return Letter(mail.id, mail.email, f"电子发票 {row.number}", text, f"{row.number}.pdf", pdf)


def work(*, now: datetime, limit: int = 100) -> int:
    """Scheduled: every message whose time has come, as far as the time of one run goes; gives how many."""
    budget = Budget()
    due = Mail.select(Mail.id).where(Mail.status.in_((MailStatus.QUEUED, MailStatus.SENDING)), Mail.next_at <= now)
    ids = [row_id for (row_id,) in due.order_by(Mail.next_at).limit(limit).tuples()]

    def step(mail: Mail) -> bool:
        send(mail.id, now=now)
        return True

    done, _ = sweep.each("invoice.mail", (Mail(id=row_id) for row_id in ids if not budget.spent()), step)
    return done
