"""One film, one lesson and two at one moment: pages that send the same piece, workers that take the same film, a
teacher who gives a lesson another film while a colleague publishes it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.study.models import Course, Film, Lesson
from app.study.providers import ffmpeg
from app.study.teaching import courses, store, transcoding, uploads
from tests.races import overtaken, unguarded, unlocked
from tests.study.teaching.studio import TEACHER, a_file, a_ready_film, begun, send, uploaded
from tests.world import World

DATA = bytes(range(256)) * 40
LONG = 60.0  # seconds that ffmpeg may take on a busy machine


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of two seconds."""
    return a_file(tmp_path_factory.mktemp("camera") / "a.mp4").read_bytes()


def row(film: Film) -> Film:
    found: Film = Film.get_by_id(film.id)
    return found


def code_of(call: Callable[[], Any]) -> str:
    """What a call says: '' or the code of its refusal."""
    try:
        db.unit(call)
    except Problem as problem:
        return problem.code
    return ""


# --- two pages, one upload ---------------------------------------------------------------------------------------


def no_lock(film_id: str) -> AbstractContextManager[None]:
    """What `store.alone` does, but for the lock: the folder is there."""
    store.incoming(film_id).parent.mkdir(parents=True, exist_ok=True)
    return nullcontext()


def two_pages(film: Film) -> str:
    """What a slow page is told, which had looked where to write when another one sent the same piece and the rest."""

    def the_rest() -> None:
        send(film.id, DATA, 0, 4000)
        send(film.id, DATA, 4000, len(DATA))

    with overtaken(store, "write_at", the_rest, held=1.0) as given:
        told = code_of(lambda: send(film.id, DATA, 0, 4000))
    assert given == [None]
    return told


def test_a_slow_page_and_a_quick_one_send_one_film(world: World) -> None:
    film = begun(DATA)
    assert two_pages(film) == ""
    assert (row(film).status, row(film).received) == ("queued", len(DATA))
    assert store.incoming(film.id).read_bytes() == DATA


def test_twin_without_the_lock_of_the_file_the_slow_one_is_refused(world: World) -> None:
    film = begun(DATA)
    with patch.object(store, "alone", no_lock):
        assert two_pages(film) == "film_step"
    assert (row(film).status, row(film).received) == ("queued", len(DATA))


def test_twin_without_compare_and_set_either_a_whole_film_is_half_again(world: World) -> None:
    film = begun(DATA)
    with ExitStack() as off:
        off.enter_context(patch.object(store, "alone", no_lock))
        off.enter_context(patch.object(uploads, "compare_and_set", unguarded))
        two_pages(film)
    assert row(film).received == 4000


# --- two workers, one film ---------------------------------------------------------------------------------------


def two_workers(film: Film) -> list[bool]:
    """Whether the first, who had looked and not yet taken the film, and the other one say that they made it."""
    now = utcnow()
    with overtaken(transcoding, "new_id", partial(transcoding.transcode, film.id, now=now), held=LONG) as other:
        first = transcoding.transcode(film.id, now=now)
    return [first, *other]


def test_of_two_workers_one_makes_the_film(world: World, camera: bytes) -> None:
    film = uploaded(camera)
    assert two_workers(film) == [False, True]
    assert row(film).status == "ready"


def test_twin_without_compare_and_set_the_second_spoils_what_is_ready(world: World, camera: bytes) -> None:
    film = uploaded(camera)
    with patch.object(transcoding, "compare_and_set", unguarded):
        two_workers(film)
    assert row(film).status == "failed"


def given_up_too_early(film: Film) -> tuple[bool, int]:
    """A worker is so slow that the sweep gives its film to another one, who makes it. Whether the slow one says that
    it made it too, and how often something was put in place."""
    placed: list[str] = []
    publish = store.publish

    def counted(film_id: str, mp4: Path, hls: Path) -> None:
        placed.append(film_id)
        publish(film_id, mp4, hls)

    def another() -> bool:
        later = utcnow() + transcoding.SILENT + timedelta(seconds=5)
        assert transcoding.sweep(now=later) == 1
        return transcoding.transcode(film.id, now=later)

    with patch.object(store, "publish", counted), overtaken(ffmpeg, "to_hls", another, held=LONG) as other:
        slow = transcoding.transcode(film.id, now=utcnow())
    assert other == [True]
    return slow, len(placed)


def test_a_worker_that_was_given_up_leaves_the_film_to_the_other(world: World, camera: bytes) -> None:
    film = uploaded(camera)
    assert given_up_too_early(film) == (False, 1)
    assert (row(film).status, row(film).lease) == ("ready", None)


def test_twin_without_the_lease_it_puts_its_own_over_what_is_watched(world: World, camera: bytes) -> None:
    film = uploaded(camera)
    with ExitStack() as off:
        off.enter_context(patch.object(transcoding, "_tell", lambda *_: None))
        off.enter_context(patch.object(transcoding, "compare_and_set", unguarded))
        assert given_up_too_early(film) == (True, 2)


# --- two teachers, one lesson ------------------------------------------------------------------------------------


def published_meanwhile() -> tuple[str, Lesson]:
    """A teacher gives a ready lesson of an open course another, longer film while a colleague publishes it: what the
    teacher is told, and the lesson."""
    course = Course.create(programme="yunnan", kind_code="TJ", title="塔机司机", opened_at=utcnow())
    short, long = a_ready_film(60), a_ready_film(600, title="吊装")
    lesson = courses.add(TEACHER, course.id, "第一课", short.id, now=utcnow())
    with overtaken(courses, "_keeps_its_length", partial(courses.publish, TEACHER, lesson.id, now=utcnow())) as given:
        told = code_of(partial(courses.change, TEACHER, lesson.id, "第一课", long.id, now=utcnow()))
    assert given == [None]
    return told, Lesson.get_by_id(lesson.id)


def test_a_film_is_given_before_the_lesson_is_published_or_not_at_all(world: World) -> None:
    told, lesson = published_meanwhile()
    assert (told, lesson.status, lesson.seconds) == ("", "published", 600)


def test_twin_without_the_lock_the_teacher_is_told_that_it_changed(world: World, servers_only: None) -> None:
    with unlocked():
        told, lesson = published_meanwhile()
    assert (told, lesson.status, lesson.seconds) == ("conflict", "published", 60)


def test_twin_without_any_guard_a_published_lesson_is_ready_again(world: World, servers_only: None) -> None:
    with unlocked(), patch.object(courses, "compare_and_set", unguarded):
        _, lesson = published_meanwhile()
    assert (lesson.status, lesson.seconds) == ("ready", 600)
