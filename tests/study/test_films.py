"""Films: ranges as RFC 9110 has them, links that expire, names that are no paths; and real demo films."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import imageio_ffmpeg
import pytest
from flask.testing import FlaskClient

from app.core.clock import utcnow
from app.study.tickets import sign_video
from app.study.video import VideoError, make_demo_video

FILM = bytes(range(250)) * 20  # 5,000 bytes


@pytest.fixture
def url(client: FlaskClient, data_dir: Path) -> str:
    folder = data_dir / "videos"
    folder.mkdir(exist_ok=True)
    (folder / "film.mp4").write_bytes(FILM)
    return link("film.mp4")


def link(name: str, seconds: int = 60) -> str:
    return f"/video/{sign_video(name, expires=utcnow() + timedelta(seconds=seconds))}"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 4999),
        ("bytes=100-199", 100, 199),
        ("bytes=4990-9999", 4990, 4999),
        ("bytes=-10", 4990, 4999),
        ("bytes=-9999", 0, 4999),
    ],
)
def test_a_range_is_answered_with_206(client: FlaskClient, url: str, asked: str, first: int, last: int) -> None:
    answer = client.get(url, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/5000"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.data == FILM[first : last + 1]


def test_a_range_beyond_the_end_is_416_with_the_length(client: FlaskClient, url: str) -> None:
    answer = client.get(url, headers={"Range": "bytes=5000-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */5000"
    assert answer.get_json()["code"] == "range_not_satisfiable"


@pytest.mark.parametrize("asked", ["bytes=1-2,5-6", "bytes=abc", "bytes=-", "lines=1-2", "bytes=9-2"])
def test_a_malformed_or_multiple_range_gets_the_whole_film(client: FlaskClient, url: str, asked: str) -> None:
    answer = client.get(url, headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.data == FILM


def test_a_changed_film_is_not_patched_together(client: FlaskClient, url: str) -> None:
    etag = client.get(url).headers["ETag"]
    same = client.get(url, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert same.status_code == 206
    changed = client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (changed.status_code, changed.data) == (200, FILM)
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304


def test_head_tells_the_length_without_the_film(client: FlaskClient, url: str) -> None:
    answer = client.head(url)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == "5000"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "name", ["../secrets/app.secret_key", "/etc/passwd", "..%2Fapp.db", "a/b.mp4", ".mp4", "none.mp4", "film.mp4\n"]
)
def test_a_link_names_a_film_and_never_a_path(client: FlaskClient, url: str, name: str) -> None:
    answer = client.get(link(name))
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_a_forged_or_expired_link_opens_nothing(client: FlaskClient, url: str) -> None:
    assert client.get(link("film.mp4", -1)).get_json()["code"] == "video_link_expired"
    assert client.get("/video/abc.def").status_code == 403
    assert client.get(url[:-3] + "abc").status_code == 403
    assert client.get("/video/").status_code == 404


def test_a_demo_film_is_a_real_one_and_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "videos" / "film.mp4"
    told: list[tuple[int, int]] = []
    assert make_demo_video(path, "高处作业安全", 12, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    head = path.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat"), "it plays while it loads"
    assert len(head) < 300_000
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path), "-f", "null", "-"]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "Video: h264" in report
    assert "yuv420p" in report
    assert "640x360" in report
    assert "Duration: 00:00:12" in report
    before = path.stat().st_mtime_ns
    assert not make_demo_video(path, "高处作业安全", 12)
    assert path.stat().st_mtime_ns == before
    assert [entry.name for entry in path.parent.iterdir()] == ["film.mp4"], "nothing is left behind"


def test_a_failed_film_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(VideoError):
        make_demo_video(tmp_path / "film.mp4", "标题", 0)
    assert list(tmp_path.iterdir()) == []
