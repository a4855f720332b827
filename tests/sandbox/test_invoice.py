"""The sandbox's invoicing against the provider file that the product uses, and against whoever has no key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest
import requests

from app.invoice import tax
from app.invoice.providers.nuonuo import PATH, Account, Nuonuo, sign
from app.invoice.providers.protocol import Buyer, Line, Refused, Request, Unavailable, Unknown
from sandbox import server

PERSON = Buyer("买买提·吾守尔", True, None, None, None, None, None)


@pytest.fixture
def account(secret: Callable[[str], str]) -> Account:
    names = ("app_key", "app_secret", "access_token", "tax_number", "address", "phone", "clerk")
    return Account(**{name: secret(f"invoice.{name}") for name in names})


@pytest.fixture
def vendor(account: Account, sandbox: server.Running, monkeypatch: pytest.MonkeyPatch) -> Nuonuo:
    monkeypatch.setattr(sandbox.box, "invoice_seconds", 0.0)
    return Nuonuo(account, sandbox.url)


_numbers = iter(range(10**6))


def a_request(**changes: Any) -> Request:
    lines = [Line("培训费", "3070201020000000000", 30, tax.split(20000, 30))]
    made = Request(f"FTEST{next(_numbers):06d}", datetime(2026, 3, 1, 2, tzinfo=UTC), PERSON, lines, "订单 1")
    return replace(made, **changes)


def test_the_signature_is_the_one_of_the_vendors_own_example() -> None:
    """The vector of the official Python example, as published with an independent SDK (docs/providers.md)."""
    account = Account("app", "secret", "", "", "", "", "")
    signed = sign(account, "a" * 32, "12345678", "1700000000", '{"name":"中文"}')
    assert signed == "4BzcKzrcoqxPis0W/W3X2ae0uIo="


def test_an_invoice_is_issued_and_its_pdf_says_what_was_asked_for(vendor: Nuonuo) -> None:
    request = a_request()
    assert vendor.issue(request).state == "processing"
    answer = vendor.query(request.serial)
    assert (answer.state, answer.gross_fen, answer.tax_fen) == ("issued", 20000, 583)
    assert len(answer.number or "") == 20
    text = pypdfium2.PdfDocument(vendor.download(answer.pdf_url or ""))[0].get_textpage().get_text_range()
    for part in (answer.number or "", "买买提·吾守尔", "200.00", "订单 1"):
        assert part in text


def test_issuing_goes_on_after_the_answer(vendor: Nuonuo, sandbox: server.Running) -> None:
    sandbox.box.invoice_seconds = 60.0
    request = a_request()
    vendor.issue(request)
    assert vendor.query(request.serial).state == "processing"
    sandbox.box.clock.offset = 61.0
    assert vendor.query(request.serial).state == "issued"


def test_the_same_number_again_is_the_same_invoice(vendor: Nuonuo) -> None:
    request = a_request()
    vendor.issue(request)
    first = vendor.query(request.serial)
    assert vendor.issue(request) == first == vendor.query(request.serial)


def test_a_number_that_the_vendor_does_not_have_is_absent(vendor: Nuonuo) -> None:
    assert vendor.query("FNOTHERE").state == "absent"


def test_a_failed_one_says_why_and_may_be_tried_again(vendor: Nuonuo, sandbox: server.Running) -> None:
    sandbox.box.knobs.add("invoice", "issue", "fails", "购方税号有误")
    request = a_request()
    vendor.issue(request)
    answer = vendor.query(request.serial)
    assert (answer.state, answer.reason, answer.number) == ("failed", "购方税号有误", None)
    assert vendor.issue(request).state == "processing"
    assert vendor.query(request.serial).state == "issued"


@pytest.mark.parametrize(
    "changes",
    [
        {"buyer": replace(PERSON, title="")},
        {"buyer": replace(PERSON, title="x" * 101)},
        {"serial": "F" * 21},
        {"lines": []},
        {"lines": [Line("培训费", "1", 30, tax.split(20000, 30))]},
        {"lines": [Line("培训费", "3070201020000000000", 30, tax.Split(20000, 19000, 999))]},
        {"lines": [Line("培训费", "3070201020000000000", 30, tax.Split(20000, 19000, 1000))]},
    ],
)
def test_what_does_not_add_up_or_is_missing_is_refused(vendor: Nuonuo, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        vendor.issue(a_request(**changes))
    assert refused.value.code == "E9105"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"app_key": "1"}, "070101"),
        ({"app_secret": "x"}, "070601"),
        ({"access_token": "x"}, "070304"),
        ({"tax_number": "x"}, "070305"),
    ],
)
def test_whoever_has_not_all_keys_gets_nothing(
    account: Account, sandbox: server.Running, wrong: dict[str, str], code: str
) -> None:
    stranger = Nuonuo(replace(account, **wrong), sandbox.url)
    for call in (lambda: stranger.issue(a_request()), lambda: stranger.query("FTEST000000")):
        with pytest.raises(Unavailable) as refused:
            call()
        assert refused.value.code == code


def test_a_changed_byte_or_an_old_time_breaks_the_signature(account: Account, sandbox: server.Running) -> None:
    content, senid, nonce = '{"orderNos":["F1"]}', "b" * 32, "12345678"
    for stamp, body, code in (("1700000000", content, "070303"), (None, content + " ", "070601")):
        timestamp = stamp or str(int(datetime.now(UTC).timestamp()))
        answer = requests.post(
            sandbox.url + PATH,
            params={"senid": senid, "nonce": nonce, "timestamp": timestamp, "appkey": account.app_key},
            data=body.encode(),
            headers={
                "X-Nuonuo-Sign": sign(account, senid, nonce, timestamp, content),
                "accessToken": account.access_token,
                "userTax": account.tax_number,
                "method": "nuonuo.OpeMplatform.queryInvoiceResult",
            },
            timeout=5,
        )
        assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("kind", "value"), [("error", 500), ("garbage", None), ("reset", None), ("reset_after", None)]
)
def test_no_answer_is_neither_yes_nor_no(
    vendor: Nuonuo, sandbox: server.Running, kind: str, value: int | None
) -> None:
    for operation, call in (("issue", lambda: vendor.issue(a_request())), ("query", lambda: vendor.query("F1"))):
        sandbox.box.knobs.add("invoice", operation, kind, value, times=2)  # a broken line is tried once more
        with pytest.raises(Unknown):
            call()
        sandbox.box.knobs.clear()


def test_only_a_question_is_put_twice_on_a_line_that_breaks(vendor: Nuonuo, sandbox: server.Running) -> None:
    for operation in ("issue", "query"):
        sandbox.box.knobs.add("invoice", operation, "reset")
    with pytest.raises(Unknown):
        vendor.issue(a_request())
    assert vendor.query("F1").state == "absent"
    assert sandbox.box.journal.count("invoice", "issue") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"status": "99"},
        {"orderNo": "other"},
        {"taxAmount": "five"},
        {"invoiceTime": "soon"},
        {"exTaxAmount": "0.001"},
    ],
)
def test_an_answer_that_does_not_fit_is_none(vendor: Nuonuo, sandbox: server.Running, change: dict[str, str]) -> None:
    request = a_request()
    vendor.issue(request)
    sandbox.box.knobs.add("invoice", "query", "alter", change)
    with pytest.raises(Unknown):
        vendor.query(request.serial)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://inv.jss.com.cn/fp/x.pdf", True),
        ("https://sdk.nuonuo.com/x.pdf", True),
        ("http://inv.jss.com.cn/fp/x.pdf", False),
        ("https://jss.com.cn.evil.example/x.pdf", False),
        ("https://evilnuonuo.com/x.pdf", False),
        ("https://user@127.0.0.1/x.pdf", False),
        ("https://inv.jss.com.cn:8443/x.pdf", False),
        ("", False),
    ],
)
def test_live_files_come_from_the_vendors_hosts_only(account: Account, url: str, taken: bool) -> None:
    assert Nuonuo(account)._ours(url) is taken


def test_a_file_that_is_no_pdf_is_not_taken(vendor: Nuonuo, sandbox: server.Running) -> None:
    request = a_request()
    vendor.issue(request)
    url = vendor.query(request.serial).pdf_url or ""
    sandbox.box.knobs.add("invoice", "pdf", "garbage")
    with pytest.raises(Unknown, match="no PDF"):
        vendor.download(url)
    with pytest.raises(Unknown, match="status 404"):
        vendor.download(f"{sandbox.url}/fp/nothing.pdf")
