"""What a trainee is told on the way: paid, time runs out, passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from app.core.clock import shanghai
from app.core.db import compare_and_set, transaction
from app.core.money import yuan
from app.core.sweep import each
from app.enrol import queries
from app.enrol.models import Enrolment
from app.enrol.status import Status
from app.notify import service as notify
from app.pay import queries as orders
from app.policy import load, rules
from app.policy.schema import Programme

BATCH = 500


def _training(row: Enrolment) -> str:
    kind = rules.certificate_kind(load.programme(row.programme, row.version), row.kind_code)
    return f"{kind.title if kind else row.kind_code}继续教育"


def paid(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `order.paid`: the money has arrived."""
    order = orders.get_order(payload["order_id"])
    rows = queries.of_order(order.id)
    if not rows or order.person_id is None:
        return
    what = _training(rows[0]) if len(rows) == 1 else f"{len(rows)}项继续教育"
    notify.tell(
        person_id=order.person_id,
        programme=order.programme,
        template="payment_succeeded",
        params=[yuan(order.amount_fen), what],
        key=f"paid:{order.id}",
        now=now,
    )


def passed(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `exam.passed`: every subject is passed."""
    row = Enrolment.get_by_id(payload["enrolment_id"])
    notify.tell(
        person_id=row.person_id,
        programme=row.programme,
        template="exam_passed",
        params=[_training(row)],
        key=f"passed:{row.id}",
        now=now,
    )


def remind(*, now: datetime) -> int:
    """Scheduled: tell those whose study period ends soon, once for each of their programme's `remind_days_before`; of
    several that are due only the nearest. Gives how many rows were seen to."""
    distances = {days for programme in load.all_programmes() if programme.study for days in _distances(programme)}
    seen = 0
    for days in sorted(distances):
        due = (
            Enrolment.select()
            .where(
                Enrolment.status == Status.STUDYING,
                Enrolment.study_deadline > now,
                Enrolment.study_deadline <= now + timedelta(days=days),
                Enrolment.reminded_days.is_null() | (Enrolment.reminded_days > days),
            )
            .order_by(Enrolment.study_deadline)
            .limit(BATCH)
        )
        seen += each("enrol.remind", list(due), partial(_remind, days, now))[0]
    return seen


def _distances(programme: Programme) -> tuple[int, ...]:
    return programme.study.remind_days_before if programme.study else ()


def _remind(days: int, now: datetime, row: Enrolment) -> bool:
    """Mark the row as seen to at this distance, and tell its person if the programme knows such a distance."""
    seen = {"status": Status.STUDYING, "study_deadline": row.study_deadline, "reminded_days": row.reminded_days}
    with transaction():
        if not compare_and_set(Enrolment, row.id, seen, {"reminded_days": days}):
            return False
        if days in _distances(load.programme(row.programme, row.version)):
            notify.tell(
                person_id=row.person_id,
                programme=row.programme,
                template="study_deadline_near",
                params=[_training(row), f"{shanghai(row.study_deadline):%m月%d日}"],
                key=f"deadline:{row.id}:{shanghai(row.study_deadline):%Y%m%d}:{days}",
                now=now,
            )
    return True
