"""The statuses of lessons and films. Pure: tables, and nothing else."""

from __future__ import annotations

from enum import StrEnum


class LessonStatus(StrEnum):
    """draft: no film yet. ready: it has one, and is in nobody's course. published: in the course of whoever pays from
    now on. retired: in the course of those who paid while it was published, and of nobody else."""

    DRAFT = "draft"
    READY = "ready"
    PUBLISHED = "published"
    RETIRED = "retired"


class LessonAction(StrEnum):
    """What happens to a lesson. GIVE_FILM: it gets a film, or another one."""

    GIVE_FILM = "give_film"
    PUBLISH = "publish"
    RETIRE = "retire"


class FilmStatus(StrEnum):
    """uploading: not all bytes are there. queued: all are, a worker takes it. transcoding: one has it. ready: it can
    be watched. failed: it cannot, `failure` says why."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    TRANSCODING = "transcoding"
    READY = "ready"
    FAILED = "failed"


class FilmAction(StrEnum):
    """What happens to a film. LOSE: its worker is gone, another one takes it. RETRY: a person asks once more."""

    COMPLETE = "complete"
    BEGIN = "begin"
    FINISH = "finish"
    FAIL = "fail"
    LOSE = "lose"
    RETRY = "retry"


class Failure(StrEnum):
    """Why a film cannot be watched."""

    NOT_A_FILM = "not_a_film"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_SLOW = "too_slow"
    BROKEN = "broken"
    NO_ROOM = "no_room"
    WORKER_LOST = "worker_lost"


LASTING = (LessonStatus.PUBLISHED, LessonStatus.RETIRED)  # in somebody's course, or may be

_LESSONS: dict[tuple[LessonStatus, LessonAction], LessonStatus] = {
    (LessonStatus.DRAFT, LessonAction.GIVE_FILM): LessonStatus.READY,
    (LessonStatus.READY, LessonAction.GIVE_FILM): LessonStatus.READY,
    (LessonStatus.PUBLISHED, LessonAction.GIVE_FILM): LessonStatus.PUBLISHED,
    (LessonStatus.READY, LessonAction.PUBLISH): LessonStatus.PUBLISHED,
    (LessonStatus.PUBLISHED, LessonAction.RETIRE): LessonStatus.RETIRED,
    (LessonStatus.RETIRED, LessonAction.GIVE_FILM): LessonStatus.RETIRED,
}
_FILMS: dict[tuple[FilmStatus, FilmAction], FilmStatus] = {
    (FilmStatus.UPLOADING, FilmAction.COMPLETE): FilmStatus.QUEUED,
    (FilmStatus.QUEUED, FilmAction.BEGIN): FilmStatus.TRANSCODING,
    (FilmStatus.TRANSCODING, FilmAction.FINISH): FilmStatus.READY,
    (FilmStatus.TRANSCODING, FilmAction.FAIL): FilmStatus.FAILED,
    (FilmStatus.TRANSCODING, FilmAction.LOSE): FilmStatus.QUEUED,
    (FilmStatus.FAILED, FilmAction.RETRY): FilmStatus.QUEUED,
}


class NotAllowed(Exception):
    """The action does not fit the status."""


def next_lesson_status(status: str, action: LessonAction) -> LessonStatus:
    """The lesson's status after `action`. Raises `NotAllowed`."""
    try:
        return _LESSONS[LessonStatus(status), action]
    except KeyError:
        raise NotAllowed(f"{action} while {status}") from None


def next_film_status(status: str, action: FilmAction) -> FilmStatus:
    """The film's status after `action`. Raises `NotAllowed`."""
    try:
        return _FILMS[FilmStatus(status), action]
    except KeyError:
        raise NotAllowed(f"{action} while {status}") from None
