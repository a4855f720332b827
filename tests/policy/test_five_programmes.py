"""What the five manuals say, written down by hand from them, and asked of the delivered files: at the boundary, and a
second beside it, in Shanghai's time. A file that drifts from its manual turns one of these red."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.core.clock import SHANGHAI
from app.policy import load, rules
from app.policy.schema import Programme
from tests.policy.conftest import DELIVERED

FIVE = {programme.key: programme for programme in load.read_all(DELIVERED).values()}
YUNNAN, LEGACY = FIVE["yunnan"], FIVE["yunnan-legacy"]
HENAN, QIANNAN, MOHURD = FIVE["henan"], FIVE["qiannan"], FIVE["mohurd"]
BOTH = ("yunnan", "yunnan-legacy")
ALL = sorted(FIVE)
ID = "530102199001011234"


def at(text: str) -> datetime:
    """'2021-01-02 03:04:05' on a Shanghai clock, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def test_the_five_are_there() -> None:
    assert ALL == ["henan", "mohurd", "qiannan", "yunnan", "yunnan-legacy"]


# --- the path ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "business", "path"),
    [
        ("yunnan", "continuing", "sign_up payment photo study exam proof"),
        ("yunnan-legacy", "continuing", "sign_up payment photo study exam proof"),
        ("henan", "continuing", "sign_up study"),
        ("henan", "new", "sign_up confirmation exam"),
        ("qiannan", "continuing", "sign_up materials payment study exam"),
        ("qiannan", "new", "sign_up materials payment exam"),
        ("mohurd", "continuing", "sign_up payment study exam hours_audit proof"),
    ],
)
def test_the_stages_follow_each_other_as_the_manual_has_it(key: str, business: Any, path: str) -> None:
    walked = ["sign_up"]
    while stage := rules.next_stage(FIVE[key], walked[-1], business=business):  # type: ignore[arg-type]
        walked.append(stage)
    assert walked == path.split()


@pytest.mark.parametrize("key", [*BOTH, "mohurd"])
def test_where_nothing_is_got_newly_there_is_no_such_path(key: str) -> None:
    with pytest.raises(rules.NoSuchRule):
        rules.next_stage(FIVE[key], "sign_up", business="new")


def test_henan_asks_for_nine_steps_between_the_commitments_and_the_printing() -> None:
    assert HENAN.new_certification is not None
    assert HENAN.new_certification.steps is not None
    first, *nine, last = HENAN.new_certification.steps
    assert (first, last) == ("commitments", "submit_and_print")
    expected = "employment city institution post resume promise id_card_front id_card_back diploma"
    assert nine == expected.split()
    assert HENAN.sign_up.steps == ("certificate_number", "post", "city", "institution", "resume", "confirm")
    assert HENAN.sign_up.withdrawable_until == "confirmed"


# --- accounts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "kind", "password"),
    [
        ("yunnan", "A", "12345678"),
        ("yunnan", "C1", "12345678"),
        ("yunnan-legacy", "A", "12345678"),
        ("yunnan-legacy", "ZL", "12345678"),
        ("yunnan-legacy", "DG", "12345678"),
        ("yunnan-legacy", "C1", "011234"),
        ("yunnan-legacy", "C2", "011234"),
        ("yunnan-legacy", "C3", "011234"),
        ("yunnan-legacy", "TJ", "011234"),
        ("yunnan-legacy", "XHG", "011234"),
        ("henan", "ZL", None),
        ("qiannan", "A", None),
        ("mohurd", "ZL", "13800138000"),
    ],
)
def test_the_first_password_follows_programme_and_certificate(key: str, kind: str, password: str | None) -> None:
    login = FIVE[key].login.person
    assert rules.first_password(login, account=ID, mobile="13800138000", certificate_kinds=[kind]) == password


@pytest.mark.parametrize("key", BOTH)
def test_an_enterprises_first_password_ends_its_taxpayer_number(key: str) -> None:
    login = FIVE[key].login.enterprise
    assert login is not None
    assert rules.first_password(login, account="91530100MA6K12345X", mobile=None, certificate_kinds=[]) == "12345X"
    assert login.first_login == ("change_password", "invoice_details", "confirm")


