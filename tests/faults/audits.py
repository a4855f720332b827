"""Every audit of the product over the whole database, by name: an empty list means that its invariants hold."""

from __future__ import annotations

from app.exam.audit import audit_attempts
from app.pay.audit import audit_payments
from app.study.audit import audit_progress


def violations() -> list[str]:
    """All violations found, each with the name of its audit."""
    found = []
    for audit in (audit_payments, audit_progress, audit_attempts):
        found += [f"{audit.__name__}: {text}" for text in audit()]
    return found
