"""A till: things to pay, the phone that pays, letters as WeChat Pay writes them, and the work of the background."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import requests

from app.account.models import Person
from app.core import inbox, outbox
from app.core.clock import utcnow
from app.core.db import transaction
from app.enrol import checkout
from app.enrol.models import Enrolment
from app.pay import janitor, refunds, service
from app.pay.audit import audit_payments
from app.pay.channels import Device
from app.pay.models import Order, PaymentAttempt, PaymentEvent, Refund
from app.pay.providers.protocol import Form, JsapiCall, PayBy, Redirect, Remittance
from app.wechat.models import Binding
from sandbox import keys
from sandbox.box import merge
from sandbox.knobs import Knob
from sandbox.wechatpay_ledger import Ledger, shown_order, told_refund
from sandbox.wechatpay_wire import notification, signed_headers
from tests.factories import a_person, an_enrolment
from tests.pay import alipay_side, unionpay_side
from tests.world import World

Letter = tuple[dict[str, str], bytes]
Result = TypeVar("Result")
CALLBACK = "/api/v1/callbacks/wechatpay/yunnan.wechatpay"
CLIENTS = {"wechat_jsapi": Device("mini_program"), "alipay_wap": Device("phone_web")}
ALIPAY_CALLBACK = "/api/v1/callbacks/alipay/yunnan.alipay"
UNIONPAY_CALLBACK = "/api/v1/callbacks/unionpay/yunnan.unionpay"


@dataclass(frozen=True)
class Sale:
    """A person about to pay for one enrolment."""

    person: Person
    enrolment_id: str
    order_id: str

    @property
    def order(self) -> Order:
        row: Order = Order.get_by_id(self.order_id)
        return row

    @property
    def attempt(self) -> PaymentAttempt:
        """The one attempt."""
        row: PaymentAttempt = PaymentAttempt.get(PaymentAttempt.order_id == self.order_id)
        return row

    @property
    def refunds(self) -> list[Refund]:
        return list(Refund.select().where(Refund.order_id == self.order_id))

    @property
    def granted(self) -> bool:
        """Whether what was paid for is there."""
        return bool(Enrolment.get_by_id(self.enrolment_id).status == "studying")

    def times(self, action: str, kind: str = "order") -> int:
        """How many times the history says that `action` happened."""
        query = PaymentEvent.select().where(PaymentEvent.order_id == self.order_id, PaymentEvent.kind == kind)
        return int(query.where(PaymentEvent.action == action).count())


def a_sale(*, now: datetime | None = None) -> Sale:
    """Signed up and checked out at `now` (default: this moment); to be paid within the programme's 30 minutes."""
    person = a_person()
    enrolment = an_enrolment(person, "signed_up")
    done = checkout.checkout(
        person.id,
        [enrolment.id],
        payer_name=person.name,
        payer_number=person.id_number,
        now=now or utcnow(),
    )
    return Sale(person, enrolment.id, done.order_id)


def an_order(person: Person, sku: str = "thing:1", *, now: datetime | None = None, minutes: int = 30) -> Order:
    """A pending order of 200.00 yuan for something that no domain knows."""
    now = now or utcnow()
    line = service.Line(sku, "继续教育 塔机司机", 20000)
    with transaction():
        return service.create_order(
            payer=service.Payer("person", person.id),
            programme="yunnan",
            version="2021-02-01",
            lines=[line],
            expires_at=now + timedelta(minutes=minutes),
            now=now,
        )


def start(order: Order, channel: str = "wechat_native", *, now: datetime | None = None) -> service.Started:
    """A click on "pay", on the client that offers this channel."""
    on = CLIENTS.get(channel, Device())
    return service.start_payment(order.person_id, order.id, channel, on, now=now or utcnow())


