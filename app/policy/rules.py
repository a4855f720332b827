"""Pure questions to a programme: no database, no clock of their own, nothing raised for a "no".

A check answers `None` when there is nothing against it, or a code that says what is; the domains turn codes into
problems. Moments are aware; days are Shanghai's. A deadline is the last moment that is still in time: `now <= deadline`.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time
from typing import Literal

from app.core.clock import SHANGHAI, shanghai
from app.policy.load import shanghai_day
from app.policy.schema import (
    CertificateKind,
    MonthlyWindow,
    Programme,
)

SignUpRefusal = Literal["certificate_expired_too_long", "sign_up_closed", "year_not_offered"]
SignUpWarning = Literal["certificate_void", "certificate_expired", "certificate_expires_soon"]
ExtensionRefusal = Literal["no_extension", "already_passed", "study_period_not_over", "no_extension_left"]
MakeUpRefusal = Literal["no_make_up", "already_passed", "attempts_left", "no_make_up_left"]


class NoSuchRule(LookupError):
    """The programme has no such rule: the caller asked for a stage that this programme does not have."""


def _the[T](rule: T | None, name: str, programme: Programme) -> T:
    if rule is None:
        raise NoSuchRule(f"{programme.key} {programme.version}: {name}")
    return rule


# --- days --------------------------------------------------------------------------------------------------------


def add_months(day: date, months: int) -> date:
    """The same day so many months later (or earlier), or that month's last day where it is shorter."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def end_of_day(day: date) -> datetime:
    """The last microsecond of the day in Shanghai, in UTC."""
    return datetime.combine(day, time.max, SHANGHAI).astimezone(UTC)


# --- sign-up -----------------------------------------------------------------------------------------------------


def certificate_kind(programme: Programme, code: str) -> CertificateKind | None:
    """The kind of certificate with this code."""
    return next((kind for kind in programme.certificate_kinds if kind.code == code), None)


def sign_up_refusal(
    programme: Programme, certificate_expires: date | None, now: datetime, *, year: int | None = None
) -> SignUpRefusal | None:
    """Why nobody can sign up for this certificate now; asked again when the order is made. `certificate_expires`:
    its last day (`None`: there is none yet); `year`: the one wished for, where sign-up is by calendar year.
    Yunnan manual, step 2 (二) 1: the 60th day after the expiry is in time, the 61st is not."""
    rule, today = programme.sign_up, shanghai_day(now)
    if certificate_expires and rule.expired_refuse_after_days is not None:
        if (today - certificate_expires).days > rule.expired_refuse_after_days:
            return "certificate_expired_too_long"
    match rule.window:
        case MonthlyWindow(opens_day=first, opens_at=opens_at, closes_day=last, closes_at=closes_at):
            local = shanghai(now).replace(tzinfo=None)
            opens = datetime.combine(today.replace(day=first), opens_at)
            if not opens <= local <= datetime.combine(today.replace(day=last), closes_at):
                return "sign_up_closed"
        case window if window.kind_is_year:
            if year is None or not today.year - window.years_back <= year <= today.year:
                return "year_not_offered"
    return None
