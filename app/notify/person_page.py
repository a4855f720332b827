"""What the messages add to a person's page: each SMS and what became of it, and the same once more."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.account.person_pages import Entry, Help, Offer, PersonPage, Plea, Sight, Source, Window
from app.core.clock import shanghai
from app.core.crypto import mask_phone
from app.core.staff import Reason
from app.notify import queries, service
from app.notify.kinds import KINDS
from app.notify.models import Sms
from app.notify.status import Status

RECENT = timedelta(days=30)
ASKED = (
    Reason("not_received", "学员说没有收到这条短信。"),
    Reason("new_phone", "学员换了手机号，旧号码收不到。"),
)


def entries(sight: Sight, window: Window) -> list[Entry]:
    """What was sent, to which phone, and whether it arrived."""
    query = Sms.select().where(sight.mine(Sms.person_id), sight.within(Sms.programme))
    return [
        Entry(
            row.created_at,
            row.id,
            f"短信：{KINDS[row.template].title}，发往 {mask_phone(row.phone)}",
            evidence=queries.state_of(row) + (f"（{row.provider_code}）" if row.status in queries.MISSED else ""),
            tone="bad" if row.status in queries.MISSED else "plain",
            programme=row.programme,
            who="系统",
        )
        for row in window.of(query, Sms.created_at, Sms.id)
    ]


def _offers(sight: Sight, now: datetime) -> list[Offer]:
    may = [name for name, kind in KINDS.items() if kind.again]
    query = Sms.select().where(
        sight.mine(Sms.person_id),
        sight.within(Sms.programme),
        Sms.template.in_(may),
        Sms.created_at > now - RECENT,
        Sms.params_sealed.is_null(False),
        Sms.status.not_in((Status.QUEUED, Status.SENDING)),
    )
    rows = list(query.order_by(Sms.created_at.desc(), Sms.id.desc()).limit(10))
    sent_again = {
        key for (key,) in Sms.select(Sms.key).where(Sms.key.in_([service.again_key(row.id) for row in rows])).tuples()
    }
    return [
        Offer(
            row.id,
            f"{shanghai(row.created_at):%m-%d %H:%M} {KINDS[row.template].title}",
            queries.state_of(row),
            row.programme,
        )
        for row in rows
        if service.again_key(row.id) not in sent_again
    ]


def _again(plea: Plea) -> str:
    phone = service.send_again(
        plea.offer.target, plea.person_id, actor=plea.staff.actor, reason=plea.words, now=plea.now
    )
    return f"已重新发往学员现在的手机 {phone}，一两分钟内到达。"


PAGE = PersonPage(
    domain="notify",
    sources=(Source("sms", entries),),
    helps=(
        Help(
            "notify.again", "重发短信", _offers, _again, reasons=ASKED, told="同一内容的短信，发往现在登记的手机号。"
        ),
    ),
    words={"sms.sent_again": "重发短信"},
)
