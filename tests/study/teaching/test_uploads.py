"""Films come up in pieces: nothing acknowledged is lost, nothing is taken twice, and only teachers may."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread

import pytest

from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import Right
from app.study.models import Film, Lesson
from app.study.teaching import courses, store, uploads
from tests.exam.rooms import a_course
from tests.staffroom import a_browser, a_member, at_desk
from tests.study.teaching.studio import ELSEWHERE, SUPPORT, TEACHER, a_ready_film, begun, fingerprint, send, uploaded
from tests.world import World

DATA = bytes(range(256)) * 40


def code(call: object) -> str:
    with pytest.raises(Problem) as caught:
        call()  # type: ignore[operator]
    return caught.value.code


def test_a_film_comes_up_in_pieces_and_waits_for_a_worker(world: World) -> None:
    film = begun(DATA)
    assert send(film.id, DATA, 0, 4000).status == "uploading"
    done = send(film.id, DATA, 4000, len(DATA))
    assert (done.status, done.received) == ("queued", len(DATA))
    assert store.incoming(film.id).read_bytes() == DATA


def test_the_same_file_goes_on_where_it_was_after_a_reload(world: World) -> None:
    film = begun(DATA)
    send(film.id, DATA, 0, 4000)
    again = begun(DATA, title="同一个文件")
    assert (again.id, again.received) == (film.id, 4000)


def test_a_file_that_is_there_already_is_not_sent_again(world: World) -> None:
    film = uploaded(DATA)
    assert begun(DATA).id == film.id
    assert Film.select().count() == 1


def test_a_piece_whose_answer_was_lost_changes_nothing_the_second_time(world: World) -> None:
    film = begun(DATA)
    send(film.id, DATA, 0, 4000)
    assert send(film.id, DATA, 0, 4000).received == 4000
    send(film.id, DATA, 4000, len(DATA))
    assert send(film.id, DATA, 4000, len(DATA)).status == "queued"
    assert store.incoming(film.id).read_bytes() == DATA


def test_a_piece_at_the_wrong_place_is_told_the_right_one(world: World) -> None:
    film = begun(DATA)
    send(film.id, DATA, 0, 4000)
    with pytest.raises(Problem) as caught:
        send(film.id, DATA, 5000, 6000)
    assert (caught.value.code, caught.value.headers["Upload-Offset"]) == ("film_offset", "4000")
    assert store.incoming(film.id).stat().st_size == 4000


def test_a_piece_that_was_damaged_on_the_way_is_not_taken(world: World) -> None:
    film = begun(DATA)
    wrong = hashlib.sha256(b"something else").hexdigest()
    refused = code(lambda: uploads.append(TEACHER, film.id, 0, DATA[:100], wrong, now=utcnow()))
    assert refused == "film_chunk_damaged"
    assert Film.get_by_id(film.id).received == 0


def test_more_than_was_announced_is_refused(world: World) -> None:
    film = begun(DATA[:100])
    refused = code(lambda: send(film.id, DATA, 0, 200))
    assert refused == "film_refused"


def test_two_pages_that_send_the_same_piece_at_once_write_it_once(world: World) -> None:
    film, start = begun(DATA), Barrier(2)
    got: list[int] = []

    def page() -> None:
        with db.connection():
            start.wait()
            got.append(send(film.id, DATA, 0, 4000).received)

    pages = [Thread(target=page) for _ in range(2)]
    for one in pages:
        one.start()
    for one in pages:
        one.join()
    assert got == [4000, 4000]
    assert store.incoming(film.id).read_bytes() == DATA[:4000]


def test_only_who_teaches_in_the_programme_may(world: World) -> None:
    assert code(lambda: begun(DATA, who=SUPPORT)) == "forbidden"
    assert code(lambda: begun(DATA, who=ELSEWHERE)) == "forbidden"
    film = begun(DATA)
    assert code(lambda: send(film.id, DATA, 0, 100, who=ELSEWHERE)) == "not_found"


@pytest.mark.parametrize("size", [0, uploads.LARGEST + 1])
def test_a_size_that_no_film_has_is_refused(world: World, size: int) -> None:
    refused = code(lambda: uploads.begin(TEACHER, "yunnan", "x", size, fingerprint(DATA), ending="mp4", now=utcnow()))
    assert refused == "film_refused"


def test_nobody_has_more_than_a_few_uploads_under_way(world: World) -> None:
    for number in range(uploads.UNFINISHED):
        begun(DATA + bytes([number]))
    assert code(lambda: begun(DATA)) == "film_refused"


def test_a_disk_that_is_nearly_full_takes_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "free", lambda: uploads.SPARE)
    assert code(lambda: begun(DATA)) == "film_refused"


def test_what_the_others_still_send_is_counted_before_one_more_begins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gigabytes = 1024**3
    monkeypatch.setattr(store, "free", lambda: 14 * gigabytes)

    def begin(number: int) -> Film:
        name = fingerprint(bytes([number]))
        return uploads.begin(TEACHER, "yunnan", f"第 {number} 集", 4 * gigabytes, name, ending="mp4", now=utcnow())

    first = begin(1)
    assert code(lambda: begin(2)) == "film_refused"
    Film.update(status="ready").where(Film.id == first.id).execute()
    begin(2)


def test_a_disk_that_has_filled_up_meanwhile_takes_no_piece_and_later_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = begun(DATA)
    send(film.id, DATA, 0, 4000)
    with monkeypatch.context() as full:
        full.setattr(store, "free", lambda: uploads.SPARE + 100)
        assert code(lambda: send(film.id, DATA, 4000, 8000)) == "film_no_room"
        assert send(film.id, DATA, 0, 4000).received == 4000, "sent again, it needs no room"
    assert Film.get_by_id(film.id).received == 4000
    assert send(film.id, DATA, 4000, 8000).received == 8000


def test_an_upload_of_which_nothing_more_comes_is_swept(world: World) -> None:
    film, fresh = begun(DATA), begun(DATA + b"2")
    send(film.id, DATA, 0, 4000)
    Film.update(moved_at=utcnow() - uploads.KEPT - timedelta(minutes=1)).where(Film.id == film.id).execute()
    assert uploads.forget(now=utcnow()) == 1
    assert [row.id for row in Film.select()] == [fresh.id]
    assert not store.incoming(film.id).exists()


def test_a_film_that_a_lesson_uses_is_not_deleted(world: World) -> None:
    film, free = a_ready_film(), a_ready_film()
    Lesson.update(film_id=film.id).where(Lesson.id == a_course().id).execute()
    assert code(lambda: uploads.discard(TEACHER, film.id, now=utcnow())) == "film_in_use"
    uploads.discard(TEACHER, free.id, now=utcnow())
    assert [row.id for row in Film.select()] == [film.id]


def test_of_a_film_that_is_deleted_and_taken_at_one_moment_no_lesson_gets_what_is_gone(world: World) -> None:
    course_id = a_course().course_id
    for _ in range(4):
        film, start = a_ready_film(), Barrier(2)
        takes = partial(courses.add, TEACHER, course_id, "", film.id, now=utcnow())
        deletes = partial(uploads.discard, TEACHER, film.id, now=utcnow())

        def one(call: Callable[[], object], start: Barrier = start) -> None:
            with db.connection():
                start.wait()
                with contextlib.suppress(Problem):
                    call()

        threads = [Thread(target=one, args=(call,)) for call in (takes, deletes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = Lesson.select().where(Lesson.film_id == film.id).exists()
        assert taken == Film.select().where(Film.id == film.id).exists()


def a_form(name: str) -> dict[str, str]:
    size = str(len(DATA))
    return {"programme": "yunnan", "name": name, "title": "吊装", "size": size, "fingerprint": fingerprint(DATA)}


@pytest.mark.parametrize("name", ["题库.xlsx", "mp4", "吊装.mp4.exe", "吊装", ""])
def test_what_is_not_named_as_a_film_is_refused_before_a_byte_of_it_is_sent(world: World, name: str) -> None:
    teacher = at_desk(world, a_member((Right.TEACHING, "yunnan")))
    page = teacher.get("/console/films").text
    assert 'data-formats="mp4 mov ' in page
    answer = teacher.client.post("/console/films", data=a_form(name), headers={"X-CSRF-Token": teacher.csrf})
    assert (answer.status_code, "请选择 MP4、MOV、" in answer.text) == (422, True)
    assert not Film.select().exists()


@pytest.mark.parametrize("name", ["吊装.MP4", "第1.2节.ts"])
def test_every_format_that_the_page_offers_is_taken_however_it_is_written(world: World, name: str) -> None:
    teacher = at_desk(world, a_member((Right.TEACHING, "yunnan")))
    teacher.get("/console/films")
    answer = teacher.client.post("/console/films", data=a_form(name), headers={"X-CSRF-Token": teacher.csrf})
    assert answer.status_code == 201


def test_the_protocol_over_http_tells_the_offset_and_takes_a_piece(world: World) -> None:
    teacher = at_desk(world, a_member((Right.TEACHING, "yunnan")))
    teacher.get("/console/films")
    headers = {"X-CSRF-Token": teacher.csrf}
    body = a_form("吊装.mp4")
    answer = teacher.client.post("/console/films", data=body, headers=headers)
    assert (answer.status_code, (answer.get_json() or {})["offset"]) == (201, 0)
    path = answer.headers["Location"]
    piece = {
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
        "Upload-Checksum": f"sha256-hex {hashlib.sha256(DATA[:5000]).hexdigest()}",
    }
    sent = teacher.client.patch(path, data=DATA[:5000], headers=headers | piece)
    assert (sent.status_code, sent.headers["Upload-Offset"]) == (204, "5000")
    asked = teacher.client.head(path)
    assert (asked.status_code, asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == (
        200, "5000", str(len(DATA)),
    )  # fmt: skip
    without = teacher.client.patch(path, data=DATA[5000:], headers=piece)
    assert without.status_code == 403, "no token of this session's forms"
    wrong = teacher.client.patch(path, data=b"x", headers=headers | piece | {"Content-Type": "text/plain"})
    assert wrong.status_code == 415
    large = teacher.client.patch(path, data=bytes(uploads.CHUNK + 1), headers=headers | piece)
    assert large.status_code == 413
    assert a_browser(world).client.head(path).status_code == 401
    support = at_desk(world, a_member((Right.SUPPORT, "yunnan")))
    assert support.client.head(path).status_code == 403
