"""Films made watchable by the real ffmpeg; workers that die; files that are no films."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.core.clock import utcnow
from app.study import films
from app.study.models import Film
from app.study.providers import ffmpeg
from app.study.status import Failure
from app.study.teaching import store, transcoding, uploads
from app.study.tickets import sign_video
from tests.study.teaching.studio import TEACHER, a_file, uploaded
from tests.world import World


def row(film: Film) -> Film:
    found: Film = Film.get_by_id(film.id)
    return found


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of three seconds, wider than what is kept, with an odd number of pixels."""
    path = tmp_path_factory.mktemp("camera") / "a.mkv"
    return a_file(path, seconds=3, size="1922x1082").read_bytes()


def test_a_film_becomes_mp4_and_hls_that_are_served_by_a_signed_link(world: World, camera: bytes) -> None:
    film = uploaded(camera)
    assert transcoding.transcode(film.id, now=utcnow())
    done = row(film)
    assert (done.status, done.seconds, done.percent) == ("ready", 3, 100)
    assert done.width <= 1280
    assert done.height <= 720
    videos = world.data_dir / films.FOLDER
    mp4 = videos / films.name_of(film.id)
    assert mp4.stat().st_size == done.mp4_bytes
    head = mp4.read_bytes()[:4096]
    assert b"moov" in head, "it plays while it loads"
    assert not store.incoming(film.id).exists(), "what was uploaded is not needed any more"
    client, token = world.app.test_client(), sign_video(films.name_of(film.id), expires=utcnow() + timedelta(hours=1))
    listed = client.get(f"/video/{token}/index.m3u8")
    assert (listed.status_code, listed.mimetype) == (200, "application/vnd.apple.mpegurl")
    piece = next(line for line in listed.text.splitlines() if not line.startswith("#"))
    sent = client.get(f"/video/{token}/{piece}", headers={"Range": "bytes=0-187"})
    assert (sent.status_code, sent.mimetype, sent.data[:1]) == (206, "video/mp2t", b"G")
    assert client.get(f"/video/{token}").status_code == 200
    for name in ("..%2f..%2fapp.db", "film.mp4", "00009.ts", "index.m3u8.bak"):
        assert client.get(f"/video/{token}/{name}").status_code == 404, name
    old = sign_video(films.name_of(film.id), expires=utcnow() - timedelta(seconds=1))
    assert client.get(f"/video/{old}/{piece}").status_code == 403


def test_a_film_without_sound_gets_a_silent_track(world: World, tmp_path: Path) -> None:
    film = uploaded(a_file(tmp_path / "silent.mp4", sound=False).read_bytes())
    assert transcoding.transcode(film.id, now=utcnow())
    assert ffmpeg.probe(world.data_dir / films.FOLDER / films.name_of(film.id)).sound


def test_progress_is_told_while_it_goes_on(world: World, camera: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcoding, "TELL_EVERY", 0.0)
    film, seen = uploaded(camera), []
    transcoding.transcode(film.id, now=utcnow(), step=lambda: seen.append(row(film).status))
    assert seen
    assert set(seen) == {"transcoding"}


def test_the_copy_into_segments_says_that_it_is_alive_too(
    world: World, camera: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcoding, "TELL_EVERY", 0.0)
    film, seen, to_hls = uploaded(camera), [], ffmpeg.to_hls

    def copied(mp4: Path, folder: Path, **more: Any) -> None:
        Film.update(moved_at=utcnow() - transcoding.SILENT * 2).where(Film.id == film.id).execute()
        to_hls(mp4, folder, **more)
        seen.append((row(film).percent, transcoding.sweep(now=utcnow())))

    monkeypatch.setattr(ffmpeg, "to_hls", copied)
    assert transcoding.transcode(film.id, now=utcnow())
    assert seen == [(99, 0)]


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(2000)
SUBTITLES = b"1\n00:00:00,000 --> 00:00:05,000\nhello\n"


@pytest.mark.parametrize("data", [PLAYLIST, CONCAT, PICTURE, SUBTITLES, b"MZ" + bytes(3000), bytes(5000)])
def test_what_is_no_film_is_told_so_whatever_its_name_says(world: World, data: bytes) -> None:
    film = uploaded(data, title="讲座.mp4")
    assert not transcoding.transcode(film.id, now=utcnow())
    assert (row(film).status, row(film).failure) == ("failed", Failure.NOT_A_FILM)


