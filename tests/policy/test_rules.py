"""Boundaries of the pure questions, to the second, in Shanghai's time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.clock import SHANGHAI
from app.policy import load, rules
from app.policy.days import end_of_day
from app.policy.schema import PayClient, Programme
from tests.policy.conftest import DELIVERED, FILE

YUNNAN = load.read(DELIVERED / FILE, FILE)
Edit = Callable[[str, str], None]


def at(text: str) -> datetime:
    """'2021-01-02 03:04:05' on a Shanghai clock, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


# --- sign-up -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "refusal"),
    [
        ("2021-07-01 00:00:00", None),
        ("2021-08-30 00:00:00", None),  # the 60th day after 2021-07-01
        ("2021-08-30 23:59:59", None),
        ("2021-08-31 00:00:00", "certificate_expired_too_long"),  # the 61st
        ("2022-07-01 00:00:00", "certificate_expired_too_long"),
    ],
)
def test_sixty_days_after_expiry_are_in_time_and_the_sixty_first_is_refused(now: str, refusal: str | None) -> None:
    assert rules.sign_up_refusal(YUNNAN, date(2021, 7, 1), at(now)) == refusal


def test_sign_up_without_a_certificate_is_not_refused_for_its_expiry() -> None:
    assert rules.sign_up_refusal(YUNNAN, None, at("2021-08-31 00:00:00")) is None
    assert rules.sign_up_warning(YUNNAN, None, at("2021-08-31 00:00:00")) is None


@pytest.mark.parametrize(
    ("now", "warning"),
    [
        ("2021-05-26 23:59:59", None),  # 36 days before
        ("2021-05-27 00:00:00", "certificate_expires_soon"),  # 35 days before
        ("2021-07-01 23:59:59", "certificate_expires_soon"),  # its last day
        ("2021-07-02 00:00:00", "certificate_void"),
        ("2021-08-30 12:00:00", "certificate_void"),  # may be signed up for, and yet is void
    ],
)
def test_who_signs_up_late_is_warned_before_paying(now: str, warning: str | None) -> None:
    assert rules.sign_up_warning(YUNNAN, date(2021, 7, 1), at(now)) == warning


def test_a_naive_moment_is_refused() -> None:
    naive = datetime(2021, 7, 1)  # noqa: DTZ001
    for ask in (
        lambda: rules.sign_up_refusal(YUNNAN, date(2021, 7, 1), naive),
        lambda: rules.study_deadline(YUNNAN, naive),
        lambda: rules.order_expires_at(YUNNAN, naive),
        lambda: rules.exam_deadline(YUNNAN, naive),
    ):
        with pytest.raises(ValueError, match="time zone"):
            ask()


# --- money ---------------------------------------------------------------------------------------------------------


def test_an_order_lives_for_thirty_minutes() -> None:
    assert rules.order_expires_at(YUNNAN, at("2021-02-28 23:45:30")) == at("2021-03-01 00:15:30")


def test_each_certificate_costs_two_hundred_yuan() -> None:
    assert [rules.price_fen(YUNNAN, count) for count in (0, 1, 2)] == [0, 20000, 40000]


def test_each_client_offers_first_what_is_at_hand_there() -> None:
    first = {client: rules.channels(YUNNAN, client, ios=False)[0] for client in get_args(PayClient)}
    assert first == {
        "web": "wechat_native",
        "phone_web": "alipay_wap",
        "mini_program": "wechat_jsapi",
        "app": "alipay_wap",
    }


def test_jsapi_is_offered_on_an_iphone_only_where_the_programme_says_so(document: dict[str, Any]) -> None:
    document["fee"]["channels"]["mini_program"] = ["wechat_jsapi", "wechat_native"]
    programme = load.parse(document, FILE)
    assert rules.channels(programme, "mini_program", ios=False) == ("wechat_jsapi", "wechat_native")
    assert rules.channels(programme, "mini_program", ios=True) == ("wechat_native",)
    document["fee"]["channels"]["jsapi_on_ios"] = True
    programme = load.parse(document, FILE)
    assert rules.channels(programme, "mini_program", ios=True) == ("wechat_jsapi", "wechat_native")


TRANSFER = {
    "days": 7, "by": ["enterprise"], "account_name": "某中心", "bank": "某银行", "account_number": "530012345678",
}  # fmt: skip


