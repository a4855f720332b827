"""Red letters at the vendor, and the work of the background on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from app.core import outbox
from app.core.clock import utcnow
from app.invoice import queries, red_letters
from app.invoice.models import Invoice, RedLetter
from app.invoice.payers import Details
from app.invoice.status import RED_WORKED_ON
from tests.pay.till import Sale
from tests.world import World

COMPANY = Details("enterprise", "云南某某建设有限公司", "91530100MA6K5YXT38")
HTTP = 10.0


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
