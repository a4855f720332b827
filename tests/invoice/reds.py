"""Red letters at the vendor, and the work of the background on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from app.cases import service as cases
from app.core import outbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right
from app.invoice import queries, red_letters
from app.invoice.models import Invoice, RedLetter
from app.invoice.payers import Details
from app.invoice.status import RED_WORKED_ON, Status
from tests.invoice.desk import work
from tests.pay.till import Sale
from tests.staffroom import a_member, staff_of
from tests.world import World

COMPANY = Details("enterprise", "云南某某建设有限公司", "91530100MA6K5YXT38")
HTTP = 10.0
FINANCE = (Right.FINANCE, EVERYWHERE)


def forms(world: World, sale: Sale) -> list[dict[str, Any]]:
    """The forms about a sale that the vendor has, the newest first."""
    found = requests.get(f"{world.sandbox.url}/_control/red-letters", timeout=HTTP).json()
    return [form for form in found if sale.order_id.upper() in form["billId"]]


def second(world: World, path: str, said: dict[str, Any]) -> None:
    """Somebody else says something at the vendor's."""
    requests.post(f"{world.sandbox.url}{path}", json=said, timeout=HTTP).raise_for_status()


def red_of(row: Invoice) -> RedLetter:
    """The red letter of an invoice, as it is now."""
    red = queries.red_letter_of(row.id)
    assert red is not None
    return red


def go_on(until: timedelta = timedelta(minutes=30)) -> None:
    """Let the background work on red letters until they rest or `until` is over."""
    now = began = utcnow()
    while now <= began + until:
        red_letters.work(now=now)
        outbox.sweep(now=now)
        waiting = [red.next_at for red in RedLetter.select().where(RedLetter.status.in_(RED_WORKED_ON))]
        if not waiting:
            return
        now = max(now + timedelta(seconds=1), min(waiting))


def ready(sale: Sale) -> Invoice:
    """The sale's invoice, issued and here."""
    row = work(sale)
    assert row.status == Status.READY
    return row


def decide(kind: str, key: str, reason: str = "", *, now: datetime | None = None) -> None:
    """The open case of this kind, decided by one of finance and, where it needs a second look, confirmed by
    another."""
    (case,) = cases.open_cases(kind)
    first, other = staff_of(a_member(FINANCE)), staff_of(a_member(FINANCE, name="李明"))
    now = now or utcnow()
    outcome = cases.decide_by_staff(first, case.id, key, reason=reason, now=now)
    if outcome == "second_look":
        with pytest.raises(Problem, match="case_second_look"):
            cases.confirm(first, case.id, now=now)
        cases.confirm(other, case.id, now=now)