def test_a_bank_transfer_has_days_where_the_programme_allows_it(document: dict[str, Any]) -> None:
    with pytest.raises(rules.NoSuchRule, match=r"fee\.bank_transfer"):
        rules.order_expires_at(YUNNAN, at("2021-03-01 12:00:00"), channel="bank_transfer")
    document["fee"]["bank_transfer"] = TRANSFER
    document["fee"]["channels"]["web"] = ["wechat_native", "bank_transfer"]
    programme = load.parse(document, FILE)
    ordered = at("2021-03-01 12:00:00")
    assert rules.order_expires_at(programme, ordered, channel="bank_transfer") == at("2021-03-08 12:00:00")
    assert rules.order_expires_at(programme, ordered, channel="wechat_native") == at("2021-03-01 12:30:00")


def test_a_bank_transfer_is_open_to_whom_the_file_names(document: dict[str, Any]) -> None:
    assert not rules.may_transfer(YUNNAN, "enterprise")
    document["fee"]["channels"]["web"] = ["wechat_native", "bank_transfer"]
    document["fee"]["bank_transfer"] = TRANSFER
    programme = load.parse(document, FILE)
    assert rules.channels(programme, "web", ios=False) == ("wechat_native",)
    assert rules.channels(programme, "web", ios=False, payer="enterprise") == ("wechat_native", "bank_transfer")
    document["fee"]["bank_transfer"] = TRANSFER | {"by": ["person", "enterprise"]}
    programme = load.parse(document, FILE)
    assert rules.channels(programme, "web", ios=False) == ("wechat_native", "bank_transfer")


# --- study ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "last_day"),
    [
        ("2020-12-16 10:00:00", "2021-01-16"),  # the manual's pictures
        ("2020-11-25 10:00:00", "2020-12-25"),
        ("2021-01-31 10:00:00", "2021-03-02"),  # 30 days are later than 02-28
        ("2021-02-10 10:00:00", "2021-03-12"),  # a short month: 30 days are later
        ("2024-01-30 10:00:00", "2024-02-29"),  # a leap year: both are the same day
        ("2024-01-31 10:00:00", "2024-03-01"),
        ("2024-02-29 10:00:00", "2024-03-30"),
        ("2021-12-31 10:00:00", "2022-01-31"),  # over the end of a year
        ("2021-03-15 00:00:00", "2021-04-15"),
        ("2021-03-15 23:59:59", "2021-04-15"),
        ("2021-03-16 00:00:00", "2021-04-16"),
    ],
)
def test_the_study_period_ends_with_the_later_of_thirty_days_and_the_same_day_of_next_month(
    paid: str, last_day: str
) -> None:
    deadline = rules.study_deadline(YUNNAN, at(paid))
    assert deadline.utcoffset() == timedelta(0)
    assert at(f"{last_day} 23:59:59") <= deadline < at(f"{last_day} 23:59:59") + timedelta(seconds=1)


moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments)
@settings(max_examples=200, deadline=None)
def test_nobody_has_less_than_thirty_days_or_more_than_thirty_two(paid: datetime) -> None:
    deadline = rules.study_deadline(YUNNAN, paid)
    assert timedelta(days=30) <= deadline - paid < timedelta(days=32)
    assert deadline.astimezone(SHANGHAI).strftime("%H:%M:%S.%f") == "23:59:59.999999"


@given(moments, st.timedeltas(timedelta(0), timedelta(days=40)))
@settings(max_examples=200, deadline=None)
def test_who_pays_later_never_has_to_finish_earlier(paid: datetime, later: timedelta) -> None:
    assert rules.study_deadline(YUNNAN, paid) <= rules.study_deadline(YUNNAN, paid + later)


def test_studying_opens_with_the_payment() -> None:
    assert rules.study_opens_at(YUNNAN, at("2021-03-15 08:00:00")) == at("2021-03-15 08:00:00")


# --- face ----------------------------------------------------------------------------------------------------------


def test_a_pass_is_good_for_its_time_and_purpose_only() -> None:
    passed = at("2021-03-15 08:00:00")
    assert not rules.face_check_due(YUNNAN, "study_now", passed, at("2021-03-15 11:59:59"))
    assert rules.face_check_due(YUNNAN, "study_now", passed, at("2021-03-15 12:00:00"))
    assert rules.face_check_due(YUNNAN, "login", None, passed)
    assert not rules.face_check_due(YUNNAN, "exam_start", None, passed)


