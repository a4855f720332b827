"""What goes wrong for trainees with money, as the manuals list it, and support solves: the call, the
page, the button, and the trainee's next step, over HTTP on both sides."""

from __future__ import annotations

from app.core.clock import utcnow
from app.invoice.models import Invoice, InvoiceEvent
from app.pay.models import PaymentAttempt
from tests.console.phone import Phone, call
from tests.pay.test_closing import a_late_payment
from tests.pay.till import a_sale, in_background, lose_letters, scan, show_code
from tests.world import World


def test_paid_but_the_order_shows_unpaid(world: World, phone: Phone) -> None:
    """The provider's word got lost: one press, and the trainee studies."""
    lose_letters(world)
    sale = a_sale()
    scan(world, show_code(sale))
    assert call(world, sale.person, "GET", f"/orders/{sale.order_id}")[1]["status"] == "pending"
    assert "订单待支付" in phone.asks_for(sale.order_id)
    assert "订单已支付，课程已开通" in phone.press("pay.ask", reason="paid")
    assert not phone.has("pay.ask"), "the button is gone with its reason"
    in_background()
    assert "平台流水号" in phone.page(), "the provider's evidence stands in the history"
    assert call(world, sale.person, "GET", f"/orders/{sale.order_id}")[1]["status"] == "paid"
    assert sale.granted


def test_a_press_too_many_asks_nobody_and_pays_nothing_twice(world: World, phone: Phone) -> None:
    lose_letters(world)
    sale = a_sale()
    scan(world, show_code(sale))
    phone.asks_for(sale.order_id)
    attempt = sale.attempt
    phone.press("pay.ask", reason="paid")
    assert "已经办过" in phone.send("pay.ask", target=attempt.id, reason="paid")
    assert sale.times("pay") == 1


def test_not_paid_after_all_and_the_trainee_can_pay(world: World, phone: Phone) -> None:
    lose_letters(world)
    sale = a_sale()
    show_code(sale)
    phone.asks_for(sale.order_id)
    assert "没有收到这笔款" in phone.press("pay.ask", reason="paid")
    scan(world, show_code(sale))
    phone.press("pay.ask", reason="paid")
    in_background()
    assert sale.granted


def test_no_bank_is_asked_about_a_transfer(world: World, phone: Phone) -> None:
    """The account answers from imported statements: "not there" would make the trainee pay twice."""
    sale = a_sale()
    show_code(sale)
    phone.asks_for(sale.order_id)
    assert phone.has("pay.ask")
    PaymentAttempt.update(channel="bank_transfer").where(PaymentAttempt.order_id == sale.order_id).execute()
    assert not phone.has("pay.ask")


def test_paid_after_the_thirty_minutes(world: World, phone: Phone) -> None:
    """The order is void: the money goes back by itself, the trainee orders anew."""
    lose_letters(world)
    sale = a_sale()
    a_late_payment(world, sale)
    assert sale.order.status == "closed"
    phone.asks_for(str(sale.person.phone))
    assert "款项正原路退回" in phone.press("pay.ask", reason="paid")
    assert len(sale.refunds) == 1
    body = {
        "enrolment_ids": [sale.enrolment_id],
        "payer_name": sale.person.name,
        "payer_number": sale.person.id_number,
    }
    status, order = call(world, sale.person, "POST", "/checkout", body)
    assert (status, order["status"]) == (200, "pending")
    assert order["order_id"] != sale.order_id


def test_the_invoice_will_not_download(world: World, phone: Phone) -> None:
    """Support sees how far it is, and since when."""
    sale = a_sale()
    row = Invoice.create(
        order_id=sale.order_id, person_id=sale.person.id, programme="yunnan", version="2021-02-01", authority="x",
        serial="S1", profile_id="p", kind="electronic_ordinary", status="issuing", gross_fen=20000, net_fen=19417,
        tax_fen=583, tax_rate_permille=30, goods_name="培训", goods_code="1", paid_at=utcnow(), planned_at=utcnow(),
        due_from=utcnow(), due_until=utcnow(),
    )  # fmt: skip
    InvoiceEvent.create(
        invoice_id=row.id, action="take", before="sending", after="issuing", at=utcnow(), evidence="vendor:77"
    )
    page = phone.asks_for(sale.order_id)
    assert "发票开具中" in page
    assert "vendor:77" in page
