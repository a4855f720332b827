"""Films over HTTP: expiring links, ranges, and the same film in pieces (HLS). A link names a file, never a path."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from flask import Response, request, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from app.core.errors import NOT_FOUND
from app.core.tokens import BadToken
from app.study.errors import RANGE_NOT_SATISFIABLE, VIDEO_LINK_EXPIRED
from app.study.tickets import read_video

FOLDER = "videos"
MAX_SECONDS = 5 * 3600  # positions and chunks are 16-bit numbers in Redis
LIST = "index.m3u8"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}\.mp4")
_PIECE = re.compile(r"[0-9]{5}\.ts|index\.m3u8")
_ONE_RANGE = re.compile(r"bytes=(?:(\d+)-(\d*)|-(\d+))")


def size(folder: Path, name: str) -> int | None:
    """How many bytes a film has; None where it is not there."""
    try:
        return (folder / name).stat().st_size
    except OSError:
        return None


def name_of(film_id: str) -> str:
    """The file of a film that was made watchable."""
    return f"{film_id}.mp4"


def hls_folder(name: str) -> str:
    """Where the pieces of the film `name` lie, beside it."""
    return name.removesuffix(".mp4") + ".hls"


def in_pieces(folder: Path, name: str) -> bool:
    """Whether the film is there in pieces, too."""
    return NAME.fullmatch(name) is not None and (folder / hls_folder(name) / LIST).is_file()


def _named(token: str, now: datetime) -> str:
    try:
        name = read_video(token, now)
    except BadToken as error:
        raise VIDEO_LINK_EXPIRED() from error
    if not NAME.fullmatch(name):
        raise NOT_FOUND()
    return name


def send_piece(folder: Path, token: str, piece: str, *, now: datetime) -> Response:
    """The list of the pieces, or one of them, of the film of a link's token; the list names them beside itself, so
    that they lie under the same link. Raises `VIDEO_LINK_EXPIRED`, `NOT_FOUND`."""
    path = folder / hls_folder(_named(token, now)) / piece
    if not _PIECE.fullmatch(piece) or not path.is_file():
        raise NOT_FOUND()
    kind = "application/vnd.apple.mpegurl" if piece == LIST else "video/mp2t"
    response = send_file(path, mimetype=kind, conditional=True, etag=True, max_age=3600)
    response.cache_control.private = True
    response.cache_control.public = False
    return response


def send(folder: Path, token: str, *, now: datetime) -> Response:
    """The film of a link's token from `folder`, whole or the range that was asked for (RFC 9110, 14: 206, 416 with
    the length, `If-Range`). A range that is malformed or several at once gets the whole film, as the RFC allows.
    Raises `VIDEO_LINK_EXPIRED`, `NOT_FOUND`, `RANGE_NOT_SATISFIABLE`."""
    path = folder / _named(token, now)
    if not path.is_file():
        raise NOT_FOUND()
    asked = _one_range(request.headers.get("Range", ""), path.stat().st_size)
    request.environ.pop("HTTP_RANGE", None)
    if asked is not None:
        request.environ["HTTP_RANGE"] = asked
    try:
        response = send_file(path, mimetype="video/mp4", conditional=True, etag=True, max_age=3600)
    except RequestedRangeNotSatisfiable as error:
        raise RANGE_NOT_SATISFIABLE(headers={"Content-Range": f"bytes */{path.stat().st_size}"}) from error
    response.headers["Accept-Ranges"] = "bytes"
    response.cache_control.private = True
    response.cache_control.public = False
    return response


def _one_range(text: str, size: int) -> str | None:
    """The header `Range` if it asks for one range, else None; a suffix longer than the film is the film."""
    match = _ONE_RANGE.fullmatch(text.replace(" ", "")) if len(text) < 60 else None
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return match[0] if int(suffix) < size else "bytes=0-"
    return None if last and int(last) < int(first) else match[0]
