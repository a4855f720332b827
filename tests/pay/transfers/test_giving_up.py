"""Whoever has not sent the transfer pays otherwise; whoever has is not let go, whatever happens at one moment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from app.cases.models import Case
from app.core.clock import utcnow
from app.core.errors import Problem
from app.enrol import checkout
from app.enrol.models import Enrolment
from app.pay import service
from app.pay.audit import audit_payments
from app.pay.channels import Device
from app.pay.models import PaymentAttempt
from app.pay.transfers import decisions, giving_up, matching, queries
from app.pay.transfers.models import StatementLine, Transfer
from ops.statements import Line
from tests.factories import a_person, auth
from tests.pay.till import Sale, a_sale, in_background
from tests.pay.transfers.bank import a_line, line_of, pay_out, take_in
from tests.races import overtaken, unlocked
from tests.world import World

PC = Device("web")


def a_transfer() -> Sale:
    """A person's order of 200.00 yuan that waits for a transfer in their own name."""
    sale = a_sale()
    service.start_payment(
        sale.person.id, sale.order_id, "bank_transfer", PC, payer_name=sale.person.name, now=utcnow()
    )
    return sale


def code_of(sale: Sale) -> str:
    return str(Transfer.get(Transfer.attempt_id == sale.attempt.id).code)


def sent(sale: Sale, amount_fen: int = 20000, payer: str | None = None) -> Line:
    """The line of what they sent."""
    return a_line(amount_fen, code_of(sale), payer=payer or sale.person.name)


def give_up(sale: Sale) -> Any:
    return giving_up.give_up(sale.person.id, sale.order_id, now=utcnow())


def refused(sale: Sale) -> str:
    with pytest.raises(Problem) as problem:
        give_up(sale)
    return problem.value.code


def open_cases() -> list[str]:
    return sorted(case.kind for case in Case.select().where(Case.open_key.is_null(False)))


def test_who_gives_a_transfer_up_may_order_again_at_once_with_every_way_to_pay(world: World) -> None:
    sale = a_transfer()
    assert give_up(sale).status == "closed"
    in_background()
    assert Enrolment.get_by_id(sale.enrolment_id).order_id is None
    person = sale.person
    done = checkout.checkout(
        person.id, [sale.enrolment_id], payer_name=person.name, payer_number=person.id_number, now=utcnow()
    )
    assert done.order_id != sale.order_id
    started = service.start_payment(person.id, done.order_id, "wechat_native", PC, now=utcnow())
    assert started.attempt.status == "waiting"
    assert audit_payments() == []


def test_giving_up_again_changes_nothing(world: World) -> None:
    sale = a_transfer()
    give_up(sale)
    assert give_up(sale).status == "closed"
    assert (sale.times("start_closing"), sale.times("close"), audit_payments()) == (1, 1, [])


def test_money_that_comes_all_the_same_is_before_a_person_and_goes_back(world: World, tmp_path: Path) -> None:
    sale = a_transfer()
    give_up(sale)
    line = sent(sale)
    take_in(tmp_path, [line])
    assert (line_of(line).finding, open_cases()) == ("closed", ["pay.transfer_late"])
    decisions.give_back(line_of(line).id, reason="given up", actor="staff:fin", now=utcnow())
    pay_out()
    assert (sale.order.status, line_of(line).back_fen, audit_payments()) == ("closed", 20000, [])


@pytest.mark.parametrize(("amount_fen", "payer"), [(5000, None), (25000, None), (20000, "另一个人")])
def test_a_transfer_of_which_something_came_is_not_given_up(
    world: World, tmp_path: Path, amount_fen: int, payer: str | None
) -> None:
    sale = a_transfer()
    take_in(tmp_path, [sent(sale, amount_fen, payer)])
    assert (refused(sale), sale.order.status) == ("transfer_came", "pending")


def test_what_went_back_does_not_hold_anybody(world: World, tmp_path: Path) -> None:
    sale = a_transfer()
    line = sent(sale, 5000)
    take_in(tmp_path, [line])
    decisions.give_back(line_of(line).id, reason="they asked", actor="staff:fin", now=utcnow())
    assert give_up(sale).status == "closed"
    pay_out()
    assert audit_payments() == []


def test_twin_that_does_not_look_whether_something_came_closes_an_order_that_has_money(
    world: World, tmp_path: Path
) -> None:
    sale = a_transfer()
    take_in(tmp_path, [sent(sale, 5000)])
    with patch.object(queries, "came", lambda attempt_id: False):
        give_up(sale)
    assert (sale.order.status, queries.part_fen(sale.attempt.id)) == ("closed", 5000)


def test_a_paid_order_an_order_without_a_transfer_and_anothers_are_not_given_up(world: World, tmp_path: Path) -> None:
    paid, other = a_transfer(), a_sale()
    take_in(tmp_path, [sent(paid)])
    assert (refused(paid), refused(other)) == ("order_paid", "no_transfer")
    with pytest.raises(Problem) as problem:
        giving_up.give_up(a_person().id, paid.order_id, now=utcnow())
    assert problem.value.code == "not_found"


def test_past_the_last_day_the_statements_decide(world: World) -> None:
    sale = a_transfer()
    with pytest.raises(Problem) as problem:
        giving_up.give_up(sale.person.id, sale.order_id, now=utcnow() + timedelta(days=8))
    assert problem.value.code == "order_over"


