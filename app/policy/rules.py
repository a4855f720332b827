"""Pure questions to a programme: no database, no clock of their own, nothing raised for a "no".

A check answers `None` when there is nothing against it, or a code that says what is; the domains turn codes into
problems. Moments are aware; days are Shanghai's. A deadline is the last moment that is in time: `now <= deadline`.
`NoSuchRule` means that the caller asked about a part that this programme does not have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Literal, TypeVar

from app.policy.admission import MonthlyWindow, Stage, YearWindow
from app.policy.days import add_months, end_of_day, last_opening, on_clock, shanghai_day, utc
from app.policy.parties import (
    CertificateKind,
    Contacts,
    FixedPassword,
    LastOfAccount,
    LoginRule,
    MobileNumber,
)
from app.policy.schema import (
    Channel,
    FacePurpose,
    FromPayment,
    PayClient,
    PayerKind,
    Programme,
    UntilBeforeExam,
)

SignUpRefusal = Literal["certificate_expired_too_long", "sign_up_closed", "year_not_offered"]
SignUpWarning = Literal["certificate_void", "certificate_expired", "certificate_expires_soon"]
Business = Literal["continuing", "new"]
ExamApplicationRefusal = Literal["study_not_complete", "application_not_open", "application_closed"]
ExtensionRefusal = Literal["no_extension", "already_passed", "study_period_not_over", "no_extension_left"]
MakeUpRefusal = Literal["no_make_up", "already_passed", "attempts_left", "no_make_up_left"]
R = TypeVar("R")


class NoSuchRule(LookupError):
    """The programme has no such rule; callers look at `programme.stages` or the table first."""


def _the(rule: R | None, name: str, programme: Programme) -> R:
    if rule is None:
        raise NoSuchRule(f"{programme.key} {programme.version}: {name}")
    return rule


# --- accounts and stages -----------------------------------------------------------------------------------------


def first_password(
    rule: LoginRule, *, account: str, mobile: str | None, certificate_kinds: Collection[str]
) -> str | None:
    """The first password of an account, by the rule `programme.login.person` or `.enterprise`; `certificate_kinds`:
    codes of the kinds its holder has. `None` where people choose their own, or the number is not known."""
    for first in rule.first_passwords:
        if first.certificate_kinds is not None and not set(first.certificate_kinds) & set(certificate_kinds):
            continue
        if isinstance(first.rule, FixedPassword):
            return first.rule.value
        if isinstance(first.rule, LastOfAccount):
            return account[-first.rule.characters :]
        return mobile if isinstance(first.rule, MobileNumber) else None
    return None


def next_stage(programme: Programme, stage: Stage, *, business: Business = "continuing") -> Stage | None:
    """The stage after this one; `None` after the last. Raises `NoSuchRule` for a stage, or a business, that the
    programme does not have."""
    stages = programme.stages
    if business == "new":
        stages = _the(programme.new_certification, "new_certification", programme).stages
    if stage not in stages:
        raise NoSuchRule(f"{programme.key} {programme.version}: stage {stage}")
    rest = stages[stages.index(stage) + 1 :]
    return rest[0] if rest else None


def certificate_kind(programme: Programme, code: str) -> CertificateKind | None:
    """The kind of certificate with this code."""
    return next((kind for kind in programme.certificate_kinds if kind.code == code), None)


def offered_kind(programme: Programme, code: str, business: Business = "continuing") -> CertificateKind | None:
    """The kind of certificate with this code, if it can be signed up for with this business."""
    kind = certificate_kind(programme, code)
    return kind if kind and business in kind.business else None


def contacts(programme: Programme, kind: str | None = None) -> Contacts:
    """Whom to call: the numbers for holders of this kind of certificate, where they have their own."""
    for some in programme.authority.contacts_for_kinds or ():
        if kind in some.certificate_kinds:
            return some
    return programme.authority.contacts


# --- sign-up -----------------------------------------------------------------------------------------------------


def sign_up_refusal(
    programme: Programme, certificate_expires: date | None, now: datetime, *, year: int | None = None
) -> SignUpRefusal | None:
    """Why nobody can sign up for this certificate now; asked again when the order is made. `certificate_expires`:
    its last day (`None`: there is none yet); `year`: the one wished for, where sign-up is by calendar year.
    Yunnan manual, step 2 (二) 1: the 60th day after the expiry is in time, the 61st is not."""
    rule, today = programme.sign_up, shanghai_day(now)
    limit = rule.expired_refuse_after_days
    if certificate_expires and limit is not None and (today - certificate_expires).days > limit:
        return "certificate_expired_too_long"
    window = rule.window
    if isinstance(window, MonthlyWindow):
        opens = on_clock(today.replace(day=window.opens_day), window.opens_at)
        closes = on_clock(today.replace(day=window.closes_day), window.closes_at)
        if not opens <= now <= closes:
            return "sign_up_closed"
    if isinstance(window, YearWindow) and year not in years_offered(programme, now):
        return "year_not_offered"
    return None


def years_offered(programme: Programme, now: datetime) -> tuple[int, ...]:
    """The calendar years that can be signed up for now, in the order in which they are shown.
    Ministry's manual, 二: this year's first, last year's where an office asks for it."""
    window = programme.sign_up.window
    if not isinstance(window, YearWindow):
        return ()
    this = shanghai_day(now).year
    years = tuple(range(this, this - window.years_back - 1, -1))
    return years if window.this_year_first else years[::-1]


