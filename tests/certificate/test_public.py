"""The owner's routes and the public check."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pypdfium2
import pytest
from flask.testing import FlaskClient

from app.certificate import service
from app.core.clock import utcnow
from app.policy.days import shanghai_day
from tests.certificate.offices import Graduate, a_graduate, a_photo
from tests.factories import a_person, an_enrolment, auth


@pytest.fixture
def graduate(client: FlaskClient) -> Graduate:
    return a_graduate()


def proof_of(client: FlaskClient, graduate: Graduate) -> dict[str, Any]:
    answer = client.get(f"/api/v1/enrolments/{graduate.enrolment.id}/proof", headers=auth(graduate.person))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json or {}
    return found


def test_the_owner_downloads_the_paper(client: FlaskClient, graduate: Graduate) -> None:
    found = proof_of(client, graduate)
    assert (found["status"], found["number"], found["next_step"]) == ("valid", graduate.proof.number, None)
    answer = client.get(found["pdf_url"])  # a browser's link carries no session
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    text = pypdfium2.PdfDocument(answer.data)[0].get_textpage().get_text_range()
    assert graduate.person.id_number in text
    assert found["verify_url"] in text


def test_a_revoked_proof_says_so_to_its_owner_and_on_paper(client: FlaskClient, graduate: Graduate) -> None:
    before = client.get(proof_of(client, graduate)["pdf_url"]).data
    day = utcnow()
    service.revoke(graduate.proof.id, "查实代考", actor="staff:1", now=day)
    found = proof_of(client, graduate)
    assert (found["status"], found["revoked_on"]) == ("revoked", str(shanghai_day(day)))
    assert "撤销" in found["next_step"]
    after = client.get(found["pdf_url"]).data
    assert after != before
    assert "已撤销" in pypdfium2.PdfDocument(after)[0].get_textpage().get_text_range()


def test_the_link_is_for_one_proof_and_some_minutes(client: FlaskClient, graduate: Graduate) -> None:
    link = proof_of(client, graduate)["pdf_url"]
    other = a_graduate().proof
    for wrong in (
        link.replace(graduate.proof.id, other.id),
        link[:-2],
        link.split("?")[0],
        service.pdf_link(graduate.proof, now=utcnow() - timedelta(minutes=11)),
    ):
        answer = client.get(wrong)
        assert (answer.status_code, (answer.json or {})["code"]) == (403, "proof_link_over")


def test_another_persons_proof_is_not_found(client: FlaskClient, graduate: Graduate) -> None:
    url = f"/api/v1/enrolments/{graduate.enrolment.id}/proof"
    assert client.get(url, headers=auth(a_person())).status_code == 404
    assert client.get(url).status_code == 401


def test_a_proof_not_earned_yet_says_what_to_do(client: FlaskClient) -> None:
    person = a_person()
    answer = client.get(f"/api/v1/enrolments/{an_enrolment(person).id}/proof", headers=auth(person))
    assert (answer.status_code, (answer.json or {})["code"]) == (409, "proof_not_earned")


def test_a_proof_that_waits_names_the_photo_and_is_issued_on_the_next_look(client: FlaskClient) -> None:
    graduate = a_graduate(photo=False)
    found = proof_of(client, graduate)
    assert (found["status"], found["number"], found["pdf_url"]) == ("pending_photo", None, None)
    assert "上传照片" in found["next_step"]
    answer = client.get(service.pdf_link(graduate.proof, now=utcnow()))
    assert (answer.json or {})["code"] == "proof_needs_photo"
    a_photo(graduate.person, now=graduate.now)
    assert proof_of(client, graduate)["status"] == "valid"


class Outside(HTMLParser):
    """Collects what a page loads, and what it must not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href"):
                self.loads.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(name)
        if tag in ("script", "style"):
            self.inline.append(tag)


def test_anyone_may_check_and_sees_the_least(client: FlaskClient, graduate: Graduate) -> None:
    page = client.get(f"/verify/{graduate.proof.token}")
    html = page.get_data(as_text=True)
    assert page.status_code == 200
    for words in ("证明有效", "张**", "塔机司机", graduate.proof.number, "云南省建设注册考试中心"):
        assert words in html
    for secret in (
        "张建国",
        graduate.person.id_number,
        graduate.person.phone,
        graduate.person.id,
        graduate.enrolment.id,
    ):
        assert secret not in html
    found = Outside()
    found.feed(html)
    assert (found.loads, found.inline) == (["data:,", "/verify/style.css"], [])  # no icon: nothing to fetch
    style = client.get("/verify/style.css")
    assert (style.status_code, style.mimetype) == (200, "text/css")
    assert not re.search(r"url\(|@import", style.get_data(as_text=True))
    json = client.get(f"/api/v1/verify/{graduate.proof.token}").json
    assert json is not None
    assert (json["valid"], json["name"], json["number"]) == (True, "张**", graduate.proof.number)
    assert set(json) == {
        "valid", "status", "title", "name", "kind", "number", "issued_on", "revoked_on", "programme", "authority",
    }  # fmt: skip


def test_a_revoked_proof_says_so(client: FlaskClient, graduate: Graduate) -> None:
    service.revoke(graduate.proof.id, "查实代考", actor="staff:1", now=graduate.now)
    html = client.get(f"/verify/{graduate.proof.token}").get_data(as_text=True)
    assert "证明已撤销" in html
    assert "证明有效" not in html
    assert "查实代考" not in html
    assert (client.get(f"/api/v1/verify/{graduate.proof.token}").json or {})["valid"] is False


@pytest.mark.parametrize(
    "token", ["0" * 26, "x", "%01", "a" * 3000, "'; drop table proof; --", "<svg onload=alert(1)>"]
)
def test_an_unknown_code_is_told_clearly(client: FlaskClient, graduate: Graduate, token: str) -> None:
    page = client.get(f"/verify/{token}")
    assert page.status_code == 404
    assert "没有查到这份证明" in page.get_data(as_text=True)
    assert "<svg" not in page.get_data(as_text=True)
    answer = client.get(f"/api/v1/verify/{token}")
    assert (answer.status_code, (answer.json or {})["code"]) == (404, "no_such_proof")


def test_a_hostile_name_is_inert(client: FlaskClient) -> None:
    proof = a_graduate(name="<b>").proof
    html = client.get(f"/verify/{proof.token}").get_data(as_text=True)
    assert "&lt;**" in html
    assert "default-src 'none'" in client.get(f"/verify/{proof.token}").headers["Content-Security-Policy"]