def bind_wechat(world: World, person: Person, openid: str | None = None) -> str:
    """The person has bound a WeChat; gives its openid."""
    appid = keys.secret(world.data_dir, "yunnan.wechat.appid")
    openid = openid or f"o{secrets.token_hex(13)}"
    Binding.update(person_key=None, openid_key=None).where(Binding.person_id == person.id).execute()
    person_key = f"{appid}:{person.id}"
    Binding.create(
        person_id=person.id, appid=appid, openid=openid, openid_key=openid, person_key=person_key, bound_at=utcnow()
    )
    return openid


def code_of(pay_by: PayBy) -> str:
    """What a payer gets hold of: the code that a phone scans, the prepay_id, or our number on a provider's page."""
    if isinstance(pay_by, JsapiCall):
        return pay_by.package.removeprefix("prepay_id=")
    if isinstance(pay_by, Redirect):
        asked = dict(parse_qsl(urlsplit(pay_by.url).query))
        requests.get(pay_by.url, timeout=10).raise_for_status()  # the page makes the trade
        return str(json.loads(asked["biz_content"])["out_trade_no"])
    if isinstance(pay_by, Form):
        requests.post(pay_by.url, data=pay_by.fields, timeout=10).raise_for_status()  # the browser arrives there
        return pay_by.fields["orderId"]
    if isinstance(pay_by, Remittance):
        return pay_by.code
    return pay_by.text


def show_code(sale: Sale, *, now: datetime | None = None) -> str:
    """What the QR code shows."""
    return code_of(start(sale.order, now=now).pay_by)


def is_alipay(code: str) -> bool:
    """Whether a code, or one of our numbers, is Alipay's."""
    return code.startswith("https://qr.alipay.com/") or (len(code) == 18 and code[16:] in ("AQ", "AW"))


def is_unionpay(number: str) -> bool:
    """Whether one of our numbers is UnionPay's."""
    return len(number) == 18 and number[16:] == "UB"


def provider_of(code: str) -> str:
    """Whose a code, or one of our numbers, is."""
    return "alipay" if is_alipay(code) else "unionpay" if is_unionpay(code) else "wechatpay"


def trouble(world: World, operation: str, kind: str, value: Any = None, *, provider: str = "wechatpay") -> None:
    """The next call meets trouble; a line that breaks does so at the second try too."""
    world.sandbox.box.knobs.add(provider, operation, kind, value, 2 if kind.startswith("reset") else 1)


def scan(world: World, code: str, *, late: bool = False) -> dict[str, Any]:
    """Pay a code (or an out_trade_no) as the phone would; `late`: past the last moment."""
    provider = provider_of(code)
    if late:
        world.sandbox.box.knobs.add(provider, "pay", "late_ok")
    body = {{"alipay": "code", "unionpay": "out_trade_no", "wechatpay": "code_url"}[provider]: code}
    answer = requests.post(f"{world.sandbox.url}/_control/{provider}/pay", json=body, timeout=10)
    answer.raise_for_status()
    paid: dict[str, Any] = answer.json()
    return paid


def lose_letters(world: World) -> None:
    """From now on the sandbox's own notifications get lost; those of `letter` are ours to post."""
    for provider in ("wechatpay", "alipay", "unionpay"):
        for operation in ("notify", "notify_refund"):
            world.sandbox.box.knobs.add(provider, operation, "lost", times=None)


def letter(world: World, out_trade_no: str, *, change: dict[str, Any] | None = None, **trouble: Any) -> Letter:
    """The notification of a payment as the platform sends it: headers and body. `change` is laid over what it says,
    and is signed; `trouble` is forged, stale (seconds) or probe."""
    if is_alipay(out_trade_no):
        return alipay_side.letter(world, out_trade_no, change=change, **trouble)
    if is_unionpay(out_trade_no):
        return unionpay_side.letter(world, out_trade_no, change=change, **trouble)
    ((mchid, merchant),) = [
        (mchid, merchant)
        for mchid, merchant in world.sandbox.box.merchants.items()
        if knows(world, mchid, out_trade_no)
    ]
    said = shown_order(Ledger(world.sandbox.box).order(mchid, out_trade_no))
    said = merge(said, change or {})
    made = world.sandbox.box.clock.now()
    body = notification(merchant, secrets.token_hex(16), made, "TRANSACTION.SUCCESS", "transaction", "支付成功", said)
    knobs = {kind: Knob("wechatpay", "notify", kind, value, None) for kind, value in trouble.items()}
    return {"Content-Type": "application/json", **signed_headers(merchant, body, knobs)}, body


