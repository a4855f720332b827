"""What finance sees on the first day of the demonstration: invoices, a bill with a difference, bank transfers and a
statement to import. Made by the services that make the real ones, at moments of the last days."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import requests

from app.account import service as account
from app.account.models import Person
from app.core import outbox
from app.core.clock import utcnow
from app.core.db import transaction
from app.invoice import issuing, payers
from app.invoice import queries as invoices
from app.invoice import service as invoice
from app.invoice.payers import Details
from app.invoice.status import Status
from app.pay import providers, service
from app.pay.channels import Device
from app.pay.models import Order, OrderLine
from app.pay.providers.protocol import PaymentRequest, QrCode, Remittance
from app.pay.reconciliation import service as reconciliation
from app.pay.transfers import decisions, queries
from app.pay.transfers import service as transfers
from app.pay.transfers.models import StatementLine
from app.policy import load as policy
from app.policy.days import on_clock, shanghai_day
from app.policy.schema import Programme
from app.staff import service as staff
from app.staff.models import MemberRight
from config.settings import ROOT, Settings
from ops import invented, statements
from ops.rosters import MadeUp
from ops.statements import Line

FEN = 20000
PAYERS = ("云南滇池建筑工程有限公司", "昆明翠湖劳务有限公司", "大理苍山建设集团有限公司", "曲靖珠江源路桥有限公司")
NUMBER = "91530100MA6K5YXT38"  # a taxpayer number whose check digit is right
INVOICED_DAYS, BILLED_DAYS, TOLD_DAYS = 12, 3, 2  # before today


def folder(data_dir: Path) -> Path:
    """Where `place` puts them."""
    return data_dir / "demo" / "programmes"


def place(data_dir: Path) -> Path:
    """A copy of the programmes, with the one that takes bank transfers beside them; made anew at each start."""
    target = folder(data_dir)
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    return invented.programmes(target, ROOT / "config" / "programmes")


def statement_file(data_dir: Path) -> Path:
    """The bank statement that is to be imported."""
    return data_dir / "demo" / "duizhangdan.xlsx"


def make(settings: Settings, programme: Programme, people: list[MadeUp]) -> None:
    """Make what is not there yet: `people` of `programme` have paid online, organisations pay by transfer. Only where
    `place` has made the programme of the transfers."""
    if invented.KEY not in {one.key for one in policy.all_in_force(utcnow())}:
        return
    rights = {"right": "finance", "programme": invented.KEY}
    for login in ("caiwu", "caiwu2"):
        member = staff.by_login(login)
        if member is not None:
            MemberRight.get_or_create(member_id=member.id, **rights)
    found = [account.find_by_id_number(one.id_number) for one in people[:3]]
    shop = Shop(settings.sandbox_url, programme)
    first, second, third = [person for person in found if person is not None]
    if not _there("demo:invoice:0"):
        shop.lose_letters()
        with shop.days_ago(INVOICED_DAYS) as then:
            sold = [shop.sell(one, f"demo:invoice:{number}", then) for number, one in enumerate((first, second))]
            outbox.sweep(now=then + timedelta(minutes=1))
            _invoice(shop, sold)
        _ask_correction(second, sold[1])
        with shop.days_ago(BILLED_DAYS) as then:
            shop.sell(third, "demo:bill", then)
            shop.sell_elsewhere(then)
        reconciliation.reconcile(now=utcnow())
    if not _there("demo:transfer:0"):
        _transfers(settings.data_dir)


def _there(sku: str) -> bool:
    return bool(OrderLine.select(OrderLine.id).where(OrderLine.sku == sku).exists())


class Shop:
    """The programme's merchant at the sandbox's WeChat, whose clock may be set back."""

    def __init__(self, sandbox_url: str, programme: Programme):
        self.url, self.programme, self._offset = sandbox_url, programme, 0.0

    def _say(self, path: str, said: dict[str, Any]) -> None:
        requests.post(f"{self.url}{path}", json=said, timeout=10).raise_for_status()

    def lose_letters(self) -> None:
        """The web server, which would hear of these payments, is not up yet: they are asked about."""
        self._say("/_knobs", {"provider": "wechatpay", "operation": "notify", "kind": "lost", "times": 4})

    def later(self, *, minutes: int) -> None:
        """So many minutes pass at the sandbox, while its clock is set back."""
        self._set(self._offset + 60 * minutes)

    def _set(self, offset: float) -> None:
        self._offset = offset
        self._say("/_control/clock", {"offset": offset})

    @contextmanager
    def days_ago(self, days: int) -> Iterator[datetime]:
        """It is ten in the morning, `days` before today, at the sandbox too."""
        then = on_clock(shanghai_day(utcnow()) - timedelta(days=days), time(10))
        self._set((then - utcnow()).total_seconds())
        try:
            yield then
        finally:
            self._set(0)

    def sell(self, person: Person, sku: str, now: datetime) -> Order:
        """An order of this person that is paid at `now`."""
        with transaction():
            order = service.create_order(
                payer=service.Payer("person", person.id),
                programme=self.programme.key,
                version=self.programme.version.isoformat(),
                lines=[service.Line(sku, "继续教育", FEN)],
                expires_at=now + timedelta(minutes=30),
                now=now,
            )
        started = service.start_payment(person.id, order.id, "wechat_native", Device(), now=now)
        assert isinstance(started.pay_by, QrCode)
        self._say("/_control/wechatpay/pay", {"code_url": started.pay_by.text})
        return service.check_payment(person.id, order.id, now=now + timedelta(seconds=20))

    def sell_elsewhere(self, now: datetime) -> None:
        """Somebody pays the merchant for something that is none of ours: the bill will have a line more than we."""
        merchant = self.programme.authority.secrets.wechatpay
        assert merchant is not None, "it sells by WeChat"
        provider = providers.provider("wechatpay", merchant)
        sold = provider.create(
            PaymentRequest(
                way="qr",
                out_trade_no=f"SHOP{now:%Y%m%d}0001",
                title="教材",
                amount_fen=4500,
                expires_at=now + timedelta(minutes=30),
                notify_url=f"{self.url}/nobody",
                return_url=self.url,
            )
        )
        assert isinstance(sold, QrCode)
        self._say("/_control/wechatpay/pay", {"code_url": sold.text})


def _invoice(shop: Shop, sold: list[Order]) -> None:
    """The invoices of these orders are sent, and fetched when the vendor has made them."""
    rows = [invoices.of_order(order.id) for order in sold]
    due: list[datetime] = [row.due_from for row in rows if row is not None]
    now = max(due)
    for step in range(1, 9):
        issuing.work(now=now)
        found = map(invoices.of_order, (order.id for order in sold))
        waits: list[datetime] = [row.next_at for row in found if row is not None and row.next_at is not None]
        if not waits:
            return
        shop.later(minutes=step)
        now = max(now + timedelta(seconds=15), *waits)


def _ask_correction(person: Person, order: Order) -> None:
    """The payer wants the invoice in the firm's name."""
    row, now = invoices.of_order(order.id), utcnow()
    if row is not None and row.status == Status.READY:
        payers.save(person.id, Details("enterprise", PAYERS[0], NUMBER), now=now)
        invoice.ask_correction(person.id, row.id, "单位报销，要开单位抬头。", now=now)


