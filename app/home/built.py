"""The trainee's front end in a browser: the files that `make front` built, served as they lie.

The first page is asked for each time and answered 304 while it is the same; the files it names carry a digest in
their names and are kept for good. Each text has its compressed self beside it.
"""

from __future__ import annotations

from pathlib import Path

from apiflask import APIBlueprint
from flask import Response, current_app, render_template, request, send_from_directory
from werkzeug.exceptions import NotFound

from app.core.access import Role, access
from app.core.errors import NOT_FOUND
from app.core.web import PAGE_POLICY

blueprint = APIBlueprint("built", __name__, template_folder="templates", enable_openapi=False)

FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
A_DAY = "public, max-age=86400"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
# As strict as every page: what sets a measure as it is drawn (a bar's width) does so by script, which counts as no
# inline style (ADR 37).
FRONT_POLICY = PAGE_POLICY + "; manifest-src 'self'; worker-src 'self'"


@blueprint.get("/")
@access(Role.PUBLIC)
def index() -> Response:
    """The first page; 503 that says what to do while the front end is not built."""
    if not (_folder() / "index.html").is_file():
        return Response(render_template("unbuilt.html"), 503, content_type="text/html; charset=utf-8")
    response = _file("", "index.html", ASK_AGAIN)
    response.headers["Content-Security-Policy"] = FRONT_POLICY
    return response


@blueprint.get("/service-worker.js")
@access(Role.PUBLIC)
def service_worker() -> Response:
    """What lets the page open without a network."""
    return _file("", "service-worker.js", ASK_AGAIN)


@blueprint.get("/assets/<path:name>")
@access(Role.PUBLIC)
def asset(name: str) -> Response:
    """A file with a digest in its name."""
    return _file("assets", name, FOR_GOOD)


@blueprint.get("/static/<path:name>")
@access(Role.PUBLIC)
def static(name: str) -> Response:
    """An icon, the manifest: files whose names stay."""
    return _file("static", name, A_DAY)


def _folder() -> Path:
    folder: Path = current_app.config["SETTINGS"].front_dir
    return folder


def _file(place: str, name: str, keep: str) -> Response:
    """The file of a folder of the build, in the smallest form that the browser takes. Raises `NOT_FOUND`."""
    folder = _folder() / place
    accepted = request.accept_encodings
    try:
        for encoding, ending in ENCODINGS:
            if accepted[encoding] > 0 and (folder / f"{name}{ending}").is_file():
                response = send_from_directory(folder, name + ending, mimetype=_type(name))
                response.headers["Content-Encoding"] = encoding
                break
        else:
            response = send_from_directory(folder, name, mimetype=_type(name))
    except NotFound:
        raise NOT_FOUND() from None
    response.headers.pop("Content-Disposition", None)  # it would name the compressed file
    response.headers["Cache-Control"] = keep
    response.headers["Vary"] = "Accept-Encoding"
    return response


TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ttf": "font/ttf",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


def _type(name: str) -> str:
    """By the name, not by what this machine's tables say."""
    return TYPES.get(Path(name).suffix, "application/octet-stream")
