"""A sixth programme, and hundreds more: whole files with other values for every rule load, are told, and are asked
the same questions; the answers are compared with oracles that count days one by one. No line of code knows them."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy import doubts, load, rooms, rules, sentences
from app.policy.admission import MonthlyWindow, YearWindow
from app.policy.schema import FromPayment, Programme, UntilBeforeExam
from tests.policy.conftest import DELIVERED, FILE
from tests.policy.generated import Document, a_file, files, leaves, schema_places, toml

moments = st.datetimes(datetime(2019, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
expiries = st.dates(date(2019, 1, 1), date(2032, 1, 1))
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
FILES = 200
quickly = settings(deadline=None)


def parsed(document: Document) -> Programme:
    return load.parse(document, "generated")


programmes = files.map(parsed)


# --- the files -----------------------------------------------------------------------------------------------------


def test_each_generated_file_is_written_read_told_and_doubted(tmp_path: Path) -> None:
    path = tmp_path / "generated.toml"
    told = set()
    for document in map(a_file, range(FILES)):
        path.write_text(toml(document), encoding="utf-8")
        programme = load.read(path, "generated")
        assert programme == parsed(document)
        told.add(sentences.text(programme))
        assert all(doubt.key and doubt.sentence for doubt in doubts.doubts(programme))
        rooms.by_hand(programme)
    assert len(told) == FILES, "different programmes are told differently"


def test_every_value_of_every_rule_can_be_another_one() -> None:
    """Each place of the schema is filled in some file, with something else than yunnan has there."""
    seen: dict[str, set[str]] = defaultdict(set)
    for document in map(a_file, range(FILES)):
        for place, value in leaves(document):
            seen[place].add(value)
    assert schema_places() <= set(seen)
    yunnan = tomllib.loads((DELIVERED / FILE).read_text(encoding="utf-8"))
    only_one_value = {"invoice.kind"}
    for place, value in leaves(yunnan):
        other = seen[place] - {value} or any(filled.startswith((f"{place}.", f"{place}[]")) for filled in seen)
        assert other or place in only_one_value, place


# --- oracles: days are counted one by one ---------------------------------------------------------------------------


def shanghai_day(moment: datetime) -> date:
    return (moment + timedelta(hours=8)).date()


def at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, UTC) - timedelta(hours=8)


def days_later(day: date, count: int) -> date:
    for _ in range(count):
        day += DAY
    return day


def months_later(day: date, count: int) -> date:
    """By walking to the first of each month; then to the same number, or the last there is."""
    first = day.replace(day=1)
    for _ in range(abs(count)):
        first = (first + 31 * DAY if count > 0 else first - DAY).replace(day=1)
    last = first
    while last.day < day.day and (last + DAY).month == first.month:
        last += DAY
    return last


def opened_before(day_of_month: int, clock: time, closes: datetime) -> datetime:
    day = shanghai_day(closes)
    while day.day != day_of_month or at(day, clock) >= closes:
        day -= DAY
    return at(day, clock)


# --- the rules ------------------------------------------------------------------------------------------------------


@given(programmes, expiries, st.integers(-3, 400), st.integers(0, 86_399))
@settings(quickly, max_examples=150)
def test_sign_up_is_refused_exactly_after_the_day_that_the_file_names(
    programme: Programme, expires: date, days: int, second: int
) -> None:
    limit = programme.sign_up.expired_refuse_after_days
    for passed in {days, limit or 0, (limit or 0) + 1}:
        day = expires + passed * DAY
        now = at(day, time()) + timedelta(seconds=second)
        last = None if limit is None else days_later(expires, limit)
        found = rules.sign_up_refusal(programme, expires, now, year=now.year)
        assert (found == "certificate_expired_too_long") == (last is not None and day > last)


@given(programmes, moments)
@settings(quickly, max_examples=150)
def test_windows_open_and_close_at_their_second(programme: Programme, now: datetime) -> None:
    window, today = programme.sign_up.window, shanghai_day(now)
    if isinstance(window, MonthlyWindow):
        opens = at(today.replace(day=window.opens_day), window.opens_at)
        closes = at(today.replace(day=window.closes_day), window.closes_at)
        for moment, is_open in ((opens - SECOND, False), (opens, True), (closes, True), (closes + SECOND, False)):
            refusal = rules.sign_up_refusal(programme, None, moment)
            assert (refusal is None) is is_open
            assert len(rules.exam_months(programme, moment)) == (len(window.exam_months) if is_open else 0)
    elif isinstance(window, YearWindow):
        offered = [year for year in range(1700, 2100) if not rules.sign_up_refusal(programme, None, now, year=year)]
        assert len(offered) == window.years_back + 1
        assert offered[-1] == today.year
        assert sorted(rules.years_offered(programme, now)) == offered
    else:
        assert rules.sign_up_refusal(programme, None, now) is None


@given(programmes, moments, st.integers(1, 200))
@settings(quickly, max_examples=150)
def test_a_price_and_the_time_to_pay_are_the_files(programme: Programme, now: datetime, count: int) -> None:
    if (fee := programme.fee) is None:
        return
    price = sum(fee.amount_fen for _ in range(count if fee.per == "certificate" else 1))
    assert rules.price_fen(programme, count) == price
    assert rules.order_expires_at(programme, now) - now == fee.order_minutes * timedelta(minutes=1)
    if fee.bank_transfer:
        longest = rules.order_expires_at(programme, now, channel="bank_transfer")
        assert longest - now == fee.bank_transfer.days * DAY
    for client in ("web", "phone_web", "mini_program", "app"):
        listed = list(getattr(fee.channels, client))
        if fee.bank_transfer and "person" not in fee.bank_transfer.by:
            listed = [way for way in listed if way != "bank_transfer"]
        assert list(rules.channels(programme, client, ios=False)) == listed  # type: ignore[arg-type]
        allowed = [way for way in listed if way != "wechat_jsapi" or fee.channels.jsapi_on_ios]
        assert list(rules.channels(programme, client, ios=True)) == allowed  # type: ignore[arg-type]


@given(programmes, moments, expiries, st.timedeltas(timedelta(0), 40 * DAY))
@settings(quickly, max_examples=200)
def test_a_study_period_ends_where_counting_day_by_day_ends(
    programme: Programme, paid: datetime, exam_day: date, later: timedelta
) -> None:
    if programme.study is None:
        return
    period, year = programme.study.period, shanghai_day(paid).year
    deadline = rules.study_deadline(programme, paid, year=year, exam_day=exam_day)
    if isinstance(period, FromPayment):
        day = shanghai_day(paid)
        last = max(days_later(day, period.days), months_later(day, period.months))
        assert deadline == at(last, time.max)
    elif isinstance(period, UntilBeforeExam):
        day = exam_day
        for _ in range(period.days_before):
            day -= DAY
        assert deadline == at(day, period.closes_at)
        opens = opened_before(period.opens_day, period.opens_at, deadline)
        assert rules.study_opens_at(programme, paid, exam_day=exam_day) == max(opens, paid)
    else:
        assert deadline + timedelta(microseconds=1) == at(date(year + 1, 1, 1), time())
        assert rules.study_deadline(programme, paid, year=year - 1) == deadline
    again = rules.study_deadline(programme, paid + later, year=shanghai_day(paid + later).year, exam_day=exam_day)
    assert again >= deadline, "who pays later never has to finish earlier"


@given(programmes, moments, expiries, st.integers(0, 300), st.lists(st.integers(0, 2000), max_size=5))
@settings(quickly, max_examples=150)
def test_an_exam_keeps_its_minutes_attempts_and_marks(
    programme: Programme, started: datetime, exam_day: date, used: int, scores: list[int]
) -> None:
    if (exam := programme.exam) is None:
        return
    deadline = rules.exam_deadline(programme, started)
    assert deadline - started == exam.minutes * timedelta(minutes=1)
    assert rules.answers_until(programme, deadline) - deadline == exam.answer_grace_seconds * SECOND
    assert rules.resume_until(programme, started) - started == exam.crash_grace_seconds * SECOND
    for score in (exam.pass_score - 1, exam.pass_score, exam.pass_score + 1):
        assert rules.is_pass(programme, score) == (score >= exam.pass_score)
    if exam.attempts is None:
        assert rules.attempts_left(programme, used) is None
    else:
        left = exam.attempts
        for _ in range(used):
            left -= left > 0
        assert rules.attempts_left(programme, used) == left
    kept = None
    for score in scores:
        kept = score if kept is None or exam.keep == "last" or score > kept else kept
    assert rules.kept_score(programme, scores) == kept
    if exam.sittings is not None:
        closes = at(exam_day - exam.sittings.days_before * DAY, exam.sittings.closes_at)
        opens = opened_before(exam.sittings.opens_day, exam.sittings.opens_at, closes)
        assert rules.exam_application(programme, exam_day) == (opens, closes)
        for moment, refusal in (
            (opens - SECOND, "application_not_open"),
            (opens, None),
            (closes, None),
            (closes + SECOND, "application_closed"),
        ):
            assert rules.exam_application_refusal(programme, exam_day, moment, studied=True) == refusal


@given(programmes, moments, expiries, st.integers(0, 300))
@settings(quickly, max_examples=150)
def test_side_paths_open_and_close_where_the_file_says(
    programme: Programme, deadline: datetime, expires: date, times: int
) -> None:
    def extension(now: datetime, **more: Any) -> str | None:
        asked: dict[str, Any] = {"passed": False, "times_used": 0} | more
        return rules.extension_refusal(programme, deadline=deadline, now=now, **asked)

    late = deadline + timedelta(microseconds=1)
    if programme.extension is None:
        assert extension(late) == "no_extension"
    else:
        assert (extension(deadline), extension(late)) == ("study_period_not_over", None)
        allowed = programme.extension.times is None or times < programme.extension.times
        assert (extension(late, times_used=times) is None) == allowed
        last = days_later(shanghai_day(late), programme.extension.days)
        assert rules.extended_deadline(programme, late) == at(last, time.max)
    if programme.make_up is None:
        assert rules.make_up_refusal(programme, attempts_used=1000, passed=False) == "no_make_up"
    else:
        assert programme.exam is not None
        assert programme.exam.attempts is not None
        found = [
            rules.make_up_refusal(programme, attempts_used=programme.exam.attempts + more, passed=False)
            for more in (-1, 0, 1)
        ]
        assert found == ["attempts_left", None, None]
        given_until = rules.make_up_deadline(programme, late, deadline)
        assert given_until == max(at(days_later(shanghai_day(late), programme.make_up.days), time.max), deadline)
    if programme.renewal is not None:
        before, after = programme.renewal.months_before, programme.renewal.months_after
        first = date.min if before is None else months_later(expires, -before)
        end = date.max if after is None else months_later(expires, after)
        assert rules.renewal_window(programme, expires) == (first, end)
        if end < date.max:
            warned = [rules.sign_up_warning(programme, expires, at(day, time(12))) for day in (end, end + DAY)]
            assert [warning == "certificate_void" for warning in warned] == [False, True]


@given(programmes)
@settings(quickly, max_examples=150)
def test_the_path_is_walked_from_the_first_stage_to_the_last(programme: Programme) -> None:
    walked = ["sign_up"]
    while stage := rules.next_stage(programme, walked[-1]):  # type: ignore[arg-type]
        walked.append(stage)
    assert tuple(walked) == programme.stages
    for kind in programme.certificate_kinds:
        for business in ("continuing", "new"):
            offered = rules.offered_kind(programme, kind.code, business)  # type: ignore[arg-type]
            assert (offered is kind) == (business in kind.business)
