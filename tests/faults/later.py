"""`python -m tests.faults.later`: in a copy's environment, the days pass after which its invoices are issued."""

from __future__ import annotations

import os
import time
from datetime import timedelta

from app import wiring
from app.core import db
from app.invoice import issuing
from app.invoice.models import Invoice
from config.settings import load

STEP = timedelta(minutes=6)  # of the product's clock; of ours: as long as the vendor's stand-in takes


def pass_days() -> None:
    """Work on the invoices, from the day on which they are due, until none waits; for three hours at most."""
    now = max(row.due_from for row in Invoice.select())
    for _ in range(30):
        issuing.work(now=now)
        if not Invoice.select().where(Invoice.status != "ready").exists():
            return
        now += STEP
        time.sleep(0.4)


if __name__ == "__main__":
    wiring.start(load(os.environ))
    with db.connection():
        pass_days()
