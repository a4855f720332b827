"""What a programme file says: the tree of rules, and what a file must hold to be one.

Every key must be written. A rule that a programme does not have is written too, as the text "none", and reads here as
`None`: a forgotten key and a rule that does not exist are never the same. A key that is not in this tree is an error.
Amounts are fen; the unit of a time is in its name; days are Shanghai's calendar days, unless called working days.
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from msgspec import Meta

from app.policy.admission import NewCertification, SignUp, Stage
from app.policy.parties import (
    Activation,
    Authority,
    CertificateKind,
    Code,
    Count,
    DayOfMonth,
    Login,
    Percent,
    Positive,
    Rule,
    Text,
)

Channel = Literal["wechat_native", "wechat_jsapi", "alipay_qr", "alipay_wap", "unionpay_b2c", "bank_transfer"]
Client = Literal["web", "mini_program", "app"]
PayClient = Literal["web", "phone_web", "mini_program", "app"]
PayerKind = Literal["person", "enterprise"]
FacePurpose = Literal["activation", "login", "study_now", "exam_start"]
QuestionType = Literal["single", "multiple", "judge"]


# --- money -------------------------------------------------------------------------------------------------------


class Channels(Rule, frozen=True):
    """Ways to pay, in the order in which each client offers them. `web` is a computer's browser, `phone_web` a
    phone's: who holds the phone cannot scan its screen."""

    web: tuple[Channel, ...]
    phone_web: tuple[Channel, ...]
    mini_program: tuple[Channel, ...]
    app: tuple[Channel, ...]
    jsapi_on_ios: bool


class BankTransfer(Rule, frozen=True):
    """Payment by a transfer to the centre's account, for whom (`by`) it is open; an order waits `days` days."""

    days: Positive
    by: Annotated[tuple[PayerKind, ...], Meta(min_length=1)]
    account_name: Text
    bank: Text
    account_number: Annotated[str, Meta(pattern=r"^[0-9]{8,30}$")]


class Fee(Rule, frozen=True):
    """`payer_retype`: name and taxpayer number of the payer are typed again and compared before the payment."""

    amount_fen: Positive
    per: Literal["certificate", "order"]
    order_minutes: Positive
    bank_transfer: BankTransfer | None
    payer_retype: bool
    refundable_after_success: bool
    late_confirmation_working_days: Positive
    channels: Channels


class WorkingDays(Rule, frozen=True):
    """From so many to so many working days."""

    at_least: Count
    at_most: Count

    def __post_init__(self) -> None:
        if self.at_least > self.at_most:
            raise ValueError("at_least is more than at_most")


class Calendar(Rule, frozen=True):
    """Days that the state's calendar (app/policy/working_days.py) does not say, or says otherwise: `holidays` are no
    working days, `working_days` are. A year of which a day stands here counts as known."""

    holidays: tuple[date, ...]
    working_days: tuple[date, ...]

    def __post_init__(self) -> None:
        if both := sorted(set(self.holidays) & set(self.working_days)):
            raise ValueError(f"{both[0]} is a holiday and a working day")


class Invoice(Rule, frozen=True):
    """`after_payment`: working days after the day of the payment. `held_until_settlement_checked`: whether the money
    is looked at once more before. `tax_rate_permille`: 30 is 3 %; prices hold the tax. `goods_name` and `goods_code`
    (19 digits) are those of the state's table of goods and services."""

    issued: Literal["automatic", "on_request"]
    kind: Literal["electronic_ordinary_vat"]
    after_payment: WorkingDays
    held_until_settlement_checked: bool
    details_fixed_once_paid: bool
    tax_rate_permille: Annotated[int, Meta(ge=0, le=130)]
    goods_name: Annotated[str, Meta(min_length=1, max_length=90)]
    goods_code: Annotated[str, Meta(pattern=r"^[0-9]{19}$")]


# --- photo and face ----------------------------------------------------------------------------------------------


class Photo(Rule, frozen=True):
    """`aspect_tolerance_percent`: how far width : height may be from the size named. `changed_by`: who may replace a
    photo once it is there. The smallest picture accepted is `min_width_px` wide. `bareheaded`: no hat; `unretouched`:
    as the camera took it."""

    size: Literal["one_inch", "half_length"]
    width_px: Positive
    height_px: Positive
    aspect_tolerance_percent: Percent
    min_width_px: Positive
    ground: Literal["white", "any"]
    bareheaded: bool
    unretouched: bool
    max_bytes: Positive
    reviewed: bool
    changed_by: Literal["support", "trainee_when_returned", "nobody"]


