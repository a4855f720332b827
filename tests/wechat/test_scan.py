"""Scan-to-authenticate: a page shows a code, a phone says whose it is, the page goes on by itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import product
from threading import Barrier
from unittest import mock

import pytest
import requests

from app.account import service as account
from app.account.models import Session
from app.core import db
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.face import scan
from app.face import service as face
from app.wechat import service, tickets
from app.wechat.models import ScanTicket
from app.wechat.status import (
    LeaveAction,
    LeaveStatus,
    NotAllowed,
    TicketAction,
    TicketStatus,
    next_leave_status,
    next_ticket_status,
)
from tests import factories
from tests.account.screens import Clock
from tests.wechat.scanning import Page, Phone, code_of
from tests.world import World


@pytest.fixture
def clock() -> Iterator[Clock]:
    moving = Clock()
    with mock.patch("app.core.access.utcnow", moving.now):
        yield moving


@pytest.fixture
def page(world: World) -> Page:
    """A page on which nobody is signed in."""
    return Page(world)


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, factories.a_person(name="欧阳建国"))


# --- signing in --------------------------------------------------------------------------------------------------


def test_a_page_is_signed_in_as_the_person_whose_phone_says_yes(world: World, page: Page, phone: Phone) -> None:
    shown = page.ask()
    assert shown.status_code == 201
    assert shown.get_json()["by"] == "wechat"
    assert shown.get_json()["picture"].startswith("data:image/png;base64,")
    code = requests.get(f"{world.sandbox.url}/_control/wechat/codes", timeout=5).json()[0]
    assert (code["scene"], code["page"]) == (page.id, "pkg-study/scan/scan")
    assert page.poll().get_json()["status"] == "waiting"
    asked = phone.post(code["scene"], "scan").get_json()
    assert (asked["purpose"], asked["status"], asked["name"]) == ("login", "scanned", "欧**国")
    assert asked["device"] == "Windows 电脑，Chrome"
    assert asked["face"] == {"purpose": "login", "subject": None}
    assert page.poll().get_json() | {"expires_at": ""} == {
        "status": "scanned",
        "name": "欧**国",
        "expires_at": "",
        "wait_seconds": 2,
    }
    assert code_of(phone.post(page.id, "confirm")) == (403, "face_check_needed")
    phone.pass_face()
    assert phone.post(page.id, "confirm").status_code == 204
    assert page.poll().get_json()["status"] == "confirmed"
    opened = page.go_on().get_json()
    assert (opened["next"], opened["enrolment_id"]) == ("home", None)
    assert opened["token"] != phone.token
    who = account.authenticate(opened["token"], now=utcnow())
    assert who is not None
    assert (who.person_id, who.activated) == (phone.person.id, True)
    assert account.get_session(who.session_id).channel == "web"
    assert page.poll().get_json()["status"] == "used"
    told = [row.action for row in AuditEntry.select().order_by(AuditEntry.id)]
    assert told[-2:] == ["scan.confirmed", "login.scanned"]


def test_polling_is_short_and_unchanged_answers_are_empty(page: Page, phone: Phone) -> None:
    page.ask()
    first, second = page.poll(), page.poll()
    assert (first.status_code, second.status_code, second.data) == (200, 304, b"")
    assert second.headers["Retry-After"] == "2"
    phone.post(page.id, "scan")
    assert page.poll().status_code == 200


def test_a_lost_answer_is_given_again_and_is_one_session(page: Page, phone: Phone, clock: Clock) -> None:
    page.ask()
    phone.approve(page)
    first, second = page.go_on(), page.go_on()
    assert first.get_json() == second.get_json()
    assert Session.select().where(Session.channel == "web").count() == 1
    clock.wait(minutes=3)
    assert code_of(page.go_on()) == (409, "scan_over")


def test_after_logging_out_the_ticket_opens_nothing_again(world: World, page: Page, phone: Phone) -> None:
    page.ask()
    phone.approve(page)
    token = page.go_on().get_json()["token"]
    who = account.authenticate(token, now=utcnow())
    assert who is not None
    account.end_session(who.session_id, now=utcnow())
    assert code_of(page.go_on()) == (409, "scan_over")


def test_fifty_confirmations_and_fifty_pages_at_once_are_one_session(page: Page, phone: Phone) -> None:
    page.ask()
    phone.post(page.id, "scan")
    phone.pass_face()
    barrier = Barrier(10)

    def confirm(_: int) -> int:
        barrier.wait()
        return phone.post(page.id, "confirm").status_code

    def go_on(_: int) -> str:
        barrier.wait()
        return str(page.go_on().get_json().get("token"))

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(confirm, range(50))) == {204}
        assert len(set(pool.map(go_on, range(50)))) == 1
    assert AuditEntry.select().where(AuditEntry.action == "scan.confirmed").count() == 1
    assert Session.select().where(Session.channel == "web").count() == 1


def test_without_compare_and_set_they_would_be_many(page: Page, phone: Phone) -> None:
    page.ask()
    phone.post(page.id, "scan")
    phone.pass_face()
    phone.post(page.id, "confirm")
    barrier = Barrier(8)
    seen = tickets.see

    def all_look_first(ticket_id: str, secret: str) -> ScanTicket:
        found = seen(ticket_id, secret)
        if found.status == TicketStatus.CONFIRMED:
            barrier.wait(10)
        return found

    def unguarded(model: type[ScanTicket], row_id: str, where: object, values: dict[str, object]) -> bool:
        return bool(model.update(values).where(model.id == row_id).execute())

    with (
        mock.patch.object(service, "see_ticket", all_look_first),
        mock.patch.object(tickets, "compare_and_set", unguarded),
        ThreadPoolExecutor(8) as pool,
    ):
        assert {answer.status_code for answer in pool.map(lambda _: page.go_on(), range(8))} == {200}
    assert Session.select().where(Session.channel == "web").count() > 1


def test_a_stolen_id_without_the_pages_secret_gives_nothing(world: World, page: Page, phone: Phone) -> None:
    page.ask()
    phone.approve(page)
    for secret in ("", "x", page.secret[:-1], page.secret.swapcase(), "名" * 20):
        thief = Page(world, id=page.id, secret=secret.encode().decode("latin-1"))
        assert code_of(thief.poll()) == (404, "scan_secret_wrong")
        assert code_of(thief.go_on()) == (404, "scan_secret_wrong")
    assert page.go_on().status_code == 200


def test_the_secret_is_stored_nowhere(page: Page) -> None:
    page.ask()
    stored = str(list(ScanTicket.select().dicts())) + str(list(AuditEntry.select().dicts()))
    assert page.secret not in stored


def test_not_me_closes_the_ticket_and_the_page_is_told(page: Page, phone: Phone) -> None:
    page.ask()
    phone.approve(page)
    for _ in range(2):
        assert phone.post(page.id, "deny").status_code == 204
    assert page.poll().get_json()["status"] == "denied"
    assert code_of(page.go_on()) == (409, "scan_over")
    assert code_of(phone.post(page.id, "confirm")) == (409, "scan_over")


def test_once_the_page_went_on_not_me_comes_too_late_and_says_so(page: Page, phone: Phone) -> None:
    page.ask()
    phone.approve(page)
    page.go_on()
    assert code_of(phone.post(page.id, "deny")) == (409, "scan_over")


def test_a_second_phone_cannot_take_a_scanned_ticket(world: World, page: Page, phone: Phone) -> None:
    page.ask()
    phone.post(page.id, "scan")
    other = Phone(world, factories.a_person())
    other.pass_face()
    for verb in ("scan", "confirm", "deny"):
        assert code_of(other.post(page.id, verb)) == (409, "scan_taken"), verb
    assert page.poll().get_json()["status"] == "scanned"


def test_nothing_is_confirmed_that_was_not_scanned(page: Page, phone: Phone) -> None:
    page.ask()
    phone.pass_face()
    for verb in ("confirm", "deny"):
        assert code_of(phone.post(page.id, verb)) == (409, "scan_over")
    assert page.poll().get_json()["status"] == "waiting"


@pytest.mark.parametrize("ticket_id", ["0123456789abcdef", "x", "../../etc", "0123456789ABCDEF"])
def test_an_unknown_code_and_one_that_is_over_look_alike(phone: Phone, ticket_id: str) -> None:
    answer = phone.post(ticket_id, "scan")
    assert answer.status_code in (404, 409)


def test_a_web_session_is_no_phone(world: World, page: Page) -> None:
    page.ask()
    desk = Phone(world, factories.a_person(), channel="web")
    assert code_of(desk.post(page.id, "scan")) == (409, "scan_with_phone")
    assert Phone(world, factories.a_person(), channel="phone_web").post(page.id, "scan").status_code == 200


def test_times_two_minutes_to_scan_five_to_confirm_two_to_go_on(page: Page, phone: Phone, clock: Clock) -> None:
    page.ask()
    clock.wait(minutes=2, seconds=1)
    assert page.poll().get_json()["status"] == "expired"
    assert code_of(phone.post(page.id, "scan")) == (409, "scan_over")
    page.ask()
    clock.wait(minutes=1, seconds=55)
    assert phone.post(page.id, "scan").status_code == 200
    phone.pass_face()
    clock.wait(minutes=4, seconds=55)
    assert phone.post(page.id, "confirm").status_code == 204
    clock.wait(minutes=2, seconds=1)
    assert page.poll().get_json()["status"] == "expired"
    assert code_of(page.go_on()) == (409, "scan_over")
    page.ask()
    phone.post(page.id, "scan")
    clock.wait(minutes=5, seconds=1)
    assert code_of(phone.post(page.id, "confirm")) == (409, "scan_over")


def test_whoever_ends_all_sessions_in_between_stops_the_page_too(page: Page, phone: Phone) -> None:
    page.ask()
    phone.approve(page)
    account.end_sessions(phone.person.id, now=utcnow())
    assert code_of(page.go_on()) == (409, "scan_over")


def test_without_wechats_picture_the_page_shows_an_ordinary_code(world: World, page: Page, phone: Phone) -> None:
    world.sandbox.box.knobs.add("wechat", "qrcode", "error", 502)
    shown = page.ask().get_json()
    assert shown["by"] == "link"
    import zxingcpp
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(shown["picture"].split(",")[1])))
    (read,) = zxingcpp.read_barcodes(picture)
    assert read.text == f"{world.settings.public_url}/?scan={page.id}"
    phone.approve(page)
    assert page.go_on().status_code == 200


def test_one_address_makes_so_many_a_minute(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tickets.A_MINUTE, "login", 2)
    assert [page.ask().status_code for _ in range(3)] == [201, 201, 429]


@pytest.mark.parametrize("programme", ["atlantis", "", "../etc"])
def test_a_programme_that_is_none_offers_no_code(page: Page, programme: str) -> None:
    assert page.ask(programme=programme).status_code in (409, 422)


# --- studying ----------------------------------------------------------------------------------------------------


def test_the_page_studies_after_the_same_persons_phone_passed_the_face_check(world: World, phone: Phone) -> None:
    enrolment = factories.an_enrolment(phone.person)
    page = Page(world, token=factories.a_session(phone.person))
    assert page.ask(enrolment.id).status_code == 201
    asked = phone.post(page.id, "scan").get_json()
    assert asked["face"] == {"purpose": "study", "subject": enrolment.id}
    phone.pass_face("login")
    assert code_of(phone.post(page.id, "confirm")) == (403, "face_check_needed")
    phone.pass_face("study", factories.an_enrolment(phone.person))
    assert code_of(phone.post(page.id, "confirm")) == (403, "face_check_needed")
    check = phone.pass_face("study", enrolment)
    again = phone.post(page.id, "scan").get_json()
    assert again["face"] is None
    assert "人脸" not in again["sentence"]  # it is done: only the answer is left
    assert phone.post(page.id, "confirm").status_code == 204
    assert page.go_on().get_json() == {"token": None, "next": None, "enrolment_id": enrolment.id}
    assert Session.select().where(Session.channel == "web").count() == 1
    assert face.consume_pass(phone.person.id, "study", enrolment.id, now=utcnow()) == check.id


def test_anothers_phone_is_refused_and_the_ticket_waits_for_the_right_one(world: World, phone: Phone) -> None:
    enrolment = factories.an_enrolment(phone.person)
    page = Page(world, token=factories.a_session(phone.person))
    page.ask(enrolment.id)
    other = Phone(world, factories.a_person())
    assert code_of(other.post(page.id, "scan")) == (403, "scan_other_person")
    assert page.poll().get_json()["status"] == "waiting"
    assert AuditEntry.select().where(AuditEntry.action == "scan.refused").count() == 1
    assert phone.post(page.id, "scan").status_code == 200


def test_nobody_asks_for_anothers_enrolment(world: World, phone: Phone) -> None:
    enrolment = factories.an_enrolment(factories.a_person())
    page = Page(world, token=factories.a_session(phone.person))
    assert page.ask(enrolment.id).status_code == 404
    assert page.ask("x" * 17).status_code == 422
    assert Page(world).ask(enrolment.id).status_code == 401


# --- parts -------------------------------------------------------------------------------------------------------


def test_the_table_of_tickets() -> None:
    s, a = TicketStatus, TicketAction
    allowed = {
        (s.WAITING, a.SCAN): s.SCANNED,
        (s.SCANNED, a.CONFIRM): s.CONFIRMED,
        (s.SCANNED, a.DENY): s.DENIED,
        (s.CONFIRMED, a.DENY): s.DENIED,
        (s.CONFIRMED, a.USE): s.USED,
    }
    for status, action in product(s, a):
        if (status, action) in allowed:
            assert next_ticket_status(status, action) is allowed[status, action]
        else:
            with pytest.raises(NotAllowed):
                next_ticket_status(status, action)


def test_the_table_of_leaves() -> None:
    s, a = LeaveStatus, LeaveAction
    allowed = {
        (s.STANDING, a.TAKE): s.QUEUED,
        (s.STANDING, a.VOID): s.VOID,
        (s.QUEUED, a.BEGIN): s.SENDING,
        (s.QUEUED, a.REFUSE): s.REFUSED,
        (s.SENDING, a.ACCEPT): s.SENT,
        (s.SENDING, a.REFUSE): s.REFUSED,
        (s.SENDING, a.LOSE): s.UNKNOWN,
    }
    for status, action in product(s, a):
        if (status, action) in allowed:
            assert next_leave_status(status, action) is allowed[status, action]
        else:
            with pytest.raises(NotAllowed):
                next_leave_status(status, action)


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/17.0 Safari/605.1.15", "苹果电脑，Safari"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36 Edg/120.0", "Windows 电脑，Edge"),
        ("<script>alert(1)</script>", "未知设备，浏览器"),
        ("", "未知设备，浏览器"),
    ],
)
def test_a_device_is_told_in_words_of_ours(user_agent: str, told: str) -> None:
    assert tickets.device_of(user_agent) == told


def test_tickets_are_forgotten_when_they_are_over_for_long(page: Page, clock: Clock) -> None:
    page.ask()
    with db.connection():
        clock.wait(hours=47)
        assert service.forget(now=clock.now()) == 0
        clock.wait(hours=2)
        assert service.forget(now=clock.now()) == 1


def test_strangers_cannot_spend_what_wechat_gives_us(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PICTURES", 4)
    monkeypatch.setattr(scan, "PICTURES_OF_AN_ADDRESS", 2)
    count, now = world.sandbox.box.journal.count, utcnow()
    before = count("wechat", "qrcode")

    def ask(address: str, at: datetime = now) -> str:
        return scan.ask_for_login("yunnan", site="https://x.cn", user_agent="", address=address, now=at).by

    assert [ask("10.0.0.1") for _ in range(4)] == ["wechat", "wechat", "link", "link"]
    assert [ask(f"10.0.1.{number}") for number in range(4)] == ["wechat", "wechat", "link", "link"]
    assert count("wechat", "qrcode") - before == 4
    assert ask("10.0.0.1", now + timedelta(minutes=1)) == "wechat"


def test_the_description_says_how_a_page_proves_that_the_code_is_its_own(world: World) -> None:
    spec = world.app.spec
    assert isinstance(spec, dict)
    assert spec["components"]["securitySchemes"]["ticket"]["scheme"] == "ticket"
    asking = {
        (method, path)
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") == [{"ticket": []}]
    }
    place = "/api/v1/scan-tickets/{ticket_id}"
    assert asking == {("get", place), ("post", f"{place}/go-on")}
