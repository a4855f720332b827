"""The path of one payment, over the real SDK and real HTTP."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from app.account.models import Person
from app.core import inbox
from app.core.clock import utcnow
from app.pay.audit import audit_payments
from app.pay.models import Order
from tests.factories import auth
from tests.pay.conftest import an_order
from tests.world import World


def test_an_order_is_paid_by_scanning_its_code(
    world: World, client: FlaskClient, person: Person, pay: Callable[[str], dict[str, object]]
) -> None:
    order = an_order(person)
    headers = auth(person)
    answer = client.post(f"/api/v1/orders/{order.id}/payments", json={"channel": "wechat_native"}, headers=headers)
    assert answer.status_code == 200, answer.text
    again = client.post(f"/api/v1/orders/{order.id}/payments", json={"channel": "wechat_native"}, headers=headers)
    assert again.json["code_url"] == answer.json["code_url"]
    pay(answer.json["code_url"])
    world.sandbox.postman.wait_idle() if hasattr(world.sandbox.postman, "wait_idle") else None
    client.post(f"/api/v1/orders/{order.id}/check", headers=headers)
    inbox.sweep(now=utcnow())
    assert Order.get_by_id(order.id).status == "paid"
    assert audit_payments() == []
