"""The badge of a scripted face survives what happens to pictures on their way."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sandbox.faces import Marker, make_face, person_of, read_face


def saved(image: Image.Image, quality: int) -> bytes:
    picture = io.BytesIO()
    image.save(picture, "JPEG", quality=quality)
    return picture.getvalue()


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture)).convert("RGB")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 4095), st.booleans(), st.booleans())
def test_a_marker_survives_saving_anew_and_halving(person: int, live: bool, face: bool) -> None:
    marker = Marker(person, live, face)
    picture = make_face(person, live=live, face=face)
    assert read_face(picture) == marker
    image = opened(picture)
    assert image.size == (295, 413)
    assert read_face(saved(image, 70)) == marker
    assert read_face(saved(image.resize((147, 206)), 70)) == marker


@pytest.mark.parametrize("person", [0, 1, 4095, 2730, 1365])
def test_a_marker_survives_two_savings_padding_cutting_and_another_size(person: int) -> None:
    marker = Marker(person, True, True)
    large = opened(make_face(person, size=(1180, 1652)))
    twice = opened(saved(large.resize((590, 826)), 80)).resize((295, 413))
    assert read_face(saved(twice, 70)) == marker
    padded = Image.new("RGB", (700, 900), (255, 255, 255))
    padded.paste(twice, (150, 200))
    assert read_face(saved(padded, 80)) == marker
    assert read_face(saved(twice.crop((20, 60, 280, 413)), 80)) == marker
    png = io.BytesIO()
    twice.save(png, "PNG")
    assert read_face(png.getvalue()) == marker


def test_a_picture_without_a_badge_or_no_picture_has_no_marker() -> None:
    assert read_face(saved(Image.new("RGB", (295, 413), (255, 255, 255)), 80)) is None
    assert read_face(saved(Image.new("RGB", (295, 413), (230, 0, 230)), 80)) is None
    assert read_face(b"") is None
    assert read_face(b"<svg onload=alert(1)>") is None


def test_a_badge_with_a_block_painted_over_says_nothing() -> None:
    image = opened(make_face(1234))
    marked = opened(saved(image, 90))
    changed = 0
    for x in range(60, 235, 24):
        copy = marked.copy()
        copy.paste((255, 255, 255), (x, 330, x + 18, 346))
        changed += read_face(saved(copy, 80)) != Marker(1234, True, True)
    assert changed > 0


def test_the_person_of_an_id_number_ignores_letters() -> None:
    assert person_of("11010119900307123X") == 7123 % 4096
    assert person_of("110101199003071234") == 71234 % 4096
    assert person_of("110101199003071234") != person_of("110101199003071235")
    assert person_of("X") == 0


def test_a_person_beyond_the_badge_is_refused() -> None:
    with pytest.raises(ValueError, match="4095"):
        make_face(4096)
