"""The settings screen, taking the consent to face data back, and leaving everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account import service as account
from app.account.models import Consent
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from tests.factories import a_person, a_session, auth
from tests.wechat.phones import a_bound_person
from tests.world import World


def settings(client: FlaskClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = client.get("/api/v1/settings", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_screen_is_one_answer_and_masked(client: FlaskClient) -> None:
    person = a_person()
    answer = client.get("/api/v1/settings", headers=auth(person))
    shown = answer.get_json()
    assert person.id_number not in answer.text
    assert str(person.phone) not in answer.text
    assert shown["me"]["programme"] == "yunnan"
    assert shown["wechat"] == {"offered": True, "bound": False, "bound_at": None}
    (agreement, face) = shown["consents"]
    assert (agreement["kind"], agreement["agreed"], agreement["withdrawable"]) == ("agreement", True, False)
    assert (face["kind"], face["title"]) == ("face", "人脸信息说明")


def test_a_bound_wechat_is_shown_until_it_is_unbound(world: World, client: FlaskClient) -> None:
    person = a_bound_person(world, "o-mine")
    shown = settings(client, auth(person))["wechat"]
    assert (shown["bound"], shown["bound_at"] is not None) == (True, True)


def test_the_consent_to_face_data_is_taken_back_and_asked_for_again(client: FlaskClient) -> None:
    person = a_person()
    headers = auth(person)
    client.post("/api/v1/consents", json={"kind": "face", "version": "1", "agreed": True}, headers=headers)
    face = settings(client, headers)["consents"][1]
    assert (face["agreed"], face["withdrawable"]) == (True, True)
    for _ in range(2):
        assert client.delete("/api/v1/consents/face", headers=headers).status_code == 204
    face = settings(client, headers)["consents"][1]
    assert (face["agreed"], face["agreed_at"], face["withdrawable"]) == (False, None, False)
    check = client.post("/api/v1/face-checks", json={"purpose": "login", "method": "picture"}, headers=headers)
    assert (check.status_code, check.get_json()["consent"]) == (403, "face")
    told = [row.action for row in AuditEntry.select().where(AuditEntry.subject == f"person:{person.id}")]
    assert told.count("consent.withdrawn") == 1, "that it was given and taken back stays known"


@pytest.mark.parametrize(("kind", "status", "code"), [("agreement", 409, "consent_stays"), ("x", 404, "not_found")])
def test_nothing_else_can_be_taken_back(client: FlaskClient, kind: str, status: int, code: str) -> None:
    person = a_person()
    before = Consent.select().count()
    answer = client.delete(f"/api/v1/consents/{kind}", headers=auth(person))
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert Consent.select().count() == before


@pytest.mark.parametrize(("body", "others"), [(None, 200), ({}, 200), ({"everywhere": True}, 401)])
def test_leaving_ends_this_sign_in_or_all_of_them(client: FlaskClient, body: Any, others: int) -> None:
    person, stranger = a_person(), auth(a_person())
    here, there = ({"Authorization": f"Bearer {a_session(person)}"} for _ in range(2))
    assert client.post("/api/v1/logout", json=body, headers=here).status_code == 204
    assert client.get("/api/v1/me", headers=here).status_code == 401
    assert client.get("/api/v1/me", headers=there).status_code == others
    assert client.get("/api/v1/me", headers=stranger).status_code == 200


def test_a_phones_browser_has_a_sign_in_of_its_own_length(world: World) -> None:
    person, now = a_person(), utcnow()
    account.open_session(person.id, "yunnan", "phone_web", activated=True, session_id="phone", now=now)
    assert (account.get_session("phone").expires_at - now).days == 7
