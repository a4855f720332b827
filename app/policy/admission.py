"""The tables of a programme file that say who gets in: sign-up, its windows, papers, and new certification.

See `app.policy.schema` for how a file is read.
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from msgspec import Meta

from app.policy.parties import Count, DayOfMonth, Positive, Rule, Text

Stage = Literal[
    "sign_up", "materials", "confirmation", "payment", "photo", "study", "exam", "hours_audit", "proof"
]  # fmt: skip
SignUpStep = Literal["certificate_number", "post", "city", "institution", "resume", "confirm"]
NewStep = Literal[
    "commitments", "employment", "city", "institution", "post", "resume", "promise",
    "id_card_front", "id_card_back", "diploma", "submit_and_print",
]  # fmt: skip


class AlwaysOpen(Rule, frozen=True, tag="always", tag_field="kind"):
    """Signing up is open all year."""


class MonthlyWindow(Rule, frozen=True, tag="monthly", tag_field="kind"):
    """Open each month from `opens_day` `opens_at` until `closes_day` `closes_at`, for an exam of these months."""

    opens_day: DayOfMonth
    opens_at: time
    closes_day: DayOfMonth
    closes_at: time
    exam_months: Annotated[tuple[Literal["this", "next"], ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if (self.opens_day, self.opens_at) >= (self.closes_day, self.closes_at):
            raise ValueError("closes before it opens")


class YearWindow(Rule, frozen=True, tag="calendar_year", tag_field="kind"):
    """Signing up is for a calendar year: this one, or one of the `years_back` before it. `this_year_first`: an
    earlier one is offered below this one, for whom an office asks for it."""

    years_back: Count
    this_year_first: bool


class Materials(Rule, frozen=True):
    """Papers that are handed in and reviewed before paying, anew for each kind of certificate."""

    documents: Annotated[tuple[Text, ...], Meta(min_length=1)]
    formats: Annotated[tuple[Literal["pdf", "doc", "docx", "jpg", "png"], ...], Meta(min_length=1)]
    max_bytes: Positive


class SignUp(Rule, frozen=True):
    """`expired_refuse_after_days`: refused from the day after so many days past the certificate's expiry.
    `warn_before_expiry_days`: so many days before the expiry the person is told, before paying, that time is short.
    `withdrawable_until`: the person may take the sign-up back until it is paid, or confirmed by an institution.
    `steps`: what a person fills in, where the roster does not know it."""

    by: Annotated[tuple[Literal["person", "enterprise"], ...], Meta(min_length=1)]
    source: Literal["regulator_roster", "certificate_number", "registered_enterprise", "national_register"]
    business_type: Text | None
    captcha: bool
    window: AlwaysOpen | MonthlyWindow | YearWindow
    expired_refuse_after_days: Count | None
    warn_before_expiry_days: Count | None
    materials: Materials | None
    withdrawable_until: Literal["paid", "confirmed"] | None
    steps: tuple[SignUpStep, ...] | None


class NewCertification(Rule, frozen=True):
    """How a certificate is got for the first time: its own stages, and what is filled in, in this order (`None`: no
    more than at any sign-up). `scans_in_colour`: papers are scanned or photographed in colour."""

    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)]
    steps: tuple[NewStep, ...] | None
    scans_in_colour: bool
