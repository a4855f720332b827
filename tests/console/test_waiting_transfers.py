"""Somebody asks about the money of an order that waits for a bank transfer: each screen says so, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay import decisions, service
from app.pay.channels import Device
from app.pay.models import PaymentAttempt
from app.policy.days import shanghai_day
from tests.console.conftest import SUPPORT
from tests.console.phone import Phone, call
from tests.pay.till import Sale, a_sale, lose_letters, show_code
from tests.pay.transfers.bank import transfers_allowed
from tests.staffroom import a_member, at_desk
from tests.world import World


@pytest.fixture
def sale(world: World, tmp_path: Path) -> Iterator[Sale]:
    """A trainee who has shown a code of WeChat's, and then chose a transfer."""
    with transfers_allowed(tmp_path, world.settings):
        lose_letters(world)
        made = a_sale()
        show_code(made)
        service.start_payment(
            made.person.id, made.order_id, "bank_transfer", Device(), payer_name="某公司", now=utcnow()
        )
        yield made


def until(sale: Sale) -> str:
    last = shanghai_day(sale.order.expires_at)
    return f"{last.month} 月 {last.day} 日"


def test_support_reads_that_it_waits_for_a_transfer_and_until_when(world: World, sale: Sale) -> None:
    phone = Phone(at_desk(world, a_member(SUPPORT)))
    phone.asks_for(sale.order_id)
    page = phone.press("pay.ask", reason="paid")
    assert f"订单在等对公转账，{until(sale)}前到账有效" in page
    assert "请学员不要用其他方式再付" in page
    assert "学员可以重新支付" not in page


def test_the_trainee_reads_it_too(world: World, sale: Sale) -> None:
    _, order = call(world, sale.person, "POST", f"/orders/{sale.order_id}/check")
    assert (order["status"], order["status_text"]) == ("pending", "等您转账")
    assert f"请在 {until(sale)}前转账到账" in order["sentence"]
    assert order["transfer"]["last_day"] == str(shanghai_day(sale.order.expires_at))


def test_nobody_is_asked_about_the_transfer_itself(world: World, sale: Sale) -> None:
    attempt = PaymentAttempt.get(PaymentAttempt.order_id == sale.order_id, PaymentAttempt.channel == "bank_transfer")
    with pytest.raises(Problem) as problem:
        decisions.ask_again(attempt.id, reason="x", actor="staff:1", now=utcnow())
    assert problem.value.code == "transfer_waits"
    assert until(sale) in (problem.value.detail or "")
