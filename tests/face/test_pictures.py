"""Files that anybody may have made (faults F4 to F7): refused by their header, or written anew."""

from __future__ import annotations

import io
import threading
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.core.errors import Problem
from app.face import image
from sandbox.faces import make_face, read_face
from tests.face.pictures import animated_png, huge_png, jpeg, opened, png, with_position

FACE = make_face(7)


def refusal(data: bytes) -> str:
    with pytest.raises(Problem) as caught:
        image.live_picture(data)
    return caught.value.code


def test_a_picture_of_144_megapixels_is_refused_from_its_header() -> None:
    data = huge_png()
    assert len(data) < 160 * 1024
    tracemalloc.start()
    started = time.perf_counter()
    assert refusal(data) == "photo_too_many_pixels"
    assert time.perf_counter() - started < 0.2
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize("size", [(6000, 4001), (12_001, 10), (10, 12_001)])
def test_more_than_24_megapixels_or_a_side_too_long_are_refused(size: tuple[int, int]) -> None:
    assert refusal(huge_png(*size)) == "photo_too_many_pixels"


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a" + b"\0" * 40,
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"II*\0" + b"\0" * 40,
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\0" * 100,
    ],
)
def test_what_is_neither_jpeg_nor_png_by_its_first_bytes_is_refused(data: bytes) -> None:
    assert refusal(data) == "photo_not_picture"


def test_a_header_that_only_looks_like_a_picture_is_refused() -> None:
    assert refusal(b"\xff\xd8\xff<script>alert(1)</script>") in ("photo_not_picture", "photo_broken")
    assert refusal(b"\x89PNG\r\n\x1a\n<svg onload=alert(1)>") in ("photo_not_picture", "photo_broken")


@pytest.mark.parametrize("kept", [30, 200, len(FACE) // 2, len(FACE) - 400])
def test_a_truncated_picture_is_refused(kept: int) -> None:
    assert refusal(FACE[:kept]) in ("photo_broken", "photo_not_picture")


def test_an_animated_png_is_refused() -> None:
    assert refusal(animated_png()) == "photo_animated"


def test_position_comment_and_camera_are_gone_and_the_picture_stands_upright() -> None:
    upright = opened(FACE)
    lying = upright.transpose(Image.Transpose.ROTATE_90)  # the phone was turned: orientation 6 turns it back
    sent = with_position(jpeg(lying), orientation=6)
    assert b"Exif" in sent
    assert b"SECRET-COMMENT" in sent

    clean = image.live_picture(sent)

    assert b"Exif" not in clean
    assert b"SECRET-COMMENT" not in clean
    assert b"KUNMING" not in clean
    assert not opened(clean).getexif()
    assert opened(clean).size == upright.size
    assert read_face(clean) == read_face(FACE)


def test_a_broken_exif_block_does_not_stop_a_good_picture() -> None:
    broken = FACE[:2] + b"\xff\xe1\x00\x20Exif\0\0MM\0*\xff\xff\xff\xff" + b"\x41" * 16 + FACE[2:]
    assert read_face(image.live_picture(broken)) == read_face(FACE)


def test_a_polyglot_loses_what_hangs_behind_the_picture() -> None:
    sent = FACE + b"<script>alert('polyglot')</script>PK\x05\x06"
    clean = image.live_picture(sent)
    assert b"script" not in clean
    assert clean.endswith(b"\xff\xd9")


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "P", "LA", "RGBA", "I;16", "I"])
def test_every_sort_of_pixels_becomes_plain_rgb(mode: str) -> None:
    grey = Image.new("L", (300, 400), 128)
    if mode == "CMYK":
        data = jpeg(Image.new("CMYK", (300, 400), (0, 0, 0, 127)))
    elif mode in ("I;16", "I"):
        data = png(Image.new("I;16", (300, 400), 128 * 256))
    else:
        data = png(grey.convert(mode))
    clean = opened(image.live_picture(data))
    assert clean.mode == "RGB"
    assert clean.size == (300, 400)
    level = clean.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert all(abs(channel - 128) < 4 for channel in level)  # type: ignore[union-attr]


def test_a_picture_of_very_many_scans_is_refused() -> None:
    progressive = jpeg(opened(FACE), progressive=True)
    assert read_face(image.live_picture(progressive)) == read_face(FACE)
    last_scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    assert refusal(progressive[:-2] + last_scan * 200 + b"\xff\xd9") == "photo_broken"


def test_a_phones_picture_with_a_second_one_behind_it_counts_as_the_first() -> None:
    out = io.BytesIO()
    opened(FACE).save(out, "MPO", save_all=True, append_images=[opened(make_face(9))])
    assert read_face(image.live_picture(out.getvalue())) == read_face(FACE)


def test_what_is_transparent_becomes_white() -> None:
    clean = opened(image.live_picture(png(Image.new("RGBA", (300, 400), (0, 0, 0, 0)))))
    assert clean.getpixel((10, 10)) == (255, 255, 255)


def test_a_large_camera_picture_comes_out_small() -> None:
    large = opened(FACE).resize((2950, 4130))
    clean = image.live_picture(jpeg(large))
    assert max(opened(clean).size) == image.LIVE_SIDE
    assert read_face(clean) == read_face(FACE)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(FACE) - 1), st.binary(min_size=1, max_size=40))
def test_a_damaged_file_gives_a_clean_picture_or_a_problem_and_nothing_else(place: int, junk: bytes) -> None:
    damaged = FACE[:place] + junk + FACE[place + len(junk) :]
    refused, clean = None, None
    try:
        clean = image.live_picture(damaged)
    except Problem as problem:
        refused = problem.kind.status
    assert refused in (415, 422) if clean is None else opened(clean).format == "JPEG"


def test_too_many_pictures_at_once_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "WAIT_SECONDS", 0.3)
    results: list[str] = []
    gate = threading.Event()

    def work() -> None:
        try:
            with image.turn():
                gate.wait(5)
                results.append("done")
        except Problem as problem:
            results.append(f"{problem.code} {problem.headers['Retry-After']}")

    threads = [threading.Thread(target=work) for _ in range(50)]
    for thread in threads:
        thread.start()
    time.sleep(0.6)  # those without a place went at once, those with one after WAIT_SECONDS
    assert results.count("pictures_busy 3") == 50 - image.AT_ONCE
    gate.set()
    for thread in threads:
        thread.join()
    assert results.count("done") == image.AT_ONCE
    with image.turn():  # every place was given back
        pass
