"""Courses and their lessons, as teaching staff prepare them."""

from __future__ import annotations

from flask import Response, request

from app.console import teaching_words as words
from app.console.pages import blueprint, go, page
from app.core import audit
from app.core.access import Role, access, request_now, staff
from app.core.errors import Problem
from app.core.staff import Right
from app.policy import rules
from app.staff import service as staff_service
from app.study.models import Course
from app.study.teaching import courses, queries

TEACHERS = (Right.TEACHING,)


@blueprint.get("/courses")
@access(Role.STAFF, rights=TEACHERS)
def list_courses() -> Response:
    """The courses of a programme, one for each kind of certificate."""
    return _list()


def _list(status: int = 200, text: str | None = None) -> Response:
    programmes, programme = words.chosen()
    return page(
        "courses.html",
        status,
        programmes=programmes,
        programme=programme,
        cards=queries.cards(programme),
        text=text,
    )


@blueprint.post("/courses")
@access(Role.STAFF, rights=TEACHERS)
def create_course() -> Response:
    """Begin a course."""
    form = request.form
    try:
        made = courses.create(
            staff().staff,
            form.get("programme", ""),
            form.get("kind_code", ""),
            form.get("title", ""),
            now=request_now(),
        )
    except Problem as problem:
        if problem.kind.status != 422:
            raise
        return _list(problem.kind.status, problem.detail)
    return go(f"/console/courses/{made.id}")


@blueprint.get("/courses/<course_id>")
@access(Role.STAFF, rights=TEACHERS)
def show_course(course_id: str) -> Response:
    """One course: its lessons in order, and what can be done with each."""
    return _course(queries.course(staff().staff, course_id))


def _course(course: Course, status: int = 200, text: str | None = None, tone: str = "bad") -> Response:
    lessons = queries.lessons(course)
    newest = queries.programme(staff().staff, course.programme)
    kind = rules.certificate_kind(newest, course.kind_code)
    lines = audit.about((f"course:{course.id}",), limit=20)
    others = Course.select().where(Course.programme == course.programme, Course.id != course.id)
    return page(
        "course.html",
        status,
        course=course,
        programme=newest,
        kind=kind.title if kind else course.kind_code,
        lessons=lessons,
        open=courses.is_open(course),
        words=words.LESSONS,
        studied=queries.studied([lesson.id for lesson in lessons]),
        published=[lesson for lesson in lessons if lesson.status == "published"],
        films=queries.library(course.programme, ready=True),
        waiting=queries.in_work(course.programme),
        others=list(others.order_by(Course.title)),
        history=lines,
        names=staff_service.names({line.actor for line in lines}),
        text=text,
        tone=tone,
    )


@blueprint.post("/courses/<course_id>")
@access(Role.STAFF, rights=TEACHERS)
def change_course(course_id: str) -> Response:
    """Rename it, open it, copy lessons into it, add one: `what` says which."""
    who, now, form = staff().staff, request_now(), request.form
    course = queries.course(who, course_id)
    what = form.get("what", "")
    try:
        if what == "open":
            courses.open_(who, course_id, now=now)
        elif what == "copy":
            courses.copy(who, course_id, form.get("source", ""), now=now)
        elif what == "add":
            courses.add(who, course_id, form.get("title", ""), form.get("film", ""), now=now)
        else:
            courses.rename(who, course_id, form.get("title", ""), now=now)
    except Problem as problem:
        if problem.kind.status not in (409, 422):
            raise
        return _course(course, problem.kind.status, problem.detail)
    return go(f"/console/courses/{course_id}")


@blueprint.get("/lessons/<lesson_id>")
@access(Role.STAFF, rights=TEACHERS)
def show_lesson(lesson_id: str) -> Response:
    """One lesson: its title and its film."""
    return _lesson(lesson_id)


def _lesson(lesson_id: str, status: int = 200, text: str | None = None) -> Response:
    lesson = queries.lesson(staff().staff, lesson_id)
    return page(
        "lesson.html",
        status,
        lesson=lesson,
        course=lesson.course,
        words=words.LESSONS,
        films=queries.library(lesson.course.programme, ready=True),
        waiting=queries.in_work(lesson.course.programme),
        studied=queries.studied([lesson.id]).get(lesson.id, 0),
        open=courses.is_open(lesson.course),
        text=text,
    )


@blueprint.post("/lessons/<lesson_id>")
@access(Role.STAFF, rights=TEACHERS)
def change_lesson(lesson_id: str) -> Response:
    """Correct its title, give it a film."""
    form = request.form
    try:
        courses.change(staff().staff, lesson_id, form.get("title", ""), form.get("film", ""), now=request_now())
    except Problem as problem:
        if problem.kind.status not in (409, 422):
            raise
        return _lesson(lesson_id, problem.kind.status, problem.detail)
    return go(f"/console/courses/{queries.lesson(staff().staff, lesson_id).course_id}")


@blueprint.post("/lessons/<lesson_id>/step")
@access(Role.STAFF, rights=TEACHERS)
def step_lesson(lesson_id: str) -> Response:
    """Publish, retire, delete it, or move it up or down: `what` says which."""
    who, now, what = staff().staff, request_now(), request.form.get("what", "")
    course = queries.lesson(who, lesson_id).course
    try:
        if what == "publish":
            courses.publish(who, lesson_id, now=now)
        elif what == "retire":
            courses.retire(who, lesson_id, now=now)
        elif what == "remove":
            courses.remove(who, lesson_id, now=now)
        elif what in ("up", "down"):
            courses.move(who, lesson_id, what == "up", now=now)
    except Problem as problem:
        if problem.kind.status != 409:
            raise
        return _course(course, problem.kind.status, problem.detail)
    return go(f"/console/courses/{course.id}")