def _order(number: int, *, now: datetime) -> str:
    """An organisation's order that waits for its transfer; gives the code."""
    programme = policy.in_force(invented.KEY, now)
    organisation = f"demo{number:012d}"
    payers.save_organisation(organisation, Details("enterprise", PAYERS[number], NUMBER), now=now)
    with transaction():
        order = service.create_order(
            payer=service.Payer("organisation", organisation),
            programme=programme.key,
            version=programme.version.isoformat(),
            lines=[service.Line(f"demo:transfer:{number}", "继续教育（单位）", FEN * (number + 1))],
            expires_at=now + timedelta(minutes=30),
            now=now,
        )
    pay_by = service.start_transfer(organisation, order.id, PAYERS[number], now=now).pay_by
    assert isinstance(pay_by, Remittance)
    return pay_by.code


def _transfers(data_dir: Path) -> None:
    """Two statements: one of the last days, taken in, by which an order is paid and something goes back; and the one
    of today, to import."""
    now = utcnow()
    today, then = shanghai_day(now), now - timedelta(days=TOLD_DAYS)
    day = shanghai_day(then)
    (owner,) = [one for one in queries.accounts({invented.KEY}) if one.number == invented.ACCOUNT]
    paid, waits, other, short = (_order(number, now=then) for number in range(len(PAYERS)))
    back = _line(1, day, 8800, PAYERS[1], "材料款")
    before = statement_file(data_dir).with_name("duizhangdan-daoru.xlsx")
    statements.write(before, owner.number, [_line(0, day, FEN, PAYERS[0], f"培训费 {paid}"), back])
    row = transfers.show(before, owner, actor="system", now=now)
    transfers.confirm(row.id, day, today - timedelta(days=1), last_day_over=True, actor="system", now=now)
    came = StatementLine.get(StatementLine.statement_id == row.id, StatementLine.number == back.number)
    decisions.give_back(came.id, reason="不是培训费，退回付款方", actor="system", now=now)
    outbox.sweep(now=now)
    lines = [
        _line(2, today, FEN * 2, PAYERS[1], f"培训费 {waits}"),
        _line(3, today, FEN * 3, "大理苍山建设集团第二分公司", f"{other} 培训"),
        _line(4, today, FEN, PAYERS[3], f"培训费{short}"),
        _line(5, today, 150000, "云南某物业管理有限公司", "房屋租金"),
        _line(6, today, 8800, PAYERS[1], "退回材料款", out=True),
        _line(7, today, 1200, "某银行昆明某支行", "账户管理费", out=True),
    ]
    statements.write(statement_file(data_dir), owner.number, lines)


def _line(number: int, day: date, amount_fen: int, payer: str, remark: str, *, out: bool = False) -> Line:
    account_of = f"5305016112360000{PAYERS.index(payer) if payer in PAYERS else number + 10:04d}"
    return Line(f"{day:%Y%m%d}{number:08d}", day, amount_fen, payer, account_of, remark, out)
