"""The library of films: uploads in pieces, and how far each film is.

The pieces follow the shape of tus 1.0: POST makes the upload, HEAD tells the offset, PATCH adds at that offset."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from flask import Response, jsonify, request, url_for

from app.console import teaching_words as words
from app.console.course_views import TEACHERS
from app.console.pages import blueprint, go, page
from app.core import liveness
from app.core.access import Role, access, request_now, staff
from app.core.errors import UNSUPPORTED_TYPE, Problem
from app.core.rates import Kind
from app.study.models import Film
from app.study.status import FilmStatus
from app.study.teaching import queries, uploads, watching
from app.study.teaching.errors import FILM_REFUSED

PIECE = "application/offset+octet-stream"
WORKING = (FilmStatus.QUEUED, FilmStatus.TRANSCODING)


@blueprint.get("/films")
@access(Role.STAFF, rights=TEACHERS)
def list_films() -> Response:
    """The films of a programme, and the field to upload more."""
    programmes, programme = words.chosen()
    found = queries.library(programme.key)
    return page(
        "films.html",
        programmes=programmes,
        programme=programme,
        films=found,
        mine=staff().staff.actor,
        used=queries.used_in([film.id for film in found]),
        chunk=uploads.CHUNK,
        largest=uploads.LARGEST,
        formats=uploads.FORMATS,
        asleep=any(film.status in WORKING for film in found) and not liveness.is_alive("films"),
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"words": words.FILMS, "failures": words.FAILURES, "working": WORKING}


@blueprint.post("/films")
@access(Role.STAFF, rights=TEACHERS)
def begin_film() -> Response:
    """Begin an upload, or find the one that was begun with the same file."""
    form = request.form
    size = form.get("size", "")
    film = uploads.begin(
        staff().staff,
        form.get("programme", ""),
        form.get("title", ""),
        int(size) if size.isdecimal() and len(size) < 16 else 0,
        form.get("fingerprint", ""),
        ending=PurePath(form.get("name", "")).suffix.removeprefix("."),
        now=request_now(),
    )
    answer = jsonify(id=film.id, offset=film.received, status=film.status, title=film.title)
    answer.status_code = 201
    answer.headers["Location"] = f"/console/films/{film.id}/upload"
    return answer


def _offset(film: Film, status: int) -> Response:
    return Response(status=status, headers={"Upload-Offset": str(film.received), "Upload-Length": str(film.size)})


@blueprint.get("/films/<film_id>/upload")
@access(Role.STAFF, rights=TEACHERS)
def film_offset(film_id: str) -> Response:
    """Where the upload stands (HEAD suffices)."""
    return _offset(queries.film(staff().staff, film_id), 200)


@blueprint.patch("/films/<film_id>/upload")
@access(Role.STAFF, rights=TEACHERS, max_body=uploads.CHUNK, kind=Kind.WRITE)
def add_to_film(film_id: str) -> Response:
    """Add a piece at its offset; its SHA-256 comes along."""
    queries.film(staff().staff, film_id)  # whoever may not is told so before their bytes are read
    if request.mimetype != PIECE:
        raise UNSUPPORTED_TYPE()
    offset, (name, _, digest) = request.headers.get("Upload-Offset", ""), _checksum()
    if not offset.isdecimal() or len(offset) > 15 or name != "sha256-hex":
        raise FILM_REFUSED("上传的请求不完整，请刷新页面后继续上传。")
    data = request.get_data(cache=True)  # a view that begins anew has it anew
    film = uploads.append(staff().staff, film_id, int(offset), data, digest, now=request_now())
    return _offset(film, 204)


def _checksum() -> tuple[str, str, str]:
    return request.headers.get("Upload-Checksum", "").partition(" ")


@blueprint.get("/films/<film_id>/row")
@access(Role.STAFF, rights=TEACHERS)
def film_row(film_id: str) -> Response:
    """A line of the library, asked for again while a worker has the film."""
    film = queries.film(staff().staff, film_id)
    used = queries.used_in([film_id])
    return page("_film.html", film=film, used=used, mine=staff().staff.actor, **_words())


@blueprint.get("/films/<film_id>")
@access(Role.STAFF, rights=TEACHERS)
def show_film(film_id: str) -> Response:
    """One film, to be watched, renamed, deleted."""
    return _film(film_id)


def _film(film_id: str, status: int = 200, text: str | None = None) -> Response:
    film = queries.film(staff().staff, film_id)
    token = watching.token_of(film, now=request_now())
    return page(
        "film.html",
        status,
        film=film,
        link=url_for("video.film", token=token) if token else None,
        used=queries.used_in([film_id]).get(film_id, []),
        text=text,
        **_words(),
    )


@blueprint.post("/films/<film_id>")
@access(Role.STAFF, rights=TEACHERS)
def change_film(film_id: str) -> Response:
    """Rename it, have it made watchable once more, delete it: `what` says which."""
    who, now, form = staff().staff, request_now(), request.form
    film = queries.film(who, film_id)
    what = form.get("what", "")
    try:
        if what == "retry":
            uploads.retry(who, film_id, now=now)
        elif what == "discard":
            uploads.discard(who, film_id, now=now)
            return go(words.at("/console/films", programme=film.programme))
        else:
            uploads.rename(who, film_id, form.get("title", ""), now=now)
    except Problem as problem:
        if problem.kind.status not in (409, 422):
            raise
        return _film(film_id, problem.kind.status, problem.detail)
    return go(f"/console/films/{film_id}")
