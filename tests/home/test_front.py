"""What a front end learns before anybody has signed in, and how one that is too old is told."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.service import CONSENT_VERSIONS
from app.core.clock import utcnow
from app.policy import load, rules
from app.policy.parties import Contacts
from config.settings import SettingsError
from config.settings import load as load_settings
from tests.factories import a_person, auth
from tests.world import World


def get(client: FlaskClient, path: str, **headers: str) -> Any:
    return client.get(f"/api/v1{path}", headers=headers)


def test_each_programme_in_force_tells_every_number_of_its_file_once(client: FlaskClient) -> None:
    told = {entry["key"]: entry for entry in get(client, "/programmes").get_json()["items"]}
    in_force = load.all_in_force(utcnow())
    assert set(told) == {programme.key for programme in in_force}
    for programme in in_force:
        named = rules.contacts(programme)
        shown = [contact for contact in told[programme.key]["contacts"] if not contact["kinds"]]
        assert {contact["phone"] for contact in shown} == {
            getattr(named, name) for name in Contacts.__struct_fields__
        }
        assert len(shown) == len({contact["phone"] for contact in shown})
        assert sum(len(contact["topics"]) for contact in shown) == len(Contacts.__struct_fields__)


def test_what_is_dialled_has_no_extension(client: FlaskClient) -> None:
    (yunnan,) = (entry for entry in get(client, "/programmes").get_json()["items"] if entry["key"] == "yunnan")
    numbers = {contact["phone"]: contact["dial"] for contact in yunnan["contacts"]}
    assert numbers["0871-68503755-6"] == numbers["0871-68503755 转 5"] == "087168503755"
    assert numbers["0871-63122229"] == "087163122229"


def test_a_first_password_is_told_where_all_have_the_same_and_opens_nothing(client: FlaskClient) -> None:
    (yunnan,) = (entry for entry in get(client, "/programmes").get_json()["items"] if entry["key"] == "yunnan")
    assert yunnan["first_password"] == "12345678"
    assert yunnan["activation_methods"] == ["sms", "face"]


@pytest.mark.parametrize("path", ["/client", "/programmes", "/texts/privacy"])
def test_a_phone_that_has_it_already_gets_no_body(client: FlaskClient, path: str) -> None:
    first = get(client, path)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    again = get(client, path, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("name", "version"), [("agreement", "agreement"), ("privacy", "agreement"), ("face", "face")]
)
def test_a_text_is_told_in_the_version_that_is_agreed_to(client: FlaskClient, name: str, version: str) -> None:
    text = get(client, f"/texts/{name}").get_json()
    assert text["version"] == CONSENT_VERSIONS[version] == get(client, "/client").get_json()["texts"][name]
    words = "".join(word for section in text["sections"] for word in section["paragraphs"])
    assert len(words) > 100
    page = client.get("/texts").text
    assert all(word in page for section in text["sections"] for word in section["paragraphs"])


def test_a_text_that_does_not_exist_is_not_found(client: FlaskClient) -> None:
    assert get(client, "/texts/nothing").status_code == 404


def test_the_download_page_has_a_code_with_the_address(client: FlaskClient, world: World) -> None:
    told = get(client, "/client").get_json()
    assert told["web_url"] == f"{world.settings.public_url}/"
    assert told["web_qr"].startswith("data:image/svg+xml")
    assert (told["android_url"], told["ios_url"]) == (None, None)


@pytest.fixture
def needs_two(world: World) -> Any:
    """Front ends below 2.0.0 do not work any more."""
    before = world.app.config["SETTINGS"]
    world.app.config["SETTINGS"] = dataclasses.replace(before, client_version="2.1.0", client_minimum="2.0.0")
    yield
    world.app.config["SETTINGS"] = before


def codes(client: FlaskClient, version: str | None) -> dict[str, str | None]:
    """What each place answers a front end of this version."""
    headers = auth(a_person()) | ({"X-Client-Version": version} if version else {})
    login = {"programme": "yunnan", "id_number": "x", "password": "x", "channel": "web"}
    answers = {
        "home": client.get("/api/v1/home", headers=headers),
        "login": client.post("/api/v1/login", headers=headers, json=login),
        "wechat": client.post("/api/v1/wechat/login", headers=headers, json={}),
        "heartbeat": client.post("/api/v1/heartbeat", headers=headers, json={"ticket": "x"}),
        "answer": client.put("/api/v1/attempts/x/answers/1", headers=headers, json={"choice": "A", "version": 0}),
        "hand-in": client.post("/api/v1/attempts/x/hand-in", headers=headers, json={}),
        "check": client.post("/api/v1/orders/x/check", headers=headers),
        "client": client.get("/api/v1/client", headers=headers),
    }
    return {name: answer.get_json().get("code") for name, answer in answers.items()}


def test_an_old_front_end_is_told_at_the_entrance_and_loses_nothing_inside(
    client: FlaskClient, needs_two: None
) -> None:
    old = codes(client, "1.99.0")
    assert {name for name, code in old.items() if code == "client_too_old"} == {"home", "login", "wechat"}
    assert old["client"] is None


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0", "10.0.0", None, "nonsense", "1.9", "9" * 50])
def test_a_front_end_that_is_new_enough_or_tells_nothing_is_let_in(
    client: FlaskClient, needs_two: None, version: str | None
) -> None:
    assert "client_too_old" not in codes(client, version).values()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLIENT_VERSION", "1.2"),
        ("CLIENT_MINIMUM", "v1.2.0"),
        ("CLIENT_MINIMUM", "99.0.0"),
        ("ANDROID_URL", "http://example.com/app.apk"),
        ("IOS_URL", "app"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_names_itself(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(name)):
        load_settings({name: value})