def exam_months(programme: Programme, now: datetime) -> tuple[date, ...]:
    """The months (their first days) whose exams can be signed up for now. Qiannan manual, step 9."""
    window = programme.sign_up.window
    if not isinstance(window, MonthlyWindow) or sign_up_refusal(programme, None, now):
        return ()
    this = shanghai_day(now).replace(day=1)
    return tuple(add_months(this, int(month == "next")) for month in window.exam_months)


def sign_up_warning(
    programme: Programme, certificate_expires: date | None, now: datetime, *, kind: str | None = None
) -> SignUpWarning | None:
    """What the person has to know before paying: the certificate is void already (it can no longer be renewed),
    has expired but can still be renewed, or expires soon. Yunnan manual, 四 (一) 2."""
    if certificate_expires is None:
        return None
    today = shanghai_day(now)
    window = renewal_window(programme, certificate_expires, kind=kind)
    if window and today > window[1]:
        return "certificate_void"
    if today > certificate_expires:
        return "certificate_expired"
    days = programme.sign_up.warn_before_expiry_days
    return "certificate_expires_soon" if days is not None and (certificate_expires - today).days <= days else None


# --- money -------------------------------------------------------------------------------------------------------


def price_fen(programme: Programme, certificates: int) -> int:
    """The price of an order for so many certificates, in fen."""
    fee = _the(programme.fee, "fee", programme)
    return fee.amount_fen * (certificates if fee.per == "certificate" else 1)


def order_expires_at(programme: Programme, ordered_at: datetime, *, channel: Channel | None = None) -> datetime:
    """When an order that is not paid is void (UTC). Yunnan manual, step 2 (二) 4: 30 minutes; a bank transfer, where
    there is one, has days. A payment at that very moment is in time."""
    fee = _the(programme.fee, "fee", programme)
    if channel == "bank_transfer":
        transfer = _the(fee.bank_transfer, "fee.bank_transfer", programme)
        return utc(ordered_at) + timedelta(days=transfer.days)
    return utc(ordered_at) + timedelta(minutes=fee.order_minutes)


def channels(
    programme: Programme, client: PayClient, *, ios: bool, payer: PayerKind = "person"
) -> tuple[Channel, ...]:
    """The ways to pay that this client offers to such a payer, in order. On an iPhone, JSAPI only where the programme
    says so; a bank transfer only to whom it is open."""
    fee = _the(programme.fee, "fee", programme)
    listed: tuple[Channel, ...] = getattr(fee.channels, client)
    refused = {"wechat_jsapi"} if ios and not fee.channels.jsapi_on_ios else set()
    if not may_transfer(programme, payer):
        refused.add("bank_transfer")
    return tuple(way for way in listed if way not in refused)


def may_transfer(programme: Programme, payer: PayerKind) -> bool:
    """Whether such a payer may pay by bank transfer."""
    fee = _the(programme.fee, "fee", programme)
    return fee.bank_transfer is not None and payer in fee.bank_transfer.by


# --- face --------------------------------------------------------------------------------------------------------


def face_check_due(programme: Programme, purpose: FacePurpose, passed_at: datetime | None, now: datetime) -> bool:
    """Whether the face must be checked now for this purpose; `passed_at`: the last pass for it."""
    rules = programme.face.purposes if programme.face else ()
    rule = next((rule for rule in rules if rule.purpose == purpose), None)
    if rule is None:
        return False
    return passed_at is None or now >= passed_at + timedelta(minutes=rule.pass_valid_minutes)


