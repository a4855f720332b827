"""Films as teaching staff look at them, by the same signed links as trainees."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.study import films
from app.study.models import Film
from app.study.status import FilmStatus
from app.study.tickets import sign_video

GOOD_FOR = timedelta(hours=2)


def token_of(film: Film, *, now: datetime) -> str | None:
    """What the link to a film carries; None while it cannot be watched."""
    if film.status != FilmStatus.READY:
        return None
    return sign_video(films.name_of(film.id), expires=now + GOOD_FOR)