def test_the_legacy_path_of_cranes_and_safety_staff_has_its_own_telephones() -> None:
    assert rules.contacts(LEGACY, "A").sign_up == "0871-64332710"
    assert [rules.contacts(LEGACY, kind).sign_up for kind in ("C3", "TJ")] == ["0871-64322249"] * 2
    assert rules.contacts(LEGACY, "XHG").extension == "0871-65631360"
    assert rules.contacts(LEGACY).extension == "0871-63122229"
    assert rules.contacts(MOHURD, "ZL").study == "400-999-9355"


# --- sign-up -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", BOTH)
@pytest.mark.parametrize(
    ("expires", "now", "refusal"),
    [
        (date(2021, 7, 1), "2021-08-30 23:59:59", None),  # the 60th day
        (date(2021, 7, 1), "2021-08-31 00:00:00", "certificate_expired_too_long"),  # the 61st
        (date(2020, 12, 31), "2021-03-01 23:59:59", None),  # over the end of a year
        (date(2020, 12, 31), "2021-03-02 00:00:00", "certificate_expired_too_long"),
        (date(2023, 12, 31), "2024-02-29 23:59:59", None),  # the 60th day is a leap day
        (date(2023, 12, 31), "2024-03-01 00:00:00", "certificate_expired_too_long"),
        (date(2021, 7, 1), "2021-03-23 03:00:00", None),  # open at any hour of any day
    ],
)
def test_yunnan_takes_sixty_days_after_the_expiry_and_not_sixty_one(
    key: str, expires: date, now: str, refusal: str | None
) -> None:
    assert rules.sign_up_refusal(FIVE[key], expires, at(now)) == refusal


@pytest.mark.parametrize(
    ("now", "months"),
    [
        ("2021-12-31 23:59:59", []),
        ("2022-01-01 08:59:59", []),
        ("2022-01-01 09:00:00", ["2022-01-01", "2022-02-01"]),
        ("2022-01-22 16:59:59", ["2022-01-01", "2022-02-01"]),
        ("2022-01-22 17:00:00", ["2022-01-01", "2022-02-01"]),
        ("2022-01-22 17:00:01", []),
        ("2022-02-28 12:00:00", []),
        ("2024-02-29 12:00:00", []),
        ("2022-12-01 09:00:00", ["2022-12-01", "2023-01-01"]),  # the next month is in the next year
    ],
)
def test_qiannan_signs_up_from_the_first_at_nine_to_the_twenty_second_at_five(now: str, months: list[str]) -> None:
    assert [str(month) for month in rules.exam_months(QIANNAN, at(now))] == months
    assert rules.sign_up_refusal(QIANNAN, None, at(now)) == (None if months else "sign_up_closed")


@pytest.mark.parametrize(
    ("now", "years"),
    [
        ("2019-12-31 23:59:59", (2019, 2018)),
        ("2020-01-01 00:00:00", (2020, 2019)),
    ],
)
def test_mohurd_offers_this_year_first_and_last_year_after_it(now: str, years: tuple[int, ...]) -> None:
    assert rules.years_offered(MOHURD, at(now)) == years
    for year in range(2016, 2023):
        expected = None if year in years else "year_not_offered"
        assert rules.sign_up_refusal(MOHURD, None, at(now), year=year) == expected
    assert rules.sign_up_refusal(MOHURD, None, at(now)) == "year_not_offered"


def test_henan_signs_up_all_year() -> None:
    last = at("2022-12-31 23:59:59")
    assert rules.sign_up_refusal(HENAN, None, last) is None
    assert rules.years_offered(HENAN, last) == rules.exam_months(HENAN, last) == ()


@pytest.mark.parametrize(
    ("key", "code", "continuing", "new"),
    [
        ("yunnan", "A", True, False),
        ("qiannan", "A", True, True),
        ("qiannan", "C2", True, True),
        ("qiannan", "C3", False, True),  # the picture lists no 延期 for it
        ("qiannan", "TZ", False, False),  # practising only
        ("henan", "ZL", True, True),
        ("mohurd", "ZL", True, False),
        ("mohurd", "A", False, False),
    ],
)
def test_a_kind_of_certificate_is_offered_for_its_businesses_only(
    key: str, code: str, continuing: bool, new: bool
) -> None:
    found = [rules.offered_kind(FIVE[key], code, business) is not None for business in ("continuing", "new")]  # type: ignore[arg-type]
    assert found == [continuing, new]