def face_passes(programme: Programme, *, match: float, liveness: float | None) -> bool:
    """Whether the provider's scores (match 0–100, liveness 0–1, `None` where it gives none) are a pass."""
    face = _the(programme.face, "face", programme)
    return match >= face.match_score and (liveness is None or liveness >= face.liveness_score)


def face_retries_left(programme: Programme, failures_in_a_row: int) -> int:
    """How often the face may still be tried; at 0 the manual route is offered."""
    return max(_the(programme.face, "face", programme).retries - failures_in_a_row, 0)


# --- study -------------------------------------------------------------------------------------------------------


def study_deadline(
    programme: Programme, paid_at: datetime, *, year: int | None = None, exam_day: date | None = None
) -> datetime:
    """The last moment (UTC) to study, and where `exam.within_study_period` says so, to sit the exam.

    Counted from the payment: the end of the later of the 30th day after it and the same day of the next month
    (yunnan manual, step 3 (四) 1; its pictures: 12-16 → 01-16, 11-25 → 12-25). By calendar year: the
    end of the `year` that was signed up for, or of the payment's, where an earlier one is made up for; where the
    sign-up names one, `ValueError` without it. Until before an exam: by the `exam_day`, `ValueError` without it."""
    period = _the(programme.study, "study", programme).period
    if isinstance(period, FromPayment):
        paid_on = shanghai_day(paid_at)
        return end_of_day(max(paid_on + timedelta(days=period.days), add_months(paid_on, period.months)))
    if isinstance(period, UntilBeforeExam):
        if exam_day is None:
            raise ValueError("exam_day is needed: the study period ends before the exam")
        return on_clock(exam_day - timedelta(days=period.days_before), period.closes_at)
    if year is None and isinstance(programme.sign_up.window, YearWindow):
        raise ValueError("year is needed: the study period is the calendar year that was signed up for")
    paid_in = shanghai_day(paid_at).year
    return end_of_day(date(max(year or paid_in, paid_in), 12, 31))


def study_opens_at(programme: Programme, paid_at: datetime, *, exam_day: date | None = None) -> datetime:
    """From when (UTC) one may study: from the payment, or from a day of the exam's month where that is later."""
    period = _the(programme.study, "study", programme).period
    if not isinstance(period, UntilBeforeExam):
        return utc(paid_at)
    if exam_day is None:
        raise ValueError("exam_day is needed: the study period opens in the exam's month")
    closes = study_deadline(programme, paid_at, exam_day=exam_day)
    return utc(max(last_opening(period.opens_day, period.opens_at, closes), paid_at))


def class_hours_needed(programme: Programme, *, general_earned_in_year: int = 0) -> int:
    """The class hours still to be studied by whoever has earned so many general ones in this year already, for
    another post. Ministry's manual, 二: from a year's second post on, the general courses are not studied again."""
    hours = _the(_the(programme.study, "study", programme).class_hours, "study.class_hours", programme)
    counted = min(general_earned_in_year, hours.general) if hours.general_counts_again_in_year else 0
    return hours.total - counted


# --- exam --------------------------------------------------------------------------------------------------------


def exam_deadline(programme: Programme, started_at: datetime) -> datetime:
    """T (UTC): fixed at the start, it never moves. Yunnan manual, step 3 (三) 3: 120 minutes."""
    exam = _the(programme.exam, "exam", programme)
    return utc(started_at) + timedelta(minutes=exam.minutes)


def answers_until(programme: Programme, deadline: datetime) -> datetime:
    """Until when (UTC) an answer or a hand-in that reaches us counts: T + grace, that included."""
    exam = _the(programme.exam, "exam", programme)
    return utc(deadline) + timedelta(seconds=exam.answer_grace_seconds)


def resume_until(programme: Programme, last_seen: datetime) -> datetime:
    """Until when (UTC) a client last seen then may come back, that included: then `exam.on_leave` holds."""
    exam = _the(programme.exam, "exam", programme)
    return utc(last_seen) + timedelta(seconds=exam.crash_grace_seconds)


def exam_application(programme: Programme, exam_day: date) -> tuple[datetime, datetime]:
    """From when until when (UTC, both included) an exam on that day can be applied for.
    Qiannan manual, 一 2: from the 20th, 09:00, until noon of the day before."""
    sittings = _the(_the(programme.exam, "exam", programme).sittings, "exam.sittings", programme)
    closes = on_clock(exam_day - timedelta(days=sittings.days_before), sittings.closes_at)
    return last_opening(sittings.opens_day, sittings.opens_at, closes), closes


