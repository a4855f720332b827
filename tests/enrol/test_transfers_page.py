"""The transfer that pays a person's enrolment, on their page: what was told, what came in, what goes back."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.staff import Right
from app.enrol import queries
from app.pay import service
from app.pay.channels import Device
from app.pay.transfers import decisions, giving_up
from tests import factories
from tests.pay.transfers.bank import PAYER, VERSION, Purchase, a_line, line_of, pay_out, take_in, transfers_allowed
from tests.staffroom import a_member, at_desk
from tests.world import World


@pytest.mark.parametrize("right", [Right.SUPPORT, Right.FINANCE])
def test_every_step_of_a_transfer_is_on_the_page_of_whom_it_pays_for(
    world: World, tmp_path: Path, right: Right
) -> None:
    person, stranger = factories.a_person(), factories.a_person()
    enrolment, _ = (factories.an_enrolment(one, entry=factories.a_roster_entry(one)) for one in (person, stranger))
    with transfers_allowed(tmp_path, world.settings):
        bought = Purchase(sku=queries.sku(enrolment.id))
        line = a_line(20001, f"培训费 {bought.code}")
        take_in(tmp_path, [line])
        order, code = bought.order, bought.code
        desk = at_desk(world, a_member((right, "yunnan")))

        def page(of: str) -> str:
            answer = desk.get(f"/console/people/{of}")
            assert answer.status_code == 200
            return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))

        assert f"选择对公转账（订单 {order.id}），附言码 {code} 登记的付款户名 {PAYER}" in page(person.id)
        assert f"银行来款 200.01 元（订单 {order.id}）：待处理" in page(person.id)
        assert f"流水号 {line.number}，金额多了" in page(person.id)
        assert "来款交人工处理" in page(person.id)
        decisions.keep(line_of(line).id, reason="多的一分退回", actor="staff:1", now=utcnow())
        assert f"银行来款 200.01 元（订单 {order.id}）：已入账" in page(person.id)
        assert "来款入账" in page(person.id)
        assert "安排转账退回 0.01 元 等财务转账" in page(person.id)
        assert pay_out() == 1
        assert "安排转账退回 0.01 元 已退，银行流水号 BK" in page(person.id)
        assert "财务已转账退回" in page(person.id)
        for text in (code, line.number, "安排转账退回", "来款"):
            assert text not in page(stranger.id)


def test_what_a_person_did_about_their_own_transfer_is_theirs(world: World, tmp_path: Path) -> None:
    person, now = factories.a_person(), utcnow()
    enrolment = factories.an_enrolment(person, entry=factories.a_roster_entry(person))
    with transfers_allowed(tmp_path, world.settings):
        order = service.create_order(
            payer=service.Payer("person", person.id),
            programme="yunnan",
            version=VERSION,
            lines=[service.Line(queries.sku(enrolment.id), "继续教育 塔机司机", 20000)],
            expires_at=now + timedelta(minutes=30),
            now=now,
        )
        for name in (person.name, "某建筑公司"):
            service.start_payment(person.id, order.id, "bank_transfer", Device("web"), payer_name=name, now=now)
        giving_up.give_up(person.id, order.id, now=now)
        answer = at_desk(world, a_member((Right.SUPPORT, "yunnan"))).get(f"/console/people/{person.id}")
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))
    for text in ("修改付款户名", "放弃对公转账"):
        assert text in said
    assert "transfer." not in said
    assert "单位" not in said.split("选择对公转账")[1][:200]
    actors = AuditEntry.select(AuditEntry.actor).where(AuditEntry.action.startswith("transfer.")).tuples()
    assert {actor for (actor,) in actors} == {f"person:{person.id}"}