# --- money ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", BOTH)
def test_yunnan_costs_two_hundred_yuan_a_certificate_within_thirty_minutes(key: str) -> None:
    assert [rules.price_fen(FIVE[key], count) for count in (1, 2, 200)] == [20000, 40000, 4000000]
    assert rules.order_expires_at(FIVE[key], at("2019-12-31 23:45:54")) == at("2020-01-01 00:15:54")


def test_mohurd_sells_by_the_order_and_henan_sells_nothing() -> None:
    assert rules.price_fen(MOHURD, 1) == rules.price_fen(MOHURD, 3)
    with pytest.raises(rules.NoSuchRule):
        rules.price_fen(HENAN, 1)


@pytest.mark.parametrize(
    ("key", "issued", "after"),
    [("yunnan", "automatic", (3, 5)), ("yunnan-legacy", "automatic", (3, 5)), ("mohurd", "on_request", None)],
)
def test_invoices_come_as_the_manual_says(key: str, issued: str, after: tuple[int, int] | None) -> None:
    rule = FIVE[key].invoice
    assert rule is not None
    assert rule.issued == issued
    if after:
        assert (rule.after_payment.at_least, rule.after_payment.at_most) == after
        assert rule.held_until_settlement_checked


# --- study ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "yunnan", "legacy"),
    [
        ("2020-12-16 10:00:00", "2021-01-16", "2021-01-15"),  # the newer manual's pictures show the same day
        ("2020-11-25 10:00:00", "2020-12-25", "2020-12-25"),
        ("2021-01-31 10:00:00", "2021-03-02", "2021-03-02"),
        ("2024-01-31 10:00:00", "2024-03-01", "2024-03-01"),
        ("2023-12-31 23:59:59", "2024-01-31", "2024-01-30"),
        ("2024-01-01 00:00:00", "2024-02-01", "2024-01-31"),
        ("2021-02-28 10:00:00", "2021-03-30", "2021-03-30"),
        ("2021-04-30 10:00:00", "2021-05-30", "2021-05-30"),
    ],
)
def test_thirty_days_and_in_the_newer_manual_never_less_than_the_same_day_next_month(
    paid: str, yunnan: str, legacy: str
) -> None:
    for programme, last in ((YUNNAN, yunnan), (LEGACY, legacy)):
        deadline = rules.study_deadline(programme, at(paid))
        assert at(f"{last} 23:59:59") <= deadline < at(f"{last} 23:59:59") + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("exam_day", "opens", "closes"),
    [
        ("2022-01-25", "2022-01-01 09:00:00", "2022-01-24 12:00:00"),
        ("2022-03-31", "2022-03-01 09:00:00", "2022-03-30 12:00:00"),
        ("2024-03-01", "2024-02-01 09:00:00", "2024-02-29 12:00:00"),  # the day before is a leap day
        ("2023-01-01", "2022-12-01 09:00:00", "2022-12-31 12:00:00"),  # and here in the year before
        ("2022-01-02", "2022-01-01 09:00:00", "2022-01-01 12:00:00"),
    ],
)
def test_qiannan_studies_until_noon_of_the_day_before_the_exam(exam_day: str, opens: str, closes: str) -> None:
    day, early = date.fromisoformat(exam_day), at("2021-11-20 10:00:00")
    assert rules.study_opens_at(QIANNAN, early, exam_day=day) == at(opens)
    assert rules.study_deadline(QIANNAN, early, exam_day=day) == at(closes)
    late = at(opens) + timedelta(hours=1)
    assert rules.study_opens_at(QIANNAN, late, exam_day=day) == late
    for ask in (rules.study_opens_at, rules.study_deadline):
        with pytest.raises(ValueError, match="exam_day"):
            ask(QIANNAN, early)