def exam_application_refusal(
    programme: Programme, exam_day: date, now: datetime, *, studied: bool
) -> ExamApplicationRefusal | None:
    """Why an exam on that day cannot be applied for now; `studied`: whether all lessons and class hours are done."""
    opens, closes = exam_application(programme, exam_day)
    if now > closes:
        return "application_closed"
    if now < opens:
        return "application_not_open"
    gate = _the(programme.exam, "exam", programme).requires_study_complete
    return "study_not_complete" if gate and not studied else None


def attempts_left(programme: Programme, attempts_used: int, *, granted: int = 0) -> int | None:
    """Attempts left in one subject; `granted`: by make-ups and given back by staff. `None`: no limit.
    Yunnan manual, step 3 (三) 4: five per subject."""
    allowed = _the(programme.exam, "exam", programme).attempts
    return None if allowed is None else max(allowed + granted - attempts_used, 0)


def is_pass(programme: Programme, score: int) -> bool:
    """Whether a score is a pass. Yunnan manual, step 3 (三) 4: 60 and more."""
    return score >= _the(programme.exam, "exam", programme).pass_score


def kept_score(programme: Programme, scores: Iterable[int]) -> int | None:
    """Of the scores of one subject's attempts, in their order, the one that is shown. `None` before the first."""
    kept = list(scores)
    if not kept:
        return None
    return max(kept) if _the(programme.exam, "exam", programme).keep == "best" else kept[-1]


# --- side paths --------------------------------------------------------------------------------------------------


def extension_refusal(
    programme: Programme,
    *,
    deadline: datetime,
    passed: bool,
    times_used: int,
    now: datetime,
    kind: str | None = None,
) -> ExtensionRefusal | None:
    """Why more days cannot be asked for now; `times_used`: extensions approved before.
    Yunnan manual, step 3 (四) A: only after the period is over."""
    rule = programme.extension
    if rule is None or not _covers(rule.certificate_kinds, kind):
        return "no_extension"
    if passed:
        return "already_passed"
    if now <= deadline:
        return "study_period_not_over"
    return "no_extension_left" if rule.times is not None and times_used >= rule.times else None


def extended_deadline(programme: Programme, approved_at: datetime) -> datetime:
    """The new end (UTC) of the study period: the end of the last of the extension's days after the approval."""
    rule = _the(programme.extension, "extension", programme)
    return end_of_day(shanghai_day(approved_at) + timedelta(days=rule.days))


def make_up_refusal(
    programme: Programme,
    *,
    attempts_used: int,
    passed: bool,
    granted: int = 0,
    times_used: int = 0,
    kind: str | None = None,
) -> MakeUpRefusal | None:
    """Why more attempts in a subject cannot be asked for now; `times_used`: make-ups approved before.
    Yunnan manual, step 3 (四) A: all attempts used and none passed."""
    rule = programme.make_up
    if rule is None or not _covers(rule.certificate_kinds, kind):
        return "no_make_up"
    if passed:
        return "already_passed"
    if attempts_left(programme, attempts_used, granted=granted) != 0:
        return "attempts_left"
    return "no_make_up_left" if rule.times is not None and times_used >= rule.times else None


def make_up_deadline(programme: Programme, approved_at: datetime, deadline: datetime) -> datetime:
    """The end (UTC) of the period after a make-up was approved: its days from then, never earlier than before."""
    rule = _the(programme.make_up, "make_up", programme)
    last_day = shanghai_day(approved_at) + timedelta(days=rule.days)
    return max(end_of_day(last_day), utc(deadline))


def _covers(certificate_kinds: tuple[str, ...] | None, kind: str | None) -> bool:
    """Whether a rule for these kinds of certificate (`None`: all) holds for this one (`None`: not asked)."""
    return certificate_kinds is None or kind is None or kind in certificate_kinds


def renewal_window(
    programme: Programme, certificate_expires: date, *, kind: str | None = None
) -> tuple[date, date] | None:
    """First and last day on which the certificate can be renewed (`date.min`, `date.max`: no limit on that side);
    `None`: not by this programme, or not this kind.
    Yunnan manual, 四 (一) 1: from three months before the expiry until the expiry."""
    rule = programme.renewal
    if rule is None or not _covers(rule.certificate_kinds, kind):
        return None
    before, after = rule.months_before, rule.months_after
    return (
        date.min if before is None else add_months(certificate_expires, -before),
        date.max if after is None else add_months(certificate_expires, after),
    )


def proof_title(programme: Programme) -> str:
    """What the programme's file calls its proof, on every screen and on the paper itself."""
    return programme.proof.title if programme.proof is not None else "证明"
