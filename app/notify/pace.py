"""When a message that can wait goes out: by day, and not too many a day to one phone."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from app.core import crypto
from app.core.clock import SHANGHAI, shanghai
from app.notify.kinds import KINDS
from app.notify.models import Sms
from app.notify.status import Status
from app.policy.parties import Sms as Rule
from app.policy.quiet import waking


def send_at(rule: Rule, template: str, phone: str, *, now: datetime) -> datetime:
    """When this message goes out: at once if it is urgent; else by day, on the first day on which the phone has got
    fewer than the programme's `most_a_day` of those that can wait."""
    if KINDS[template].urgent:
        return now
    moment = waking(rule.quiet, now)
    while _waiting_ones(phone, moment) >= rule.most_a_day:
        tomorrow = datetime.combine(shanghai(moment).date() + timedelta(days=1), time(), SHANGHAI)
        moment = waking(rule.quiet, tomorrow.astimezone(now.tzinfo))
    return moment


def _waiting_ones(phone: str, moment: datetime) -> int:
    """How many messages that can wait this phone gets on the Shanghai day of `moment`."""
    begins = datetime.combine(shanghai(moment).date(), time(), SHANGHAI)
    patient = [name for name, kind in KINDS.items() if not kind.urgent]
    return int(
        Sms.select()
        .where(
            Sms.phone_index.in_(crypto.indexes("sms.phone", phone)),
            Sms.template.in_(patient),
            Sms.status != Status.FAILED,
            Sms.send_at >= begins,
            Sms.send_at < begins + timedelta(days=1),
        )
        .count()
    )