def knows(world: World, mchid: str, out_trade_no: str) -> bool:
    """Whether the platform has such an order of this merchant."""
    return world.sandbox.box.store.get("wechatpay", "order", f"{mchid}/{out_trade_no}") is not None


def platform_order(world: World, out_trade_no: str) -> dict[str, Any] | None:
    """The platform's own record of an order, or None."""
    if is_alipay(out_trade_no):
        return alipay_side.trade(world, out_trade_no)
    if is_unionpay(out_trade_no):
        return unionpay_side.payment(world, out_trade_no)
    found = [
        world.sandbox.box.store.get("wechatpay", "order", f"{mchid}/{out_trade_no}")
        for mchid in world.sandbox.box.merchants
    ]
    return next((record for record in found if record is not None), None)


def post(world: World, sent: Letter) -> int:
    """Deliver a letter over HTTP; gives the status of the answer, 204 also for what Alipay and UnionPay want to
    hear."""
    headers, body = sent
    path, wanted = CALLBACK, (204, b"")
    if b"signPubKeyCert" in body:
        path, wanted = UNIONPAY_CALLBACK, (200, b"ok")
    elif headers["Content-Type"].startswith("application/x-www-form-urlencoded"):
        path, wanted = ALIPAY_CALLBACK, (200, b"success")
    answer = requests.post(world.settings.public_url + path, data=body, headers=headers, timeout=30)
    return 204 if (answer.status_code, answer.content) == wanted else answer.status_code


def in_background(*, now: datetime | None = None) -> None:
    """Everything that cron and worker would do for payments at `now`."""
    now = now or utcnow()
    inbox.sweep(now=now)
    janitor.expire_orders(now=now)
    janitor.find_lost_payments(now=now)
    janitor.find_late_payments(now=now)
    refunds.settle_due(now=now)
    outbox.sweep(now=now)


def in_parallel(count: int, work: Callable[[int], Result]) -> list[Result]:
    """`work(0)` … `work(count - 1)`, each in a thread of its own, begun at one moment."""
    barrier = Barrier(count)

    def run(number: int) -> Result:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(run, number) for number in range(count)]]


def wrong_with(sale: Sale) -> int:
    """Violations of "paid once, granted once, nothing else", and of the audit over the whole database."""
    good = sale.order.status == "paid" and sale.times("pay") == 1 and sale.granted and not sale.refunds
    return (not good) + len(audit_payments())


def refund_letter(world: World, out_refund_no: str) -> Letter | None:
    """The notification of a refund, once the platform has settled it; None while it has nothing to tell."""
    for mchid, merchant in world.sandbox.box.merchants.items():
        if world.sandbox.box.store.get("wechatpay", "refund", f"{mchid}/{out_refund_no}") is None:
            continue
        said = Ledger(world.sandbox.box).settled(mchid, out_refund_no)
        if said["status"] == "PROCESSING":
            return None
        event, made = f"REFUND.{said['status']}", world.sandbox.box.clock.now()
        body = notification(merchant, secrets.token_hex(16), made, event, "refund", "退款", told_refund(said))
        return {"Content-Type": "application/json", **signed_headers(merchant, body, {})}, body
    return alipay_side.refund_letter(world, out_refund_no) or unionpay_side.refund_letter(world, out_refund_no)


def platform_refunds(world: World) -> list[dict[str, Any]]:
    """Every refund that the platform knows."""
    wechat = [record for _, record in world.sandbox.box.store.all("wechatpay", "refund", 10_000)]
    return wechat + alipay_side.refunds(world) + unionpay_side.refunds(world)
