"""What somebody has paid for stays as it was, whatever teachers publish, retire or replace."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.clock import utcnow
from app.core.errors import Problem
from app.enrol.models import Enrolment
from app.study import queries as study
from app.study.models import Course, Film, Lesson, LessonProgress
from app.study.status import (
    FilmAction,
    FilmStatus,
    LessonAction,
    LessonStatus,
    NotAllowed,
    next_film_status,
    next_lesson_status,
)
from app.study.teaching import courses, queries
from tests import factories
from tests.study.teaching.studio import ELSEWHERE, TEACHER, a_ready_film
from tests.world import World

T0 = utcnow() - timedelta(days=10)


def at(day: float) -> datetime:
    return T0 + timedelta(days=day)


def a_course_in_preparation(*seconds: int, kind_code: str = "TJ") -> tuple[Course, list[Lesson]]:
    """A course with so many ready lessons, not open yet."""
    course = courses.create(TEACHER, "yunnan", kind_code, "塔机司机继续教育", now=at(0))
    lessons = [
        courses.add(TEACHER, course.id, f"第{number}课", a_ready_film(length).id, now=at(0))
        for number, length in enumerate(seconds, start=1)
    ]
    return course, lessons


def paid(day: float) -> Enrolment:
    return factories.an_enrolment(factories.a_person(), now=at(day))


def titles(enrolment: Enrolment) -> list[str]:
    return [lesson.title for lesson in study.lessons_for(enrolment)]


def code(call: object) -> str:
    with pytest.raises(Problem) as caught:
        call()  # type: ignore[operator]
    return caught.value.code


def begin(enrolment: Enrolment, lesson: Lesson) -> None:
    LessonProgress.create(
        enrolment_id=enrolment.id, lesson_id=lesson.id, person_id=enrolment.person_id, seconds=lesson.seconds,
        chunk_seconds=10, needed_chunks=1, rate_percent=100, updated_at=utcnow(),
    )  # fmt: skip


def test_whoever_paid_before_the_course_opened_gets_what_it_opened_with(world: World) -> None:
    course, _ = a_course_in_preparation(60, 30)
    early = paid(1)
    assert code(lambda: titles(early)) == "no_course"
    courses.open_(TEACHER, course.id, now=at(2))
    assert titles(early) == ["第1课", "第2课"]
    assert titles(paid(3)) == ["第1课", "第2课"]


def test_a_lesson_published_later_is_for_those_who_pay_later(world: World) -> None:
    course, _ = a_course_in_preparation(60)
    courses.open_(TEACHER, course.id, now=at(1))
    before = paid(2)
    new = courses.add(TEACHER, course.id, "新规范", a_ready_film(90).id, now=at(3))
    courses.publish(TEACHER, new.id, now=at(3))
    assert titles(before) == ["第1课"]
    assert titles(paid(4)) == ["第1课", "新规范"]


def test_a_retired_lesson_stays_with_those_who_had_it(world: World) -> None:
    course, (first, _second) = a_course_in_preparation(60, 30)
    courses.open_(TEACHER, course.id, now=at(1))
    before = paid(2)
    courses.retire(TEACHER, first.id, now=at(3))
    assert titles(before) == ["第1课", "第2课"]
    assert titles(paid(4)) == ["第2课"]
    place, lesson = study.lesson_for(before, first.id)
    assert (place, lesson.id) == (1, first.id)


def test_whoever_has_not_paid_sees_what_is_published_now(world: World) -> None:
    course, (first, _second) = a_course_in_preparation(60, 30)
    courses.open_(TEACHER, course.id, now=at(1))
    courses.retire(TEACHER, first.id, now=at(2))
    looking = factories.an_enrolment(factories.a_person(), "signed_up")
    assert titles(looking) == ["第2课"]


def test_the_film_of_a_published_lesson_is_replaced_by_one_as_long_and_by_no_other(world: World) -> None:
    course, (lesson,) = a_course_in_preparation(60)
    courses.open_(TEACHER, course.id, now=at(1))
    longer, same = a_ready_film(61), a_ready_film(60)
    refused = code(lambda: courses.change(TEACHER, lesson.id, "第1课", longer.id, now=at(2)))
    assert refused == "lesson_studied"
    courses.change(TEACHER, lesson.id, "第1课（更正）", same.id, now=at(2))
    found = Lesson.get_by_id(lesson.id)
    assert (found.film_id, found.seconds, found.title) == (same.id, 60, "第1课（更正）")


def test_a_retired_lesson_that_somebody_studies_keeps_its_length_too(world: World) -> None:
    course, (first, _second) = a_course_in_preparation(60, 30)
    courses.open_(TEACHER, course.id, now=at(1))
    begin(paid(2), first)
    courses.retire(TEACHER, first.id, now=at(3))
    assert code(lambda: courses.change(TEACHER, first.id, "x", a_ready_film(9).id, now=at(3))) == "lesson_studied"
    courses.change(TEACHER, first.id, "x", a_ready_film(60).id, now=at(3))


def test_before_the_course_opens_everything_may_still_change(world: World) -> None:
    _, (first, second) = a_course_in_preparation(60, 30)
    courses.change(TEACHER, first.id, "第1课", a_ready_film(99).id, now=at(1))
    assert Lesson.get_by_id(first.id).seconds == 99
    courses.remove(TEACHER, second.id, now=at(1))
    assert Lesson.select().count() == 1


def test_what_was_published_is_never_deleted(world: World) -> None:
    course, (first, _second) = a_course_in_preparation(60, 30)
    courses.open_(TEACHER, course.id, now=at(1))
    assert code(lambda: courses.remove(TEACHER, first.id, now=at(2))) == "lesson_step"
    courses.retire(TEACHER, first.id, now=at(2))
    assert code(lambda: courses.remove(TEACHER, first.id, now=at(2))) == "lesson_step"


def test_the_last_published_lesson_is_not_retired(world: World) -> None:
    course, (only,) = a_course_in_preparation(60)
    courses.open_(TEACHER, course.id, now=at(1))
    assert code(lambda: courses.retire(TEACHER, only.id, now=at(2))) == "lesson_step"


def test_lessons_change_places(world: World) -> None:
    course, (first, second, third) = a_course_in_preparation(1, 2, 3)
    courses.move(TEACHER, third.id, True, now=at(1))
    courses.move(TEACHER, first.id, True, now=at(1))
    courses.move(TEACHER, second.id, False, now=at(1))
    assert [lesson.id for lesson in queries.lessons(course)] == [first.id, third.id, second.id]


def test_lessons_of_another_course_are_taken_over_once(world: World) -> None:
    source, _ = a_course_in_preparation(60, 30)
    courses.open_(TEACHER, source.id, now=at(1))
    target = courses.create(TEACHER, "yunnan", "C1", "安全员", now=at(1))
    assert courses.copy(TEACHER, target.id, source.id, now=at(2)) == 2
    assert courses.copy(TEACHER, target.id, source.id, now=at(2)) == 0
    assert [(row.status, row.seconds) for row in queries.lessons(target)] == [("ready", 60), ("ready", 30)]


def test_a_lesson_without_a_film_is_a_draft_that_cannot_be_published(world: World) -> None:
    course = courses.create(TEACHER, "yunnan", "TJ", "塔机", now=at(0))
    draft = courses.add(TEACHER, course.id, "以后再说", "", now=at(0))
    assert code(lambda: courses.open_(TEACHER, course.id, now=at(1))) == "lesson_step"
    courses.add(TEACHER, course.id, "有视频", a_ready_film().id, now=at(1))
    assert courses.open_(TEACHER, course.id, now=at(1)) == 1
    assert code(lambda: courses.publish(TEACHER, draft.id, now=at(2))) == "lesson_step"


def test_a_film_of_another_programme_or_that_is_not_ready_is_not_taken(world: World) -> None:
    course, (lesson,) = a_course_in_preparation(60)
    other = a_ready_film(programme="henan")
    assert code(lambda: courses.add(TEACHER, course.id, "x", other.id, now=at(1))) == "not_found"
    Film.update(status="failed").where(Film.programme == "yunnan").execute()
    broken = Film.get(Film.status == "failed")
    assert code(lambda: courses.change(TEACHER, lesson.id, "x", a_broken(broken), now=at(1))) == "course_invalid"


def a_broken(film: Film) -> str:
    """Another film that failed."""
    copy = a_ready_film()
    Film.update(status="failed").where(Film.id == copy.id).execute()
    assert copy.id != film.id
    return str(copy.id)


def test_a_teacher_of_another_programme_finds_nothing(world: World) -> None:
    course, (lesson,) = a_course_in_preparation(60)
    assert code(lambda: courses.rename(ELSEWHERE, course.id, "x", now=at(1))) == "not_found"
    assert code(lambda: courses.publish(ELSEWHERE, lesson.id, now=at(1))) == "not_found"
    assert code(lambda: courses.create(ELSEWHERE, "yunnan", "C1", "x", now=at(1))) == "not_found"


EVENTS = st.lists(st.sampled_from(["add", "publish", "retire", "move", "pay", "film"]), max_size=25)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, pick=st.randoms(use_true_random=False))
def test_nobodys_lessons_change_whatever_teachers_do(world: World, events: list[str], pick: object) -> None:
    """Ids and lengths of a paid enrolment's lessons are what they were at the payment."""
    world.clear()
    choose = pick.choice  # type: ignore[attr-defined]
    course, _ = a_course_in_preparation(60, 30)
    courses.open_(TEACHER, course.id, now=at(0.1))
    promised: dict[str, list[tuple[str, int]]] = {}
    rows: dict[str, Enrolment] = {}
    for number, event in enumerate(["pay", *events, "pay"], start=1):
        now, lesson = at(0.1 + number / 10), choose(queries.lessons(course))
        try:
            if event == "add":
                courses.add(TEACHER, course.id, f"n{number}", a_ready_film(10 + number).id, now=now)
            elif event == "publish":
                courses.publish(TEACHER, lesson.id, now=now)
            elif event == "retire":
                courses.retire(TEACHER, lesson.id, now=now)
            elif event == "move":
                courses.move(TEACHER, lesson.id, choose([True, False]), now=now)
            elif event == "film":
                courses.change(TEACHER, lesson.id, lesson.title, a_ready_film(choose([60, 61])).id, now=now)
            else:
                one = factories.an_enrolment(factories.a_person(), now=now)
                rows[one.id] = one
                promised[one.id] = sorted((row.id, row.seconds) for row in study.lessons_for(one))
        except Problem as problem:
            if problem.code not in ("lesson_step", "lesson_studied"):
                raise
    for enrolment_id, lessons in promised.items():
        assert sorted((row.id, row.seconds) for row in study.lessons_for(rows[enrolment_id])) == lessons


@given(status=st.sampled_from(list(LessonStatus)), actions=st.lists(st.sampled_from(list(LessonAction))))
def test_what_was_published_never_becomes_unpublished(status: LessonStatus, actions: list[LessonAction]) -> None:
    for action in actions:
        before = status
        try:
            status = next_lesson_status(status, action)
        except NotAllowed:
            continue
        if before in (LessonStatus.PUBLISHED, LessonStatus.RETIRED):
            assert status in (LessonStatus.PUBLISHED, LessonStatus.RETIRED)
        if before is LessonStatus.RETIRED:
            assert status is LessonStatus.RETIRED


@given(actions=st.lists(st.sampled_from(list(FilmAction))))
def test_a_film_is_ready_only_by_a_worker_that_finished_and_stays_so(actions: list[FilmAction]) -> None:
    status = FilmStatus.UPLOADING
    for action in actions:
        before = status
        try:
            status = next_film_status(status, action)
        except NotAllowed:
            continue
        assert before is not FilmStatus.READY
        assert status is not FilmStatus.READY or (before, action) == (FilmStatus.TRANSCODING, FilmAction.FINISH)