class FacePurposeRule(Rule, frozen=True):
    """A moment at which the face is checked, and for how long a pass is good."""

    purpose: FacePurpose
    pass_valid_minutes: Positive


class Face(Rule, frozen=True):
    """Scores are the provider's: match 0–100, liveness 0–1. After `retries` failures in a row the manual route opens.
    `action_seconds`: an action prompt must be followed within so many seconds."""

    purposes: Annotated[tuple[FacePurposeRule, ...], Meta(min_length=1)]
    match_score: Annotated[float, Meta(gt=0, le=100)]
    liveness_score: Annotated[float, Meta(gt=0, le=1)]
    retries: Positive
    web_by_phone_qr: bool
    action_seconds: Positive | None


# --- study -------------------------------------------------------------------------------------------------------


class FromPayment(Rule, frozen=True, tag="from_payment", tag_field="kind"):
    """Until the end of the later of: the `days`-th day after the payment, the same day `months` months later."""

    days: Positive
    months: Count


class UntilBeforeExam(Rule, frozen=True, tag="until_before_exam", tag_field="kind"):
    """Until `closes_at` of `days_before` days before the exam, from the last `opens_day` `opens_at` of a month before
    that."""

    opens_day: DayOfMonth
    opens_at: time
    days_before: Positive
    closes_at: time


class CalendarYear(Rule, frozen=True, tag="calendar_year", tag_field="kind"):
    """Until the end of the calendar year that was signed up for; of an earlier year, until the end of the year in
    which it was paid."""


class ClassHours(Rule, frozen=True):
    """Class hours to reach, of `minutes` each: general and professional ones make the total. General ones count again
    for a second post of the same year if so said."""

    total: Positive
    general: Count
    professional: Count
    minutes: Positive
    general_counts_again_in_year: bool

    def __post_init__(self) -> None:
        if self.general + self.professional != self.total:
            raise ValueError(f"general and professional add up to {self.general + self.professional}, not to total")


class Captures(Rule, frozen=True):
    """Random pictures while studying."""

    per_hour_at_least: Positive
    per_hour_at_most: Positive
    minutes_apart: Positive

    def __post_init__(self) -> None:
        if self.per_hour_at_least > self.per_hour_at_most:
            raise ValueError("per_hour_at_least is more than per_hour_at_most")
        if self.per_hour_at_least * self.minutes_apart > 60:
            raise ValueError("per_hour_at_least pictures do not fit into an hour, minutes_apart from each other")


class HoursAudit(Rule, frozen=True):
    """Staff look at the hours before they count. `purge_for`: hours of which this is found are cleared."""

    takes: WorkingDays
    purge_for: Annotated[tuple[Literal["not_the_person", "auto_play", "no_captures"], ...], Meta(min_length=1)]
    purge_keeps_exam_score: bool


class Study(Rule, frozen=True):
    """`rate`: seconds credited per second of the server's clock, at most. `offline_allowance_seconds`: the most a
    learner can have saved up in the bucket while offline. `autoplay`: the next lesson begins by itself.
    `remind_days_before`: so many days before the period ends the person is told."""

    period: FromPayment | UntilBeforeExam | CalendarYear
    remind_days_before: tuple[Positive, ...]
    lesson_percent: Percent
    total_percent: Percent
    class_hours: ClassHours | None
    chunk_seconds: Positive
    rate: Annotated[float, Meta(gt=0, le=4)]
    offline_allowance_seconds: Positive
    lease_stale_seconds: Positive
    autoplay: bool
    no_skipping_until_done: bool
    one_device: bool
    clients: Annotated[tuple[Client, ...], Meta(min_length=1)]
    captures: Captures | None
    audit: HoursAudit | None


# --- exam --------------------------------------------------------------------------------------------------------


class PaperPart(Rule, frozen=True):
    type: QuestionType
    count: Positive
    score: Positive  # of one question