def test_scores_at_the_threshold_pass_and_below_it_do_not() -> None:
    assert rules.face_passes(YUNNAN, match=80.0, liveness=0.8)
    assert rules.face_passes(YUNNAN, match=80.0, liveness=None)
    assert not rules.face_passes(YUNNAN, match=79.99, liveness=0.9)
    assert not rules.face_passes(YUNNAN, match=99.0, liveness=0.79)


def test_after_five_failures_the_manual_route_is_next() -> None:
    assert [rules.face_retries_left(YUNNAN, failures) for failures in (0, 4, 5, 6)] == [5, 1, 0, 0]


# --- exam ----------------------------------------------------------------------------------------------------------


def test_the_exam_ends_after_two_hours_and_its_grace_is_five_seconds() -> None:
    deadline = rules.exam_deadline(YUNNAN, at("2021-03-15 23:00:00"))
    assert deadline == at("2021-03-16 01:00:00")
    assert rules.answers_until(YUNNAN, deadline) == at("2021-03-16 01:00:05")


def test_a_crash_has_two_minutes() -> None:
    assert rules.resume_until(YUNNAN, at("2021-03-15 23:00:00")) == at("2021-03-15 23:02:00")


def test_sixty_points_are_a_pass_and_the_best_score_is_kept() -> None:
    assert not rules.is_pass(YUNNAN, 59)
    assert rules.is_pass(YUNNAN, 60)
    assert rules.kept_score(YUNNAN, [58, 72, 61]) == 72
    assert rules.kept_score(YUNNAN, []) is None


def test_there_are_five_attempts_and_what_was_granted() -> None:
    assert [rules.attempts_left(YUNNAN, used) for used in (0, 4, 5, 6)] == [5, 1, 0, 0]
    assert rules.attempts_left(YUNNAN, 5, granted=5) == 5


# --- side paths ----------------------------------------------------------------------------------------------------


def test_an_extension_is_asked_for_after_the_period_and_not_before() -> None:
    deadline = rules.study_deadline(YUNNAN, at("2020-12-16 10:00:00"))

    def refusal(now: datetime, *, passed: bool = False, times_used: int = 0) -> str | None:
        return rules.extension_refusal(YUNNAN, deadline=deadline, passed=passed, times_used=times_used, now=now)

    assert refusal(at("2021-01-16 23:59:59")) == "study_period_not_over"
    assert refusal(deadline) == "study_period_not_over"
    assert refusal(at("2021-01-17 00:00:00")) is None
    assert refusal(at("2021-01-17 00:00:00"), passed=True) == "already_passed"
    assert refusal(at("2021-01-17 00:00:00"), times_used=9) is None


def test_extensions_can_be_limited(document: dict[str, Any]) -> None:
    document["extension"]["times"] = 2
    programme = load.parse(document, FILE)
    now = at("2021-01-17 00:00:00")
    deadline = now - timedelta(seconds=1)
    for used, refusal in ((1, None), (2, "no_extension_left")):
        asked = rules.extension_refusal(programme, deadline=deadline, passed=False, times_used=used, now=now)
        assert asked == refusal


def test_an_extension_runs_to_the_end_of_its_thirtieth_day() -> None:
    assert rules.extended_deadline(YUNNAN, at("2021-01-17 00:00:00")) == end_of_day(date(2021, 2, 16))


@pytest.mark.parametrize(
    ("used", "granted", "passed", "refusal"),
    [
        (4, 0, False, "attempts_left"),
        (5, 0, False, None),
        (5, 0, True, "already_passed"),
        (5, 1, False, "attempts_left"),  # support gave one back
        (10, 5, False, None),
    ],
)
def test_a_make_up_is_asked_for_when_every_attempt_is_used(
    used: int, granted: int, passed: bool, refusal: str | None
) -> None:
    assert rules.make_up_refusal(YUNNAN, attempts_used=used, granted=granted, passed=passed) == refusal


def test_make_ups_can_be_limited(document: dict[str, Any]) -> None:
    document["make_up"]["times"] = 1
    programme = load.parse(document, FILE)
    for used, refusal in ((0, None), (1, "no_make_up_left")):
        assert rules.make_up_refusal(programme, attempts_used=5, passed=False, times_used=used) == refusal


