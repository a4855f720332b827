"""Whose answers of UnionPay's are believed: the certificate that comes with each, and what it signed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta

import pytest
import requests
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from app.core import outgoing
from app.core.clock import utcnow
from app.pay.providers import unionpay_wire
from app.pay.providers.protocol import Form, NoBill, Refused, Unknown
from app.pay.providers.unionpay import UnionPayProvider
from app.pay.providers.unionpay_wire import NotSigned, Signer, Trust
from config.settings import Secrets, Settings
from sandbox import certificates, keys
from sandbox.keys import Acquired
from sandbox.unionpay_wire import answer
from tests.pay import unionpay_side
from tests.pay.till import (
    trouble,
)
from tests.pay.unionpay_side import a_number, a_paid_one, a_provider, a_refund_of, a_request
from tests.world import World


@pytest.fixture
def provider(world: World) -> UnionPayProvider:
    return a_provider(world)


@pytest.fixture
def merchant(world: World) -> Acquired:
    (one,) = world.sandbox.box.acquired.values()
    return one


def test_the_digest_is_of_the_sorted_fields_and_what_is_signed_is_its_hexadecimal_text() -> None:
    fields = {"b": "2", "A": "乙", "a": "", "signature": "x"}
    assert unionpay_wire.content(fields) == unionpay_wire.content({**fields, "signature": "y"})
    assert re.fullmatch(rb"[0-9a-f]{64}", unionpay_wire.content(fields))
    assert unionpay_wire.content(fields) == hashlib.sha256("A=乙&a=&b=2".encode()).hexdigest().encode()


def _bill(provider: UnionPayProvider) -> None:
    with suppress(NoBill):  # which is an answer
        provider.bill(date(2026, 2, 28))


@pytest.mark.parametrize(
    "kind", ["sha1", "forged", "unsigned", "expired", "early", "other_owner", "other_issuer", "weak_issuer"]
)
@pytest.mark.parametrize("operation", ["query", "refund", "query_refund", "file"])
def test_an_answer_is_believed_only_with_unionpays_own_certificate_of_this_moment(
    world: World, provider: UnionPayProvider, kind: str, operation: str
) -> None:
    request = a_paid_one(world, provider)
    refund = a_refund_of(provider, request)
    acts: dict[str, Callable[[], object]] = {
        "query": lambda: provider.query(request.out_trade_no),
        "refund": lambda: provider.refund(refund),
        "query_refund": lambda: provider.query_refund(refund.out_refund_no, request.out_trade_no),
        "file": lambda: _bill(provider),
    }
    trouble(world, operation, kind, provider="unionpay")
    with pytest.raises(Unknown, match="not an answer of UnionPay's"):
        acts[operation]()
    acts[operation]()


def test_any_changed_byte_of_an_answer_is_noticed(provider: UnionPayProvider, merchant: Acquired) -> None:
    good = answer(merchant, {"respCode": "00", "respMsg": "成功[0000000]", "reserved": "{a=1&b=2}"}, {}).encode()
    fields = unionpay_wire.parsed(good)
    assert (fields["respMsg"], fields["reserved"]) == ("成功[0000000]", "{a=1&b=2}")
    assert provider._trust.verified(fields, utcnow())
    for place in range(0, len(good), 7):
        changed = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises((NotSigned, ValueError)):
            provider._trust.verified(unionpay_wire.parsed(changed), utcnow())


@pytest.mark.parametrize("text", [b"=1", b"a", b"a=1&&b=2", b"a=1&a=2", b"<html>", b"\xff=1", b"a=1\nb"])
def test_what_is_no_answer_is_not_read_as_one(text: bytes) -> None:
    if text == b"a=1\nb":
        assert unionpay_wire.parsed(text) == {"a": "1\nb"}  # a certificate has lines
        return
    with pytest.raises(ValueError):  # noqa: PT011 of any kind
        unionpay_wire.parsed(text)


def test_a_certificate_that_was_believed_is_not_believed_for_ever(
    provider: UnionPayProvider, merchant: Acquired
) -> None:
    assert provider._trust.key_of(merchant.certificate, utcnow())
    for moment in (utcnow() + timedelta(days=4000), utcnow() - timedelta(days=2)):
        with pytest.raises(NotSigned, match="not valid now"):
            provider._trust.key_of(merchant.certificate, moment)


def test_a_root_or_middle_that_does_not_fit_ends_the_start(world: World, merchant: Acquired) -> None:
    root, middle = (keys.secret(world.data_dir, f"yunnan.unionpay.{name}_certificate") for name in ("root", "middle"))
    stranger = certificates.authority("SANDBOX CS CA", merchant.foreign_key)
    for pair in ((stranger, middle), (root, root.replace("A", "B", 1)), (root, merchant.certificate)):
        with pytest.raises((NotSigned, ValueError)):
            Trust(*pair)
    issuer = (root, keys._load_private((world.data_dir / "sandbox/yunnan.unionpay.root_private_key").read_text()))
    with pytest.raises(NotSigned, match="authority"):  # issued by the root, and may issue nothing itself
        Trust(root, certificates.platform(merchant.platform_key, issuer))


def test_the_certificates_number_is_sent_in_decimal(world: World, provider: UnionPayProvider) -> None:
    password = keys.secret(world.data_dir, "yunnan.unionpay.sign_pfx_password")
    data = base64.b64decode(keys.secret(world.data_dir, "yunnan.unionpay.sign_pfx"))
    _, certificate, _ = load_key_and_certificates(data, password.encode())
    assert certificate is not None
    form = provider.create(a_request())
    assert isinstance(form, Form)
    assert form.fields["certId"] == str(certificate.serial_number)


def test_a_certificate_that_unionpay_does_not_know_is_refused_and_nothing_is_concluded(
    world: World, provider: UnionPayProvider, merchant: Acquired
) -> None:
    request = a_paid_one(world, provider)
    refund = a_refund_of(provider, request)
    issuer = (certificates.authority("ELSEWHERE", merchant.foreign_key), merchant.foreign_key)
    provider._signer = Signer(certificates.pfx(merchant.foreign_key, issuer, "123456"), "123456")
    with pytest.raises(Unknown, match="respCode 11"):
        provider.query(request.out_trade_no)
    with pytest.raises(Refused, match="11"):
        provider.refund(refund)
    form = provider.create(a_request())
    assert isinstance(form, Form)
    assert "11" in requests.post(form.url, data=form.fields, timeout=5).text
    assert unionpay_side.refunds(world, request.out_trade_no) == []


def test_a_pfx_without_its_password_is_noticed_at_the_start(world: World, settings: Settings) -> None:
    names = ("mer_id", "sign_pfx", "root_certificate", "middle_certificate")
    known = {f"X_{name.upper()}": keys.secret(world.data_dir, f"yunnan.unionpay.{name}") for name in names}
    secrets = Secrets(None, known | {"X_SIGN_PFX_PASSWORD": "wrong"})
    with pytest.raises(ValueError, match="password"):
        UnionPayProvider("x", secrets, "http://127.0.0.1:9", "http://127.0.0.1:9/", "")


def test_every_call_is_out_within_our_time(
    world: World, provider: UnionPayProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT", (0.3, 0.3))
    trouble(world, "query", "hang", 5, provider="unionpay")
    began = utcnow()
    with pytest.raises(Unknown):
        provider.query(a_number())
    assert (utcnow() - began).total_seconds() < 2
