"""Invoices by e-mail: to the mailbox that the payer names, once, whatever happens on the line."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
import requests

from app.core import db
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.crypto import mask_email
from app.core.errors import Problem
from app.invoice import mailing, providers, service
from app.invoice.models import Invoice, Mail
from app.invoice.status import MailStatus, Status
from config.settings import SettingsError, load
from tests.factories import a_person, auth
from tests.invoice.desk import work
from tests.pay.till import Sale, in_parallel
from tests.world import World

MAILBOX = "wang.fang@example.com"


@pytest.fixture
def row(world: World, sale: Sale) -> Invoice:
    """An invoice that is ready."""
    found = work(sale)
    assert found.status == Status.READY
    return found


def arrived(world: World, row: Invoice) -> list[dict[str, Any]]:
    """What the mail server got about this invoice."""
    kept = requests.get(f"{world.sandbox.url}/_control/mail", timeout=10).json()
    return [one for one in kept if str(row.number) in one["subject"]]


def no(world: World, kind: str, value: Any = None, times: int | None = 1) -> None:
    """Something goes wrong at the mail server."""
    world.sandbox.box.knobs.add("mail", "message", kind, value, times)


def ask(row: Invoice, email: str = MAILBOX) -> Mail:
    """The payer presses the button."""
    return mailing.ask(row, email, actor="person:1", now=utcnow())


def state(mail: Mail) -> str:
    """How the message stands."""
    return str(Mail.get_by_id(mail.id).status)


def test_the_invoice_comes_with_its_pdf_and_a_few_words(world: World, row: Invoice) -> None:
    mail = ask(row)
    mailing.work(now=utcnow())
    (letter,) = arrived(world, row)
    assert (letter["to"], state(mail)) == (MAILBOX, MailStatus.SENT)
    assert ("200.00" in letter["text"], "不要回复" in letter["text"]) == (True, True)
    (file,) = letter["files"]
    pdf = hashlib.sha256(service.file_of(row)).hexdigest()
    assert (file["name"], file["type"], file["sha256"]) == (f"{row.number}.pdf", "application/pdf", pdf)


def test_asked_again_within_ten_minutes_it_is_the_same_message(world: World, row: Invoice) -> None:
    first = ask(row)
    assert ask(row).id == first.id
    mailing.work(now=utcnow())
    assert ask(row).id == first.id
    mailing.work(now=utcnow())
    assert len(arrived(world, row)) == 1
    assert ask(row, "other@example.com").id != first.id


@pytest.mark.parametrize("kind", ["reset_after"])
def test_one_whose_answer_was_lost_is_unknown_and_never_sent_again_by_itself(
    world: World, row: Invoice, kind: str
) -> None:
    no(world, kind)
    mail = ask(row)
    for minutes in (0, 5, 60, 6000):
        mailing.work(now=utcnow() + timedelta(minutes=minutes))
    assert (state(mail), len(arrived(world, row))) == (MailStatus.UNKNOWN, 1)
    shown = mailing.shown(row)
    assert shown is not None
    assert (shown.state, "先查看邮箱" in shown.sentence, MAILBOX in shown.sentence) == ("unknown", True, False)
    assert ask(row).id != mail.id  # a person may


def test_one_that_the_server_did_not_take_is_sent_later(world: World, row: Invoice) -> None:
    no(world, "error", 451)
    no(world, "reset")
    mail = ask(row)
    for minutes in (0, 1, 3):
        mailing.work(now=utcnow() + timedelta(minutes=minutes))
    assert (state(mail), len(arrived(world, row))) == (MailStatus.SENT, 1)


def test_a_mailbox_that_is_refused_is_said_so(world: World, row: Invoice) -> None:
    no(world, "error", 550)
    mail = ask(row)
    mailing.work(now=utcnow())
    shown = mailing.shown(row)
    assert shown is not None
    assert (state(mail), shown.state, arrived(world, row)) == (MailStatus.FAILED, "failed", [])


def test_a_mailbox_that_no_mail_server_can_be_told_is_refused_and_not_unknown(world: World, row: Invoice) -> None:
    mail = ask(row, "张三@example.com")
    mailing.work(now=utcnow())
    assert (state(mail), arrived(world, row)) == (MailStatus.FAILED, [])


def test_the_form_takes_no_such_mailbox(world: World, sale: Sale, row: Invoice) -> None:
    asked = {"json": {"email": "张三@example.com"}, "headers": auth(sale.person)}
    answer = world.app.test_client().post(f"/api/v1/invoices/{row.id}/mail", **asked)
    assert (answer.status_code, Mail.select().count()) == (422, 0)


def test_a_worker_that_dies_while_sending_leaves_it_unknown(world: World, row: Invoice) -> None:
    mail = ask(row)
    Mail.update(status=MailStatus.SENDING).where(Mail.id == mail.id).execute()
    mailing.work(now=utcnow() + timedelta(minutes=5))
    assert (state(mail), arrived(world, row)) == (MailStatus.UNKNOWN, [])


def test_workers_at_one_moment_send_it_once(world: World, row: Invoice) -> None:
    mail, now = ask(row), utcnow()

    def one(_: int) -> None:
        with db.connection():
            mailing.send(mail.id, now=now)

    in_parallel(6, one)
    assert len(arrived(world, row)) == 1


def test_the_twin_without_compare_and_set_sends_it_more_than_once(
    world: World, row: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail, now = ask(row), utcnow()
    monkeypatch.setattr(mailing, "_move", lambda *_, **__: True)

    def one(_: int) -> None:
        with db.connection():
            mailing.send(mail.id, now=now)

    in_parallel(4, one)
    assert len(arrived(world, row)) > 1


def test_five_a_day_and_no_more(world: World, row: Invoice) -> None:
    for number in range(mailing.A_DAY):
        ask(row, f"box{number}@example.com")
    with pytest.raises(Problem, match="invoice_mail_often"):
        ask(row, "one-more@example.com")


def test_one_that_was_taken_back_meanwhile_is_not_sent(world: World, row: Invoice) -> None:
    mail = ask(row)
    Invoice.update(status=Status.REVERSED).where(Invoice.id == row.id).execute()
    mailing.work(now=utcnow())
    assert (state(mail), arrived(world, row)) == (MailStatus.FAILED, [])


def test_without_a_mail_server_it_is_said_at_once(world: World, row: Invoice, monkeypatch: Any) -> None:
    monkeypatch.setattr(providers, "_postbox", [])
    with pytest.raises(Problem, match="invoice_no_mail"):
        ask(row)


def test_the_mailbox_is_sealed_masked_and_not_in_the_audit_log(world: World, row: Invoice) -> None:
    mail = ask(row)
    assert MAILBOX not in Mail.get_by_id(mail.id).email_sealed
    (line,) = AuditEntry.select().where(AuditEntry.action == "invoice.mailed")
    assert (MAILBOX in line.data, mask_email(MAILBOX) == "w***@example.com") == (False, True)


def test_over_the_api_the_owner_sends_it_and_nobody_else(world: World, sale: Sale, row: Invoice) -> None:
    client, path = world.app.test_client(), f"/api/v1/invoices/{row.id}/mail"
    told = client.post(path, json={"email": MAILBOX}, headers=auth(sale.person)).get_json()
    assert (told["mail"]["state"], told["mail"]["email"], told["mailable"]) == (
        "on_its_way",
        "w***@example.com",
        True,
    )
    assert client.post(path, json={"email": MAILBOX}, headers=auth(a_person())).status_code == 404
    for wrong in ("", "x", "a b@example.com", "a@b", "a@example.com\r\nBcc: b@example.com"):
        assert client.post(path, json={"email": wrong}, headers=auth(sale.person)).status_code == 422


@pytest.mark.parametrize(
    ("url", "sender", "says"),
    [
        ("http://mail.example.com", "a@example.com", "SMTP_URL"),
        ("smtps://user:secret@mail.example.com", "a@example.com", "smtp.password"),
        ("smtps://mail.example.com", None, "MAIL_FROM"),
        ("smtps://mail.example.com", "nobody", "MAIL_FROM"),
    ],
)
def test_a_wrong_setting_names_itself(url: str, sender: str | None, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load({"SMTP_URL": url} | ({"MAIL_FROM": sender} if sender else {}))


def test_the_settings_say_how_the_line_is_kept_secret() -> None:
    told = load({"SMTP_URL": "smtps://invoice%40example.com@mail.example.com", "MAIL_FROM": "a@example.com"}).smtp
    assert told is not None
    assert (told.port, told.tls, told.user) == (465, "implicit", "invoice@example.com")
    told = load({"SMTP_URL": "smtp://mail.example.com", "MAIL_FROM": "a@example.com"}).smtp
    assert told is not None
    assert (told.port, told.tls, told.user) == (587, "starttls", None)