def test_a_film_that_ends_in_the_middle_fails_or_is_short_and_can_be_tried_again(world: World, camera: bytes) -> None:
    film = uploaded(camera[: len(camera) // 20])
    transcoding.transcode(film.id, now=utcnow())
    assert row(film).status in ("failed", "ready")
    if row(film).status == "failed":
        uploads.retry(TEACHER, film.id, now=utcnow())
        assert (row(film).status, row(film).failure) == ("queued", None)


def test_one_that_takes_too_long_is_ended(world: World, camera: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcoding, "LEAST", 0.01)
    monkeypatch.setattr(transcoding, "SLOWEST", 0.001)
    film = uploaded(camera)
    assert not transcoding.transcode(film.id, now=utcnow())
    assert row(film).failure == Failure.TOO_SLOW
    assert list((world.data_dir / "films" / "work").iterdir()) == [], "the folder of the run is gone"


def test_ffmpeg_gets_no_more_memory_than_it_may_have(
    world: World, camera: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffmpeg, "MEMORY", 40 * 1024**2)
    film = uploaded(camera)
    assert not transcoding.transcode(film.id, now=utcnow())
    assert row(film).failure in (Failure.BROKEN, Failure.NOT_A_FILM)


def test_a_worker_that_was_killed_is_found_and_another_one_does_its_work(world: World, camera: bytes) -> None:
    film = uploaded(camera)
    killed = {"status": "transcoding", "lease": "0123456789abcdef", "tries": 1}
    silent = utcnow() - transcoding.SILENT
    Film.update(**killed, moved_at=silent + timedelta(seconds=5)).where(Film.id == film.id).execute()
    assert transcoding.sweep(now=utcnow()) == 0, "it may still be alive"
    assert not transcoding.transcode(film.id, now=utcnow()), "nobody takes it meanwhile"
    Film.update(moved_at=silent - timedelta(seconds=5)).where(Film.id == film.id).execute()
    assert transcoding.sweep(now=utcnow()) == 1
    assert transcoding.transcode(film.id, now=utcnow())
    assert row(film).status == "ready"


def test_the_third_worker_that_is_lost_is_the_last(world: World, camera: bytes) -> None:
    film = uploaded(camera)
    gone = utcnow() - transcoding.SILENT - timedelta(seconds=5)
    killed = {"status": "transcoding", "lease": "0123456789abcdef", "tries": transcoding.TRIES, "moved_at": gone}
    Film.update(killed).where(Film.id == film.id).execute()
    transcoding.sweep(now=utcnow())
    assert (row(film).status, row(film).failure) == ("failed", Failure.WORKER_LOST)


def test_a_worker_whose_film_was_taken_over_leaves_it_alone(
    world: World, camera: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcoding, "TELL_EVERY", 0.0)
    film = uploaded(camera)

    def taken() -> None:
        Film.update(lease="another000000000").where(Film.id == film.id).execute()

    assert not transcoding.transcode(film.id, now=utcnow(), step=taken)
    assert (row(film).status, row(film).lease) == ("transcoding", "another000000000")
    assert not (world.data_dir / films.FOLDER / films.name_of(film.id)).exists()


def test_done_twice_it_is_done_once(world: World, camera: bytes) -> None:
    film = uploaded(camera)
    assert transcoding.transcode(film.id, now=utcnow())
    before = row(film).moved_at
    assert not transcoding.transcode(film.id, now=utcnow())
    assert row(film).moved_at == before


def test_a_film_that_is_deleted_meanwhile_ends_the_work(
    world: World, camera: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcoding, "TELL_EVERY", 0.0)
    film = uploaded(camera)
    assert not transcoding.transcode(
        film.id, now=utcnow(), step=lambda: uploads.discard(TEACHER, film.id, now=utcnow())
    )
    assert Film.select().count() == 0


def test_a_film_that_is_deleted_just_before_it_is_put_in_place_leaves_nothing(
    world: World, camera: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, publish = uploaded(camera), store.publish

    def late(film_id: str, mp4: Path, hls: Path) -> None:
        uploads.discard(TEACHER, film_id, now=utcnow())
        publish(film_id, mp4, hls)

    monkeypatch.setattr(store, "publish", late)
    assert not transcoding.transcode(film.id, now=utcnow())
    name = films.name_of(film.id)
    left = [world.data_dir / films.FOLDER / one for one in (name, films.hls_folder(name))]
    assert not any(one.exists() for one in left)


def test_folders_that_dead_workers_left_are_swept(world: World) -> None:
    folder = world.data_dir / "films" / "work" / "left"
    folder.mkdir(parents=True)
    old = time.time() - 10 * 24 * 3600
    os.utime(folder, (old, old))
    uploads.forget(now=utcnow())
    assert not folder.exists()
