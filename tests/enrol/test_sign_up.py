"""Signing up for certificates of the roster."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.models import Person
from app.core import db
from app.core.clock import SHANGHAI, utcnow
from app.core.errors import Problem
from app.enrol import queries, sign_up
from app.enrol.models import Enrolment, RosterEntry
from tests.enrol.conftest import body
from tests.factories import a_person, a_roster_entry, an_enrolment, auth
from tests.world import World

EXPIRED_ON = date(2021, 3, 1)
DAY_60 = datetime(2021, 4, 30, 23, 59, 59, 999_999, tzinfo=SHANGHAI)
DAY_61 = datetime(2021, 5, 1, tzinfo=SHANGHAI)


def codes(person: Person, now: datetime, **options: Any) -> list[tuple[str | None, str | None]]:
    """Refusal and warning of each certificate."""
    page = sign_up.page(person.id, "yunnan", now=now, **options)
    return [(getattr(offer.refusal, "code", None), getattr(offer.warning, "code", None)) for offer in page.offers]


def the_code(error: pytest.ExceptionInfo[Problem]) -> str:
    return error.value.code


# --- what may be signed up for -----------------------------------------------------------------------------------


def test_the_person_sees_their_certificates_and_nobody_elses(client: FlaskClient, person: Person) -> None:
    entry = a_roster_entry(person)
    a_roster_entry(person, programme="henan")
    a_roster_entry(a_person())

    answer = client.get("/api/v1/sign-ups?programme=yunnan", headers=auth(person))

    assert answer.status_code == 200
    content = body(answer)
    assert content["fee_fen"] == 20000
    assert content["notice"] is None
    (offer,) = content["offers"]
    assert offer == {
        "roster_entry_id": entry.id,
        "kind_code": "TJ",
        "kind_title": "塔机司机",
        "certificate_no": entry.certificate_no,
        "issued_on": entry.issued_on.isoformat(),
        "expires_on": entry.expires_on.isoformat(),
        "refusal": None,
        "warning": None,
        "enrolment_id": None,
    }


def test_a_certificate_is_refused_from_the_61st_day_past_its_expiry_in_shanghai(person: Person) -> None:
    entry = a_roster_entry(person, expires_on=EXPIRED_ON)

    assert codes(person, DAY_60) == [(None, "certificate_void")]
    assert codes(person, DAY_61) == [("certificate_expired_too_long", None)]
    with pytest.raises(Problem) as caught:
        sign_up.sign_up(person.id, [entry.id], now=DAY_61)
    assert the_code(caught) == "certificate_expired_too_long"
    assert "60 天" in caught.value.detail
    assert "0871-68503755-6" in caught.value.detail
    assert sign_up.sign_up(person.id, [entry.id], now=DAY_60)


def test_the_last_day_of_a_certificate_is_in_time_and_the_next_one_is_void(person: Person) -> None:
    a_roster_entry(person, expires_on=EXPIRED_ON)
    last = datetime(2021, 3, 1, 23, 59, 59, tzinfo=SHANGHAI)

    assert codes(person, last) == [(None, "certificate_expires_soon")]
    assert codes(person, last + timedelta(seconds=1)) == [(None, "certificate_void")]


def test_the_warning_begins_35_days_before_the_expiry(person: Person) -> None:
    a_roster_entry(person, expires_on=date(2021, 9, 1))
    first = datetime(2021, 7, 28, tzinfo=SHANGHAI)

    assert codes(person, first) == [(None, "certificate_expires_soon")]
    assert codes(person, first - timedelta(seconds=1)) == [(None, None)]


def test_the_warning_says_that_paying_does_not_bring_the_certificate_back(person: Person) -> None:
    a_roster_entry(person, expires_on=EXPIRED_ON)

    (offer,) = sign_up.page(person.id, "yunnan", now=DAY_60).offers

    assert offer.warning is not None
    assert "失效" in offer.warning.sentence
    assert "缴费后不退" in offer.warning.sentence


def test_who_is_not_in_the_roster_is_told_whom_to_ask(client: FlaskClient, person: Person) -> None:
    content = body(client.get("/api/v1/sign-ups?programme=yunnan", headers=auth(person)))

    assert content["offers"] == []
    assert content["notice"]["code"] == "not_in_roster"
    assert "0871-68503755-6" in content["notice"]["sentence"]


def test_who_looks_for_the_wrong_kind_is_told_the_right_one(client: FlaskClient, person: Person) -> None:
    a_roster_entry(person, kind_code="XHG")

    right = body(client.get("/api/v1/sign-ups?programme=yunnan&kind=XHG", headers=auth(person)))
    wrong = body(client.get("/api/v1/sign-ups?programme=yunnan&kind=TJ", headers=auth(person)))

    assert (len(right["offers"]), right["notice"]) == (1, None)
    assert wrong["offers"] == []
    assert wrong["notice"]["code"] == "wrong_kind"
    assert "司索信号工" in wrong["notice"]["sentence"]
    assert "0871-68503755-6" in wrong["notice"]["sentence"]


@pytest.mark.parametrize("query", ["programme=nowhere", "programme=../../etc/passwd"])
def test_an_unknown_programme_is_not_found(client: FlaskClient, person: Person, query: str) -> None:
    answer = client.get(f"/api/v1/sign-ups?{query}", headers=auth(person))

    assert (answer.status_code, body(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("programme", ["henan", "qiannan", "mohurd"])
def test_a_programme_whose_rooms_are_not_built_refuses_clearly(
    client: FlaskClient, person: Person, programme: str
) -> None:
    entry = a_roster_entry(person, programme=programme, kind_code="C1")

    page = client.get(f"/api/v1/sign-ups?programme={programme}", headers=auth(person))
    asked = client.post("/api/v1/sign-ups", json={"roster_entry_ids": [entry.id]}, headers=auth(person))

    for answer in (page, asked):
        assert (answer.status_code, body(answer)["code"]) == (409, "programme_not_open")
    assert not Enrolment.select().exists()


# --- signing up --------------------------------------------------------------------------------------------------


def test_several_certificates_are_signed_up_for_at_once(client: FlaskClient, person: Person) -> None:
    first, second = a_roster_entry(person), a_roster_entry(person, kind_code="A")

    answer = client.post("/api/v1/sign-ups", json={"roster_entry_ids": [first.id, second.id]}, headers=auth(person))

    assert answer.status_code == 200
    assert [(one["kind_code"], one["status"], one["version"]) for one in body(answer)["enrolments"]] == [
        ("TJ", "signed_up", "2021-02-01"),
        ("A", "signed_up", "2021-02-01"),
    ]
    assert [event.action for event in queries.history(body(answer)["enrolments"][0]["id"])] == ["sign_up"]


def test_sending_it_twice_gives_the_same_enrolment(client: FlaskClient, person: Person) -> None:
    content = {"roster_entry_ids": [a_roster_entry(person).id] * 2}

    first = client.post("/api/v1/sign-ups", json=content, headers=auth(person))
    second = client.post("/api/v1/sign-ups", json=content, headers=auth(person))

    assert body(first) == body(second)
    assert Enrolment.select().count() == 1
    offers = body(client.get("/api/v1/sign-ups?programme=yunnan", headers=auth(person)))["offers"]
    assert offers[0]["enrolment_id"] == body(first)["enrolments"][0]["id"]


def clicks(person: Person, entry: RosterEntry) -> int:
    """Eight clicks at the same moment; gives the number of enrolments there are then."""
    start = Barrier(8)

    def click(_number: int) -> str:
        with db.connection():
            start.wait()
            (row,) = sign_up.sign_up(person.id, [entry.id], now=utcnow())
            return str(row.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(click, range(8)))
    return int(Enrolment.select().count())


def test_clicks_at_the_same_moment_make_one_enrolment(world: World, person: Person) -> None:
    assert clicks(person, a_roster_entry(person)) == 1


def test_without_the_unique_key_the_same_clicks_make_several(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_up, "open_key", lambda entry: None)

    assert clicks(person, a_roster_entry(person)) > 1


def test_a_click_that_read_before_the_other_wrote_gets_the_others_enrolment(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = a_roster_entry(person)
    (first,) = sign_up.sign_up(person.id, [entry.id], now=utcnow())
    look, looks = sign_up._open_enrolment, iter([None])
    monkeypatch.setattr(sign_up, "_open_enrolment", lambda entry: next(looks, look(entry)))

    (second,) = sign_up.sign_up(person.id, [entry.id], now=utcnow())

    assert second.id == first.id
    assert Enrolment.select().count() == 1


def test_one_refused_certificate_signs_up_for_none(person: Person) -> None:
    good, expired = a_roster_entry(person), a_roster_entry(person, expires_on=EXPIRED_ON)

    with pytest.raises(Problem) as caught:
        sign_up.sign_up(person.id, [good.id, expired.id], now=utcnow())

    assert the_code(caught) == "certificate_expired_too_long"
    assert caught.value.body()["roster_entry_id"] == expired.id
    assert Enrolment.select().count() == 0


def test_a_certificate_of_another_person_is_not_found(client: FlaskClient, person: Person) -> None:
    other = a_roster_entry(a_person())

    for entry_id in (other.id, "0" * 16):
        answer = client.post("/api/v1/sign-ups", json={"roster_entry_ids": [entry_id]}, headers=auth(person))
        assert (answer.status_code, body(answer)["code"]) == (404, "not_found")
    assert Enrolment.select().count() == 0


def test_a_finished_certificate_is_refused_until_it_is_renewed(person: Person) -> None:
    entry = a_roster_entry(person)
    an_enrolment(person, "completed", entry=entry)

    assert codes(person, utcnow()) == [("already_completed", None)]

    RosterEntry.update(expires_on=entry.expires_on + timedelta(days=1095)).execute()
    assert codes(person, utcnow()) == [(None, None)]


def test_after_a_lapsed_period_the_free_extension_is_offered_before_a_second_fee(person: Person) -> None:
    entry = a_roster_entry(person)
    lapsed = an_enrolment(person, "lapsed", entry=entry)

    assert codes(person, utcnow()) == [(None, "lapsed_before")]

    (again,) = sign_up.sign_up(person.id, [entry.id], now=utcnow())
    assert again.id != lapsed.id


def test_a_kind_that_the_programme_no_longer_has_is_refused(person: Person) -> None:
    entry = a_roster_entry(person, kind_code="GONE")

    assert codes(person, utcnow()) == [("kind_not_offered", None)]
    with pytest.raises(Problem):
        sign_up.sign_up(person.id, [entry.id], now=utcnow())


# --- hostile input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"roster_entry_ids": []},
        {"roster_entry_ids": "abc"},
        {"roster_entry_ids": [1]},
        {"roster_entry_ids": ["' OR 1=1 --"]},
        {"roster_entry_ids": ["0" * 16] * 21},
        {"roster_entry_ids": [None]},
        {"roster_entry_ids": ["0" * 16], "status": "studying"},
        {"roster_entry_ids": ["0" * 16], "fee_fen": 1},
    ],
)
def test_malformed_sign_ups_change_nothing(client: FlaskClient, person: Person, content: dict[str, Any]) -> None:
    a_roster_entry(person)

    answer = client.post("/api/v1/sign-ups", json=content, headers=auth(person))

    assert answer.status_code in (404, 422)
    assert answer.mimetype == "application/problem+json"
    assert Enrolment.select().count() == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/sign-ups?programme=yunnan"),
        ("post", "/api/v1/sign-ups"),
        ("get", "/api/v1/enrolments"),
        ("get", "/api/v1/enrolments/0000000000000000"),
        ("post", "/api/v1/checkout"),
    ],
)
def test_nobody_gets_in_without_an_activated_session(
    client: FlaskClient, person: Person, method: str, path: str
) -> None:
    assert getattr(client, method)(path, json={}).status_code == 401
    assert getattr(client, method)(path, json={}, headers=auth(person, activated=False)).status_code == 403
