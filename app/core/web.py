"""What every request gets: an id, one database connection, security headers, a log line, one shape of error."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import peewee
import redis.exceptions
import structlog
from apiflask import APIFlask, HTTPError
from flask import Flask, Request, Response, current_app, g, json, request
from flask.sansio.app import App
from markupsafe import escape
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import HTTPException

from app.core import db, engines, errors
from app.core.db import database
from app.core.errors import Problem, ProblemKind
from app.core.ids import new_id

log = structlog.get_logger(__name__)

_JSON_NUL = re.compile(rb"\x00|(?<!\\)(?:\\\\)*\\u0000")  # in UTF-16, or escaped
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")
_KINDS: dict[int, ProblemKind] = {
    400: errors.BAD_REQUEST,
    401: errors.SIGN_IN_FIRST,
    403: errors.FORBIDDEN,
    404: errors.NOT_FOUND,
    405: errors.METHOD_NOT_ALLOWED,
    409: errors.CONFLICT,
    413: errors.TOO_LARGE,
    415: errors.UNSUPPORTED_TYPE,
    422: errors.INVALID,
    429: errors.TOO_MANY,
}
# Pages: files of this host, nothing inline; `data:` for the empty icon, `blob:` for pictures fetched with a token.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # what is no page
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}
HTTPS_ONLY = "max-age=31536000"
_always = dict(SECURITY)


def problem_response(problem: Problem) -> Response:
    """The problem+json answer of `problem`."""
    body = problem.body()
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        body["request_id"] = request_id
    response = Response(
        json.dumps(body, ensure_ascii=False), problem.kind.status, content_type="application/problem+json"
    )
    response.headers.update(problem.headers)
    return response


def _page_response(problem: Problem) -> Response:
    """A problem for somebody who opened an address in a browser: as strict as every page, with a way home."""
    text = (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>住考网络继续学习</title>'
        '<link rel="icon" href="/style/icon.svg"><link rel="stylesheet" href="/style/pages.css">'
        f'<main><div class="card"><h1>{escape(problem.detail)}</h1>'
        '<p><a href="/">回到首页</a></p></div></main></html>'
    )
    return Response(text, problem.kind.status, content_type="text/html; charset=utf-8")


def _from_http(error: HTTPException) -> Response:
    kind = _KINDS.get(error.code or 500, errors.INTERNAL if (error.code or 500) >= 500 else errors.BAD_REQUEST)
    return answer(kind())


Pages = Callable[[Problem], Response]


def frame(app: App, prefix: str, pages: Pages) -> None:
    """Under `prefix` every refusal is one of `pages`, whoever raised it, and also where there is no route."""
    app.extensions.setdefault("refusals", {})[prefix] = pages


def answer(problem: Problem) -> Response:
    """problem+json; a page for a browser that opened an address, and where pages have a frame of their own."""
    for prefix, pages in current_app.extensions.get("refusals", {}).items():
        if request.path.startswith(prefix):
            framed: Response = pages(problem)
            return framed
    return _page_response(problem) if _wants_page() else problem_response(problem)


def _wants_page() -> bool:
    """Whether a browser opens this address: HTML it takes rather than JSON. What it names first says less: Chromium
    names a format of its own more precisely than HTML, and wants it less (`signed-exchange;v=b3;q=0.7`)."""
    accepted = request.accept_mimetypes
    data = max(accepted["application/json"], accepted["application/problem+json"])
    return request.method in ("GET", "HEAD") and accepted["text/html"] > data


def _from_apiflask(error: HTTPError) -> Any:
    kind = _KINDS.get(error.status_code, errors.BAD_REQUEST)
    detail = error.detail if isinstance(error.detail, dict) else {}
    fields: dict[str, Any] = {}
    for place in detail.values():
        if isinstance(place, dict):
            fields |= {name: _sentence(messages) for name, messages in place.items()}
    return answer(kind(fields=fields or None))


def _sentence(messages: Any) -> Any:
    if isinstance(messages, dict):
        return {str(key): _sentence(value) for key, value in messages.items()}
    return messages[0] if isinstance(messages, list) and messages else messages


def _from_database(error: peewee.DatabaseError) -> Response:
    if isinstance(error, peewee.InternalError) and engines.meaning(error) is None:
        return _from_bug(error)
    log.error("database_unavailable", error=str(error)[:120])
    return answer(errors.BUSY(headers={"Retry-After": "3"}))


def _from_redis(error: redis.exceptions.RedisError) -> Response:
    log.error("redis_unavailable", error=type(error).__name__)
    return answer(errors.BUSY(headers={"Retry-After": "3"}))


def _from_recursion(_error: RecursionError) -> Response:
    log.exception("nested_too_deeply", path=request.path)  # a body such as [[[[…: the JSON reader gives up
    return answer(errors.BAD_REQUEST())


def _from_value(error: ValueError) -> Response:
    """A body that is JSON by its form, yet cannot be read: a number of thousands of digits, half a surrogate pair.
    Any other `ValueError` is a bug."""
    if isinstance(error, UnicodeEncodeError) or "integer string conversion" in str(error):
        log.info("unreadable_value", path=request.path)
        return answer(errors.BAD_REQUEST())
    return _from_bug(error)


def _from_bug(error: Exception) -> Response:
    log.exception("unhandled", path=request.path)
    return answer(errors.INTERNAL())


def _open() -> None:
    given = request.headers.get("X-Request-Id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    g.request_id = request_id
    g.started = time.perf_counter()
    g.opened_database = bool(database.connect(reuse_if_open=True))
    if "\0" in request.path:
        raise errors.NOT_FOUND()  # PostgreSQL keeps no such text, so nothing has such a name
    _refuse_nul(part for pair in request.args.items(multi=True) for part in pair)


def data_headers() -> dict[str, str]:
    """What stands in the head of every answer that is data."""
    return {**_always, "Content-Security-Policy": DATA_POLICY, "Cache-Control": "no-store"}


def _headers(response: Response) -> Response:
    for name, value in _always.items():
        response.headers.setdefault(name, value)
    is_data = response.mimetype in ("application/json", "application/problem+json")
    response.headers.setdefault("Content-Security-Policy", DATA_POLICY if is_data else PAGE_POLICY)
    response.headers.setdefault("Cache-Control", "no-store")  # a view whose answer is nobody's own says otherwise
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if "started" in g:
        milliseconds = round((time.perf_counter() - g.started) * 1000, 1)
        log.info(
            "request",
            method=request.method,
            route=str(request.url_rule) if request.url_rule else None,
            status=response.status_code,
            ms=milliseconds,
        )
    return response


def _close(_error: BaseException | None) -> None:
    if g.pop("opened_database", False):
        database.close()


class Question(Request):
    """A request whose forms and JSON hold no NUL: PostgreSQL keeps no such text, and nobody types one."""

    def _load_form_data(self) -> None:
        fresh = "form" not in self.__dict__
        super()._load_form_data()
        if fresh:
            refuse_nul(self.form, self.files)

    def get_data(self, *args: Any, **options: Any) -> Any:
        data = super().get_data(*args, **options)
        if self.is_json and _JSON_NUL.search(data if isinstance(data, bytes) else data.encode()):
            raise errors.BAD_REQUEST()
        return data


def refuse_nul(form: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> None:
    """For whoever parses a form on their own. Raises `bad_request` for a NUL in a name or in a text."""
    _refuse_nul(part for pair in form.items(multi=True) for part in pair)
    _refuse_nul(part for name, file in files.items(multi=True) for part in (name, file.filename))


def _refuse_nul(texts: Iterable[str | None]) -> None:
    if any(text and "\0" in text for text in texts):
        raise errors.BAD_REQUEST()


class Application(APIFlask):
    """Runs each view as one unit of work: begun anew where another transaction was in its way."""

    request_class = Question

    def dispatch_request(self) -> Any:
        def view() -> Any:
            for upload in request.files.values() if "files" in request.__dict__ else ():
                upload.seek(0)  # a view that begins anew reads it anew
            return super(Application, self).dispatch_request()

        return db.unit(view)


def init_app(app: Flask, *, https: bool) -> None:
    """Install the hooks and the error handlers. Call before the access guard, so that a refusal has an id too.
    `https`: browsers are told never to come without it."""
    _always.clear()
    _always.update(SECURITY, **({"Strict-Transport-Security": HTTPS_ONLY} if https else {}))
    app.before_request(_open)
    app.after_request(_headers)
    app.teardown_request(_close)
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _from_http)
    for error in (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError):
        app.register_error_handler(error, _from_database)
    app.register_error_handler(redis.exceptions.RedisError, _from_redis)
    app.register_error_handler(RecursionError, _from_recursion)
    app.register_error_handler(ValueError, _from_value)
    app.register_error_handler(Exception, _from_bug)
    if isinstance(app, APIFlask):
        app.error_processor(_from_apiflask)
