"""The files of the front end, as a browser gets them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.world import World

SCRIPT = b"console.log('front');" * 100


@pytest.fixture
def front(world: World) -> Path:
    """A build: a page, a script with its compressed selves, an icon."""
    folder = world.settings.front_dir
    for name, content in (
        ("index.html", b"<!doctype html><title>front</title>"),
        ("service-worker.js", b"// worker"),
        ("assets/index-0a1b2c3d.js", SCRIPT),
        ("assets/index-0a1b2c3d.js.gz", gzip.compress(SCRIPT)),
        ("assets/index-0a1b2c3d.js.br", b"brotli"),
        ("static/manifest.webmanifest", b"{}"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_the_page_is_asked_for_each_time_and_answered_304_while_it_is_the_same(
    front: Path, client: FlaskClient
) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert page.headers["Cache-Control"] == "no-cache"
    assert "manifest-src 'self'" in page.headers["Content-Security-Policy"]
    again = client.get("/", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304


def test_a_file_with_a_digest_in_its_name_is_kept_for_good_and_sent_compressed(
    front: Path, client: FlaskClient
) -> None:
    for accepted, encoding, content in (
        ("gzip, deflate, br", "br", b"brotli"),
        ("gzip", "gzip", gzip.compress(SCRIPT)),
        ("br;q=0, gzip;q=0", None, SCRIPT),
        ("", None, SCRIPT),
    ):
        answer = client.get("/assets/index-0a1b2c3d.js", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == encoding, accepted
        assert answer.mimetype == "text/javascript"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Content-Disposition" not in answer.headers
        if encoding == "gzip":
            assert gzip.decompress(answer.data) == SCRIPT
        else:
            assert answer.data == content


def test_a_manifest_has_its_own_type_and_the_worker_is_asked_for_each_time(front: Path, client: FlaskClient) -> None:
    assert client.get("/static/manifest.webmanifest").mimetype == "application/manifest+json"
    assert client.get("/service-worker.js").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/assets/..%2findex.html", "/assets/../../app.db", "/static/nothing.png", "/assets/"]
)
def test_nothing_but_the_build_is_served(front: Path, client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_build_the_page_says_what_to_do(world: World, client: FlaskClient) -> None:
    index = world.settings.front_dir / "index.html"
    hidden = index.rename(index.with_suffix(".away"))
    try:
        page = client.get("/")
    finally:
        hidden.rename(index)
    assert page.status_code == 503
    assert "make front" in page.text
    assert "请稍后再打开" in page.text
    assert page.headers["Cache-Control"] == "no-store"