class Sittings(Rule, frozen=True):
    """Exams are applied for: from the last `opens_day` `opens_at` before it until `closes_at` of `days_before` days
    before the exam. `without_application`: what becomes of whoever could not, or did not, apply."""

    opens_day: DayOfMonth
    opens_at: time
    days_before: Positive
    closes_at: time
    without_application: Literal["absent", "nothing"]


class Exam(Rule, frozen=True):
    """The exam taken here. `attempts` are per subject; `None`: again until passed. `multiple_partial_score`: whether
    some of the right options of a multiple-choice question, and no wrong one, earn a part."""

    minutes: Positive
    total_score: Positive
    pass_score: Positive
    attempts: Positive | None
    keep: Literal["best", "last"]
    requires_study_complete: bool
    within_study_period: bool
    on_leave: Literal["burn_and_zero", "hand_in", "continue"]
    crash_grace_seconds: Count
    answer_grace_seconds: Count
    multiple_partial_score: bool
    sittings: Sittings | None
    paper: Annotated[tuple[PaperPart, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        drawn = sum(part.count * part.score for part in self.paper)
        if drawn != self.total_score:
            raise ValueError(f"the parts of paper add up to {drawn}, not to total_score {self.total_score}")
        if self.pass_score > self.total_score:
            raise ValueError(f"pass_score {self.pass_score} is more than total_score {self.total_score}")


class CentreExam(Rule, frozen=True):
    """An exam taken at a centre: its result comes from there. `prints`: what the person prints beforehand."""

    prints: tuple[Literal["sign_up_form", "promise", "admission_ticket"], ...]
    result_confirmed: bool


class Practice(Rule, frozen=True):
    """Practising with the question bank, without a score; `certificate_kinds` `None`: for all kinds."""

    certificate_kinds: tuple[Code, ...] | None


# --- side paths and the end --------------------------------------------------------------------------------------


class Extension(Rule, frozen=True):
    """More days to study, asked for after the period is over. `days` count from the approval. `certificate_kinds`:
    holders of others ask by telephone (`None`: there are no others)."""

    days: Positive
    times: Positive | None
    reviewed: bool
    fee_fen: Count
    form: Literal["online", "uploaded"]
    by: Annotated[tuple[Literal["person", "enterprise"], ...], Meta(min_length=1)]
    certificate_kinds: tuple[Code, ...] | None


class MakeUp(Rule, frozen=True):
    """More attempts, asked for once all are used up without a pass. `days` (to sit them) count from the approval.
    `certificate_kinds`: as for an extension."""

    attempts: Positive
    days: Positive
    times: Positive | None
    reviewed: bool
    fee_fen: Count
    form: Literal["online", "uploaded"]
    by: Annotated[tuple[Literal["person", "enterprise"], ...], Meta(min_length=1)]
    certificate_kinds: tuple[Code, ...] | None


class Proof(Rule, frozen=True):
    """`valid_only_with`: without these the printed proof is void."""

    title: Text
    valid_only_with: tuple[Literal["photo", "qr", "colour"], ...]
    new_one_voids_old: bool


class Renewal(Rule, frozen=True):
    """From `months_before` the expiry until `months_after` it, both days included; later the certificate is void.
    `None`: no such limit. `gives`: what one has afterwards; `voids_old`: the certificate before it is void."""

    months_before: Count | None
    months_after: Count | None
    gives: Literal["certificate", "electronic_certificate"]
    voids_old: bool
    listed_after_pass: WorkingDays
    by: Literal["enterprise_ca_lock", "receipt_upload", "person"]
    certificate_kinds: tuple[Code, ...] | None  # None: all of them; others are renewed by notice


class Programme(Rule, frozen=True):
    """One version of one programme: `key` is its folder's name, `version` the day it came into force, its file's."""

    key: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    version: date
    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)]  # of continuing education
    new_certification: NewCertification | None
    calendar: Calendar | None
    authority: Authority
    login: Login
    activation: Activation
    sign_up: SignUp
    fee: Fee | None
    invoice: Invoice | None
    photo: Photo | None
    face: Face | None
    study: Study | None
    exam: Exam | None
    centre_exam: CentreExam | None
    practice: Practice | None
    extension: Extension | None
    make_up: MakeUp | None
    proof: Proof | None
    renewal: Renewal | None
    certificate_kinds: Annotated[tuple[CertificateKind, ...], Meta(min_length=1)]