def test_a_code_of_another_channel_is_closed_at_its_provider_before_the_order_is(world: World) -> None:
    sale = a_sale()
    for channel in ("wechat_native", "bank_transfer"):
        service.start_payment(sale.person.id, sale.order_id, channel, PC, payer_name="张建国", now=utcnow())
    assert give_up(sale).status == "closing"
    in_background()
    assert sale.order.status == "closed"
    assert {row.status for row in PaymentAttempt.select()} == {"closed"}
    assert audit_payments() == []


def test_the_phone_reads_whether_it_may_give_up_and_gives_up(world: World, tmp_path: Path) -> None:
    sale = a_transfer()
    client, headers = world.app.test_client(), auth(sale.person)
    path = f"/api/v1/orders/{sale.order_id}"
    told = client.get(path, headers=headers).get_json()["transfer"]
    assert (told["may_give_up"], told["in_question"], told["missing_fen"]) == (True, False, 20000)
    line = sent(sale, payer="另一个人")
    take_in(tmp_path, [line])
    told = client.get(path, headers=headers).get_json()["transfer"]
    assert (told["may_give_up"], told["in_question"], told["came_fen"]) == (False, True, 0)
    assert client.post(f"{path}/give-up-transfer", headers=headers).get_json()["code"] == "transfer_came"
    decisions.give_back(line_of(line).id, reason="not theirs", actor="staff:fin", now=utcnow())
    answer = client.post(f"{path}/give-up-transfer", headers=headers).get_json()
    assert (answer["status"], answer["transfer"], answer["channels"]) == ("closed", None, [])


@pytest.mark.parametrize(("amount_fen", "payer"), [(5000, "另一个人"), (15000, None)])
def test_whose_rest_is_before_a_person_is_not_asked_for_it_again(
    world: World, tmp_path: Path, amount_fen: int, payer: str | None
) -> None:
    sale = a_transfer()
    rest = sent(sale, amount_fen, payer)
    take_in(tmp_path, [sent(sale, 15000), rest])
    client, headers = world.app.test_client(), auth(sale.person)
    told = client.get(f"/api/v1/orders/{sale.order_id}", headers=headers).get_json()["transfer"]
    assert (told["in_question"], told["came_fen"], told["missing_fen"]) == (True, 15000, 5000)
    decisions.give_back(line_of(rest).id, reason="not theirs", actor="staff:fin", now=utcnow())
    told = client.get(f"/api/v1/orders/{sale.order_id}", headers=headers).get_json()["transfer"]
    assert (told["in_question"], told["came_fen"], told["missing_fen"]) == (False, 15000, 5000)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("云南滇池建筑工程有限公司", "云南滇池建筑工程有限公司"), ("张建国", "张**"), ("欧阳海燕", "欧**燕")],
)
def test_a_firms_name_is_shown_to_whoever_pays_and_a_persons_is_masked(world: World, name: str, shown: str) -> None:
    sale = a_sale()
    service.start_payment(sale.person.id, sale.order_id, "bank_transfer", PC, payer_name=name, now=utcnow())
    order = world.app.test_client().get(f"/api/v1/orders/{sale.order_id}", headers=auth(sale.person)).get_json()
    assert order["transfer"]["payer_name"] == shown


class Race:
    """The whole amount was transferred, and its line is looked at while the payer gives up."""

    def __init__(self, tmp_path: Path):
        self.sale = a_transfer()
        line = sent(self.sale)
        with patch.object(matching, "look_at", lambda *_, **__: None):
            take_in(tmp_path, [line])
        self.line_id = line_of(line).id

    @property
    def line(self) -> StatementLine:
        row: StatementLine = StatementLine.get_by_id(self.line_id)
        return row

    def matched_while_given_up(self) -> Any:
        """Gives what the payer was told."""
        with overtaken(queries, "parts", lambda: give_up(self.sale)) as told:
            matching.look_at(self.line_id, now=utcnow())
        return told[0]


def test_who_gives_up_while_the_money_is_matched_has_paid(world: World, tmp_path: Path) -> None:
    race = Race(tmp_path)
    told = race.matched_while_given_up()
    assert isinstance(told, Problem)
    assert told.code == "order_paid"
    assert (race.sale.order.status, race.line.status, race.sale.refunds) == ("paid", "settled", [])
    assert audit_payments() == []


def test_twin_without_the_lock_the_order_is_closed_over_the_money_that_came(
    world: World, tmp_path: Path, servers_only: None
) -> None:
    race = Race(tmp_path)
    with unlocked():
        race.matched_while_given_up()
    assert race.sale.order.status == "closed"
    assert [refund.reason for refund in race.sale.refunds] == ["late"]


def test_a_line_that_is_looked_at_while_the_payer_gives_up_is_before_a_person(world: World, tmp_path: Path) -> None:
    race = Race(tmp_path)
    with overtaken(queries, "came", lambda: matching.look_at(race.line_id, now=utcnow())):
        give_up(race.sale)
    in_background()
    assert (race.sale.order.status, race.line.status, race.line.finding) == ("closed", "open", "closed")
    assert audit_payments() == []