def test_a_make_up_leaves_time_to_sit_it_and_never_takes_any() -> None:
    end = end_of_day(date(2021, 2, 1))
    assert rules.make_up_deadline(YUNNAN, at("2021-01-17 12:00:00"), end) == end_of_day(date(2021, 2, 16))
    far = end_of_day(date(2021, 5, 1))
    assert rules.make_up_deadline(YUNNAN, at("2021-01-17 12:00:00"), far) == far


@pytest.mark.parametrize(
    ("expires", "first"),
    [
        (date(2021, 12, 10), date(2021, 9, 10)),
        (date(2021, 5, 31), date(2021, 2, 28)),
        (date(2024, 5, 31), date(2024, 2, 29)),
        (date(2021, 1, 15), date(2020, 10, 15)),
        (date(2021, 3, 31), date(2020, 12, 31)),
    ],
)
def test_renewal_opens_three_months_before_expiry_and_ends_with_it(expires: date, first: date) -> None:
    assert rules.renewal_window(YUNNAN, expires) == (first, expires)


# --- accounts and stages -------------------------------------------------------------------------------------------


def test_first_passwords_follow_the_sort_of_account() -> None:
    assert YUNNAN.login.enterprise is not None
    person = rules.first_password(
        YUNNAN.login.person, account="530102199001011234", mobile=None, certificate_kinds=["A"]
    )
    clerk = rules.first_password(
        YUNNAN.login.enterprise, account="91530100MA6K12345X", mobile=None, certificate_kinds=[]
    )
    assert (person, clerk) == ("12345678", "12345X")


def test_the_stages_follow_each_other_as_the_file_says() -> None:
    walked, stage = [], rules.next_stage(YUNNAN, "sign_up")
    while stage:
        walked.append(stage)
        stage = rules.next_stage(YUNNAN, stage)
    assert walked == ["payment", "photo", "study", "exam", "proof"]
    with pytest.raises(rules.NoSuchRule):
        rules.next_stage(YUNNAN, "hours_audit")


def test_a_kind_of_certificate_is_found_by_its_code() -> None:
    kind = rules.certificate_kind(YUNNAN, "ZLY-ZS")
    assert kind is not None
    assert (kind.title, kind.family, [subject.title for subject in kind.subjects]) == (
        "装饰装修质量员",
        "质量员",
        ["装饰装修质量员"],
    )
    assert rules.certificate_kind(YUNNAN, "Z") is None


# --- the file decides ----------------------------------------------------------------------------------------------

PAID = at("2021-01-31 10:00:00")
ANSWERS: list[tuple[str, str, Callable[[Programme], object], object]] = [
    ("order_minutes = 30", "order_minutes = 45", lambda p: rules.order_expires_at(p, PAID),
     at("2021-01-31 10:45:00")),
    ("amount_fen = 20000", "amount_fen = 1", lambda p: rules.price_fen(p, 3), 3),
    ('per = "certificate"', 'per = "order"', lambda p: rules.price_fen(p, 3), 20000),
    ("days = 30, months = 1", "days = 20, months = 0", lambda p: rules.study_deadline(p, PAID),
     end_of_day(date(2021, 2, 20))),
    ("refuse_after_days = 60", "refuse_after_days = 61",
     lambda p: rules.sign_up_refusal(p, date(2021, 7, 1), at("2021-08-31 00:00:00")), None),
    ("pass_score = 60", "pass_score = 80", lambda p: rules.is_pass(p, 79), False),
    ('keep = "best"', 'keep = "last"', lambda p: rules.kept_score(p, [90, 61]), 61),
    ("minutes = 120", "minutes = 60", lambda p: rules.exam_deadline(p, PAID), at("2021-01-31 11:00:00")),
    ("months_after = 0", "months_after = 3", lambda p: rules.renewal_window(p, date(2021, 7, 1)),
     (date(2021, 4, 1), date(2021, 10, 1))),
    ("months_after = 0", "months_after = 3",
     lambda p: rules.sign_up_warning(p, date(2021, 7, 1), at("2021-08-01 00:00:00")), "certificate_expired"),
    ("retries = 5", "retries = 2", lambda p: rules.face_retries_left(p, 2), 0),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "ask", "answer"), ANSWERS)
def test_a_changed_rule_in_the_file_changes_the_answer(
    copied: Path, edit: Edit, old: str, new: str, ask: Callable[[Programme], object], answer: object
) -> None:
    assert ask(YUNNAN) != answer
    edit(old, new)
    assert ask(load.read(copied / FILE, FILE)) == answer
