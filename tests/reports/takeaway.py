"""Lists as staff take them away, for tests: asked for, made and fetched at once."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.core.clock import utcnow
from app.policy.days import shanghai_day
from app.reports import service as reports
from app.reports.models import Export
from app.reports.service import Asked
from app.staff.models import Member
from tests.staffroom import staff_of


def asked(what: str = "enrolments", **changes: Any) -> Asked:
    """A form that is filled in well, but for the `changes`."""
    today = shanghai_day(utcnow())
    since, until = (today - timedelta(days=3)).isoformat(), today.isoformat()
    return replace(Asked(what, "csv", "yunnan", since, until, False, "给主管部门报送名单"), **changes)


def made(member: Member, wanted: Asked, token: str = "one-form") -> tuple[Export, bytes]:
    """The file, as the person gets it."""
    staff = staff_of(member)
    row = reports.ask(staff, wanted, token=token, now=utcnow())
    assert reports.make_export(row.id, now=utcnow())
    return reports.fetch(staff, row.id, now=utcnow())


def table(data: bytes) -> list[list[str]]:
    """The cells of a CSV file."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
