"""The one-inch photo: what is refused before it is read, what is kept, and who may change it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from app.core import crypto
from app.core.clock import utcnow
from app.core.errors import Problem
from app.face import photos, queries, service, store
from sandbox.faces import make_face, person_of, read_face
from tests.face.conftest import People, another_programme, in_programme
from tests.face.pictures import huge_png, jpeg, opened, png, with_position
from tests.world import World

LIMIT = 5 * 1024 * 1024


class Counted(io.RawIOBase):
    """A body of `size` bytes made while it is read, that knows how much of it was read."""

    def __init__(self, size: int, head: bytes = b"") -> None:
        self.left = size
        self.head = head
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self.left)
        chunk = (self.head[:count] + b"x" * count)[:count]
        self.head = self.head[count:]
        buffer[:count] = chunk
        self.left -= count
        self.read_bytes += count
        return count


HEAD = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'


def sent(body: Counted, length: int | None) -> dict[str, Any]:
    """What the web server hands over for this body: with its declared length, or chunked."""
    environ: dict[str, Any] = {"wsgi.input": body, "CONTENT_TYPE": "multipart/form-data; boundary=b"}
    if length is None:
        return environ | {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    return environ | {"CONTENT_LENGTH": str(length)}


def test_20_megabytes_are_refused_without_reading_one_byte(people: People) -> None:
    me = people()
    body = Counted(20 * 1024 * 1024, HEAD)
    answer = me.call(
        "PUT",
        "/api/v1/photo",
        environ_overrides=sent(body, 20 * 1024 * 1024),
    )
    assert answer.status_code == 413
    assert answer.get_json()["code"] == "too_large"
    assert body.read_bytes == 0


def test_an_endless_body_without_a_length_is_cut_at_the_limit(people: People) -> None:
    me = people()
    body = Counted(200 * 1024 * 1024, HEAD)
    answer = me.call(
        "PUT",
        "/api/v1/photo",
        environ_overrides=sent(body, None),
    )
    assert answer.status_code == 413
    assert body.read_bytes <= LIMIT + 128 * 1024


def test_a_stranger_is_refused_before_the_body_is_read(people: People) -> None:
    me = people()
    me.token = "nobody"
    body = Counted(1024 * 1024, HEAD)
    answer = me.call(
        "PUT",
        "/api/v1/photo",
        environ_overrides=sent(body, 1024 * 1024),
    )
    assert answer.status_code == 401
    assert body.read_bytes == 0


def test_a_picture_just_over_five_megabytes_is_too_large(people: People) -> None:
    answer = people().put_photo(make_face(7) + b"\0" * LIMIT)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")
    assert "5 MB" in answer.get_json()["detail"]


PART = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"", 422),
        ("multipart/form-data; boundary=", b"x", 422),
        ("multipart/form-data; boundary=b", b"", 422),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 422),
        ("multipart/form-data; boundary=b", PART, 422),
        ("multipart/form-data; boundary=b", PART + b"\r\n--b--\r\n", 422),
        ("multipart/form-data; boundary=b", PART + b"abc", 422),
        ("multipart/form-data; boundary=b", PART.replace(b"photo", b"other") + b"x\r\n--b--\r\n", 422),
        ("multipart/form-data; boundary=b", PART + b"abc\r\n--b--\r\n", 415),
        ("multipart/form-data; boundary=b", PART * 50 + b"x\r\n--b--\r\n", 413),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n' + b"y" * 400_000 + b"\r\n--b--\r\n",
            413,
        ),
        ("multipart/form-data; boundary=\u00e9", b"--b", 422),
        ("application/json", b'{"photo": "x"}', 415),
        ("image/jpeg", make_face(7), 415),
        ("application/x-www-form-urlencoded", b"photo=x", 415),
    ],
)
def test_a_hostile_body_gets_a_problem_and_no_500(
    people: People, content_type: str, body: bytes, status: int
) -> None:
    answer = people().call(
        "PUT",
        "/api/v1/photo",
        data=body,
        headers={"Content-Type": content_type.encode("utf-8").decode("latin-1")},
    )
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"


def test_a_good_photo_waits_and_comes_back_to_its_owner_alone(people: People) -> None:
    me, other = people(), people("530102198501010018", "李四")
    answer = me.put_photo(with_position(me.face))
    assert (answer.status_code, answer.get_json()) == (200, {"status": "waiting", "width": 295, "height": 413})

    mine = me.call("GET", "/api/v1/photo")
    assert mine.status_code == 200
    assert mine.headers["Content-Type"] == "image/jpeg"
    assert mine.headers["X-Content-Type-Options"] == "nosniff"
    assert mine.headers["Cache-Control"] == "no-store"
    assert opened(mine.data).size == (295, 413)
    assert b"Exif" not in mine.data
    assert read_face(mine.data) == read_face(me.face)

    assert other.call("GET", "/api/v1/photo").status_code == 404
    assert me.client.get("/api/v1/photo").status_code == 401


def test_the_file_on_disk_is_encrypted_and_opens_for_its_person_only(people: People, data_dir: Path) -> None:
    me, other = people(), people("530102198501010018", "李四")
    me.put_photo()
    record = queries.record_of(me.id)
    assert record is not None
    raw = (data_dir / "photos" / record.photo_file).read_bytes()
    assert raw.startswith(b"k1\0")
    assert b"\xff\xd8\xff" not in raw
    assert not list((data_dir / "photos").rglob("*.part"))
    with pytest.raises(crypto.CannotOpen):
        store.get(other.id, record.photo_file)
    with pytest.raises(crypto.CannotOpen):
        crypto.fields().open_bytes(raw, store._aad(me.id, record.photo_file))  # the database's keys do not open it


def with_ground(face: bytes, colour: tuple[int, int, int]) -> bytes:
    picture = opened(face).convert("RGB")
    ground = Image.new("RGB", picture.size, colour)
    mask = picture.convert("L").point(lambda level: 255 if level < 235 else 0)
    return jpeg(Image.composite(picture, ground, mask))


UNFIT = [
    (with_ground(make_face(7), (60, 120, 200)), "ground", "白色"),
    (with_ground(make_face(7), (120, 120, 120)), "ground", "白色"),
    (jpeg(opened(make_face(7)).resize((826, 590))), "shape", "比例"),
    (jpeg(opened(make_face(7)).resize((150, 210))), "small", "200"),
]


@pytest.mark.parametrize(("data", "code", "word"), UNFIT)
def test_an_unfit_photo_is_refused_and_says_what_to_do(people: People, data: bytes, code: str, word: str) -> None:
    me = people()
    answer = me.put_photo(data)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "photo_unfit")
    assert code in [hint["code"] for hint in answer.get_json()["hints"]]
    assert word in answer.get_json()["fields"]["photo"]
    assert queries.read_photo(me.id) is None

    advice = me.upload("POST", "/api/v1/photo/check", "photo", data).get_json()
    assert advice["fine"] is False
    assert code in [hint["code"] for hint in advice["hints"]]


def test_the_check_of_a_good_photo_keeps_nothing(people: People) -> None:
    me = people()
    advice = me.upload("POST", "/api/v1/photo/check", "photo", me.face)
    assert advice.get_json() == {"fine": True, "hints": []}
    assert queries.read_photo(me.id) is None


def test_what_photo_is_wanted_is_told_by_the_programme_and_how_mine_stands(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = people()
    rule = me.call("GET", "/api/v1/photo/rule").get_json()
    assert (rule["title"], rule["status"], rule["changeable"]) == ("一寸白底免冠照片", "none", True)
    assert any("安全帽" in point for point in rule["points"])
    assert any("白墙" in point for point in rule["points"])
    me.put_photo()
    me.anchor()
    rule = me.call("GET", "/api/v1/photo/rule").get_json()
    assert (rule["status"], rule["changeable"]) == ("confirmed", False)
    yunnan = another_programme(monkeypatch)
    assert yunnan.photo is not None
    plain = msgspec.structs.replace(
        yunnan.photo, size="half_length", ground="any", bareheaded=False, unretouched=True
    )
    other = in_programme(me, another_programme(monkeypatch, photo=plain)).call("GET", "/api/v1/photo/rule").get_json()
    assert (other["title"], other["white_ground"]) == ("半身照片", False)
    assert not any("白墙" in point or "帽" in point for point in other["points"])
    assert any("美颜" in point for point in other["points"])


def test_a_near_white_wall_is_white_enough(people: People) -> None:
    assert people().put_photo(with_ground(make_face(7), (226, 228, 222))).status_code == 200


def test_the_size_of_a_large_camera_photo_is_judged_before_it_is_made_small(people: People) -> None:
    me = people()
    large = jpeg(opened(me.face).resize((2950, 4130)))
    assert me.put_photo(large).status_code == 200


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (huge_png(), 422, "photo_too_many_pixels"),
        (b"<svg onload=alert(1)>", 415, "photo_not_picture"),
        (make_face(7)[:3000], 422, "photo_broken"),
    ],
)
def test_hostile_files_are_refused_over_http_too(people: People, data: bytes, status: int, code: str) -> None:
    answer = people().put_photo(data)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_without_consent_no_photo_is_taken(people: People) -> None:
    me = people(consent=False)
    answer = me.put_photo()
    assert (answer.status_code, answer.get_json()["code"]) == (403, "consent_needed")


def test_a_password_that_opens_nothing_uploads_nothing(people: People) -> None:
    assert people(activated=False).put_photo().status_code == 403


def test_a_waiting_photo_may_be_changed_and_leaves_one_file(people: People) -> None:
    me = people()
    me.put_photo()
    before = queries.record_of(me.id)
    assert me.put_photo(png(opened(me.face))).status_code == 200
    record = queries.record_of(me.id)
    assert record is not None
    assert before is not None
    assert store.get(me.id, before.photo_file) is None
    assert store.get(me.id, record.photo_file) is not None


def test_after_the_real_name_check_only_the_same_face_is_taken(people: People) -> None:
    me = people()
    me.anchor()
    stranger = me.put_photo(make_face(person_of(me.id_number) + 1))
    assert (stranger.status_code, stranger.get_json()["code"]) == (422, "photo_not_same_person")
    nobody = me.put_photo(make_face(person_of(me.id_number), face=False))
    assert nobody.get_json()["code"] == "photo_not_same_person"
    assert queries.read_photo(me.id) is None

    good = me.put_photo()
    assert good.get_json()["status"] == "confirmed"
    assert service.photo_ready(me.id)


def test_a_confirmed_photo_is_fixed_until_support_gives_it_free(people: People) -> None:
    me = people()
    me.anchor()
    me.put_photo()
    other = png(opened(me.face))
    refused = me.put_photo(other)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "photo_fixed")
    assert "0871-63122229" in refused.get_json()["detail"]
    assert me.put_photo().get_json()["status"] == "confirmed"  # the same file again is no change

    photos.release_photo(me.id, actor="staff:1", reason="照片不清晰", now=utcnow())
    assert not service.photo_ready(me.id)
    assert me.put_photo(make_face(person_of(me.id_number) + 1)).get_json()["code"] == "photo_not_same_person"
    assert me.put_photo(other).get_json()["status"] == "confirmed"


def test_a_waiting_photo_is_confirmed_by_the_real_name_check(people: People) -> None:
    me = people()
    me.put_photo()
    assert not service.photo_ready(me.id)
    me.anchor()
    assert service.photo_ready(me.id)
    assert service.anchored(me.id)


def test_a_waiting_photo_of_someone_else_is_returned_by_the_real_name_check_with_why(people: People) -> None:
    me = people()
    me.put_photo(make_face(person_of(me.id_number) + 1))
    me.anchor()
    assert not service.photo_ready(me.id)
    assert queries.photo_status(me.id) == "returned"
    assert me.call("GET", "/api/v1/photo/rule").get_json()["returned_because"] == photos.NOT_THE_FACE
    assert me.put_photo().get_json()["status"] == "confirmed"


@pytest.mark.parametrize("kind", ["reset", "garbage", "hang"])
def test_a_photo_is_not_kept_while_the_comparison_gives_no_answer(people: People, world: World, kind: str) -> None:
    me = people()
    me.anchor()
    world.sandbox.box.knobs.add("baidu", "match", kind)
    answer = me.put_photo()
    assert (answer.status_code, answer.get_json()["code"]) == (503, "face_unavailable")
    assert answer.headers["Retry-After"]
    assert queries.read_photo(me.id) is None
    assert me.put_photo().status_code == 200


def test_of_two_uploads_at_once_one_is_told_to_try_again_and_no_file_is_left_over(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = people()
    me.put_photo()
    kept: list[str] = []
    put = store.put

    def first_the_other(kind: store.Kind, person_id: str, picture: bytes, **options: Any) -> str:
        if not kept:
            kept.append("other")
            assert photos.set_photo(me.who, png(opened(me.face)), now=utcnow()).status == "waiting"
        name = put(kind, person_id, picture, **options)
        kept.append(name)
        return name

    monkeypatch.setattr(store, "put", first_the_other)
    with pytest.raises(Problem) as caught:
        photos.set_photo(me.who, jpeg(opened(me.face)), now=utcnow())
    assert caught.value.code == "conflict"
    record = queries.record_of(me.id)
    assert record is not None
    assert record.photo_file == kept[1]
    assert store.get(me.id, kept[1]) is not None
    assert store.get(me.id, kept[2]) is None


def test_an_anchored_face_is_compared_whatever_programme_the_person_has_signed_in_to(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = people()
    me.anchor()
    faceless = in_programme(me, another_programme(monkeypatch, face=None))
    assert faceless.put_photo(make_face(person_of(me.id_number) + 1)).get_json()["code"] == "photo_not_same_person"
    assert queries.photo_status(me.id) == "none"
    assert faceless.put_photo().get_json()["status"] == "confirmed"


def test_where_no_faces_are_compared_a_photo_waits_and_is_good_for_a_proof_all_the_same(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = people()
    assert in_programme(me, another_programme(monkeypatch, face=None)).put_photo().get_json()["status"] == "waiting"
    assert service.proof_photo(me.id, compared=True) is None
    assert service.proof_photo(me.id, compared=False) is not None


def test_wrong_faces_are_compared_five_times_and_then_there_is_the_manual_route(people: People, world: World) -> None:
    me = people()
    me.anchor()
    before = world.sandbox.box.journal.count("baidu", "match")
    codes = [me.put_photo(make_face(person_of(me.id_number) + 1)).get_json()["code"] for _ in range(8)]
    assert codes == ["photo_not_same_person"] * 5 + ["face_manual_route"] * 3
    assert world.sandbox.box.journal.count("baidu", "match") == before + 5


def test_a_good_photo_and_a_silent_provider_use_no_try_up(people: People, world: World) -> None:
    me = people()
    me.anchor()
    world.sandbox.box.knobs.add("baidu", "match", "reset")
    assert me.put_photo().status_code == 503
    assert me.put_photo().status_code == 200
    record = queries.record_of(me.id)
    assert record is not None
    assert record.tries == 0