@pytest.mark.parametrize(
    ("paid", "year", "last"),
    [
        ("2019-12-06 10:00:00", 2019, "2019-12-31"),
        ("2019-12-31 23:59:59", 2019, "2019-12-31"),
        ("2020-01-01 00:00:00", 2019, "2020-12-31"),  # last year's hours, made up for in this one
        ("2020-06-01 10:00:00", 2020, "2020-12-31"),
    ],
)
def test_mohurd_studies_to_the_end_of_the_year_that_is_left(paid: str, year: int, last: str) -> None:
    deadline = rules.study_deadline(MOHURD, at(paid), year=year)
    assert at(f"{last} 23:59:59") <= deadline < at(f"{last} 23:59:59") + timedelta(seconds=1)
    with pytest.raises(ValueError, match="year"):
        rules.study_deadline(MOHURD, at(paid))


def test_henans_period_is_the_year_itself() -> None:
    deadline = rules.study_deadline(HENAN, at("2022-12-01 00:00:00"))
    assert at("2022-12-31 23:59:59") <= deadline < at("2023-01-01 00:00:00")


def test_class_hours_are_forty_in_qiannan_and_ten_and_twenty_two_in_mohurd() -> None:
    assert rules.class_hours_needed(QIANNAN) == rules.class_hours_needed(QIANNAN, general_earned_in_year=10) == 40
    earned = {earned: rules.class_hours_needed(MOHURD, general_earned_in_year=earned) for earned in (0, 4, 10, 32)}
    assert earned == {0: 32, 4: 28, 10: 22, 32: 22}
    with pytest.raises(rules.NoSuchRule):
        rules.class_hours_needed(YUNNAN)


def test_mohurds_audit_clears_hours_and_keeps_the_score() -> None:
    assert MOHURD.study is not None
    audit = MOHURD.study.audit
    assert audit is not None
    assert (audit.takes.at_least, audit.takes.at_most, audit.purge_keeps_exam_score) == (3, 5, True)
    assert set(audit.purge_for) == {"not_the_person", "auto_play", "no_captures"}
    assert MOHURD.face is not None
    assert MOHURD.face.action_seconds == 3


# --- exam ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exam_day", "now", "refusal"),
    [
        ("2022-01-25", "2022-01-20 08:59:59", "application_not_open"),
        ("2022-01-25", "2022-01-20 09:00:00", None),
        ("2022-01-25", "2022-01-24 12:00:00", None),
        ("2022-01-25", "2022-01-24 12:00:01", "application_closed"),
        ("2022-02-05", "2022-01-20 09:00:00", None),  # an exam early in a month is applied for in the month before
        ("2022-02-05", "2022-02-04 12:00:00", None),
        ("2022-02-05", "2022-02-04 12:00:01", "application_closed"),
        ("2024-03-01", "2024-02-29 12:00:00", None),
        ("2024-03-01", "2024-02-29 12:00:01", "application_closed"),
        ("2023-01-01", "2022-12-31 12:00:00", None),
        ("2023-01-01", "2022-12-31 12:00:01", "application_closed"),
        ("2022-01-21", "2022-01-20 12:00:00", None),
    ],
)
def test_qiannan_takes_applications_from_the_twentieth_at_nine_to_noon_of_the_day_before(
    exam_day: str, now: str, refusal: str | None
) -> None:
    day = date.fromisoformat(exam_day)
    assert rules.exam_application_refusal(QIANNAN, day, at(now), studied=True) == refusal
    unfinished = rules.exam_application_refusal(QIANNAN, day, at(now), studied=False)
    assert unfinished == (refusal or "study_not_complete")


def test_where_there_are_no_sittings_there_is_nothing_to_apply_for() -> None:
    for key in ("yunnan", "yunnan-legacy", "henan", "mohurd"):
        with pytest.raises(rules.NoSuchRule):
            rules.exam_application(FIVE[key], date(2022, 1, 25))


@pytest.mark.parametrize(
    ("key", "minutes", "attempts", "questions"),
    [("yunnan", 120, 5, 50), ("yunnan-legacy", 120, 5, 50), ("qiannan", 120, 1, 50), ("mohurd", 60, None, 50)],
)
def test_an_exam_has_its_minutes_its_attempts_and_sixty_points_to_pass(
    key: str, minutes: int, attempts: int | None, questions: int
) -> None:
    programme, started = FIVE[key], at("2020-02-29 23:30:00")
    assert rules.exam_deadline(programme, started) == started + timedelta(minutes=minutes)
    assert rules.attempts_left(programme, 0) == attempts
    assert [rules.is_pass(programme, score) for score in (59, 60, 100)] == [False, True, True]
    assert programme.exam is not None
    assert sum(part.count for part in programme.exam.paper) == questions
    assert rules.kept_score(programme, [60, 59]) == 60


