"""What became of the messages: new reports are pulled; what stays open is asked for by its phone.

A report names the provider's serial number. A message whose answer was lost has none here: it is found by phone and
time, the only things that both sides know of it (docs/providers.md, Tencent SMS).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app.core import crypto
from app.core.budget import Budget
from app.core.db import compare_and_set
from app.notify import providers
from app.notify.ledger import move
from app.notify.models import Sms
from app.notify.providers.protocol import Refused, Report, Unknown
from app.notify.status import REPORTABLE, Action, Status
from app.policy import load as policy

log = structlog.get_logger(__name__)

PAGE = 100
PAGES = 5  # of new reports in one run, at most
FIRST_QUESTION = timedelta(seconds=60)
GIVE_UP = timedelta(days=3)  # phones that are off get their messages within three days, or never
CLOCKS = timedelta(seconds=10)  # how far the provider's clock may be behind ours
SOON = timedelta(minutes=10)  # a report without a serial number of ours is believed for so long after the call


def pull_status(*, now: datetime, limit: int = 20) -> int:
    """Take new reports, then ask about messages that had none for a while, as far as the time of one run goes; gives
    how many messages were settled."""
    budget = Budget()
    prefixes = {programme.authority.secrets.tencent_sms for programme in policy.open_programmes()}
    settled = sum(_pull(prefix, budget, now) for prefix in sorted(prefix for prefix in prefixes if prefix))
    due = Sms.select().where(Sms.status.in_(REPORTABLE), Sms.ask_at <= now).order_by(Sms.ask_at).limit(limit)
    for sms in list(due):
        if budget.spent():
            break
        settled += _ask(sms, now)
    return settled


def _pull(prefix: str, budget: Budget, now: datetime) -> int:
    settled = 0
    try:
        for _ in range(PAGES):
            if budget.spent():
                break
            reports = providers.for_authority(prefix).pull(PAGE)
            settled += sum(apply(report, now=now) for report in reports)
            if len(reports) < PAGE:
                break
    except (Refused, Unknown) as error:
        log.warning("sms_reports_unavailable", prefix=prefix, provider_code=str(error))
    return settled


def _ask(sms: Sms, now: datetime) -> int:
    """Ask for the reports of this message's phone; the next time, doubled from one minute, is written first."""
    began: datetime = sms.claimed_at
    later = now + FIRST_QUESTION * 2 ** min(sms.asked, 12)
    next_time = later if later < began + GIVE_UP else None
    seen = {"status": sms.status, "asked": sms.asked}
    if not compare_and_set(Sms, sms.id, seen, {"ask_at": next_time, "asked": sms.asked + 1}):
        return 0
    try:
        reports = providers.for_authority(sms.authority).reports_of(sms.phone, began - CLOCKS, now + CLOCKS)
    except (Refused, Unknown) as error:
        log.warning("sms_reports_unavailable", sms_id=sms.id, provider_code=str(error))
        return 0
    return sum(apply(report, now=now) for report in reports)


def apply(report: Report, *, now: datetime) -> bool:
    """Settle the message that this report is about. False if it is settled already, or none of ours."""
    sms = Sms.get_or_none(Sms.serial_no == report.serial_no) or _lost_one(report)
    if sms is None:
        return False
    action = Action.DELIVER if report.delivered else Action.BOUNCE
    moved = move(
        sms,
        action,
        serial_no=report.serial_no,
        reported_at=now,
        ask_at=None,
        provider_code=report.description[:64] or None,
    )
    if moved and not report.delivered:
        log.warning("sms_undelivered", sms_id=sms.id, template=sms.template, description=report.description)
    return moved


def _lost_one(report: Report) -> Sms | None:
    """The latest message to this phone whose answer was lost shortly before the report."""
    found: Sms | None = (
        Sms.select()
        .where(
            Sms.phone_index.in_(crypto.indexes("sms.phone", report.phone)),
            Sms.status == Status.UNKNOWN,
            Sms.serial_no.is_null(),
            Sms.claimed_at <= report.at + CLOCKS,
            Sms.claimed_at >= report.at - SOON,
        )
        .order_by(Sms.claimed_at.desc(), Sms.id.desc())
        .first()
    )
    return found