def test_henans_exam_is_the_centres() -> None:
    assert HENAN.centre_exam is not None
    assert HENAN.centre_exam.prints == ("sign_up_form", "promise", "admission_ticket")
    assert HENAN.centre_exam.result_confirmed
    for ask in (lambda: rules.is_pass(HENAN, 60), lambda: rules.attempts_left(HENAN, 0)):
        with pytest.raises(rules.NoSuchRule):
            ask()


# --- side paths ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ALL)
def test_extensions_are_yunnans_after_the_period_and_not_before(key: str) -> None:
    deadline = at("2021-01-16 23:59:59")

    def asked(now: str, kind: str | None = None) -> str | None:
        return rules.extension_refusal(
            FIVE[key], deadline=deadline, passed=False, times_used=0, now=at(now), kind=kind
        )

    if key not in BOTH:
        assert asked("2021-01-17 00:00:00") == "no_extension"
        return
    assert asked("2021-01-16 23:59:59") == "study_period_not_over"
    assert asked("2021-01-17 00:00:00") is None
    by_telephone = "no_extension" if key == "yunnan-legacy" else None
    assert [asked("2021-01-17 00:00:00", kind) for kind in ("A", "TJ", "C2")] == [None, by_telephone, by_telephone]


@pytest.mark.parametrize("key", ALL)
def test_make_ups_are_yunnans_after_five_attempts_and_not_four(key: str) -> None:
    found = [rules.make_up_refusal(FIVE[key], attempts_used=used, passed=False) for used in (4, 5)]
    assert found == (["attempts_left", None] if key in BOTH else ["no_make_up"] * 2)
    rule = FIVE[key].make_up
    assert rule is None or (rule.reviewed, rule.fee_fen) == (True, 0)


def test_renewal_is_before_the_expiry_in_yunnan_and_about_it_in_the_legacy_system() -> None:
    expires = date(2021, 5, 31)
    assert rules.renewal_window(YUNNAN, expires, kind="TJ") == (date(2021, 2, 28), expires)
    for kind in ("A", "B", "ZL", "SGY-TJ"):
        assert rules.renewal_window(LEGACY, expires, kind=kind) == (date(2021, 2, 28), date(2021, 8, 31))
    for kind in ("TJ", "XHG", "C1", "DG"):  # by notice
        assert rules.renewal_window(LEGACY, expires, kind=kind) is None
    leap = date(2024, 11, 29)
    assert rules.renewal_window(LEGACY, leap, kind="A") == (date(2024, 8, 29), date(2025, 2, 28))


def test_renewal_has_no_window_in_mohurd_and_there_is_none_elsewhere() -> None:
    assert rules.renewal_window(MOHURD, date(2021, 5, 31)) == (date.min, date.max)
    assert MOHURD.renewal is not None
    assert (MOHURD.renewal.gives, MOHURD.renewal.voids_old) == ("electronic_certificate", True)
    assert rules.sign_up_warning(MOHURD, date(2010, 5, 31), at("2021-01-01 00:00:00")) == "certificate_expired"
    for programme in (HENAN, QIANNAN):
        assert rules.renewal_window(programme, date(2021, 5, 31)) is None


def test_who_signs_up_late_is_told_that_the_certificate_is_void_by_the_programmes_own_window() -> None:
    def warned(programme: Programme, now: str) -> str | None:
        return rules.sign_up_warning(programme, date(2021, 7, 1), at(now))

    assert (warned(YUNNAN, "2021-07-01 23:59:59"), warned(YUNNAN, "2021-07-02 00:00:00")) == (
        "certificate_expires_soon",
        "certificate_void",
    )
    assert (warned(LEGACY, "2021-10-01 23:59:59"), warned(LEGACY, "2021-10-02 00:00:00")) == (
        "certificate_expired",
        "certificate_void",
    )
