"""One administrator is one pair of eyes, however many accounts they make."""

from __future__ import annotations

import pytest

from app.cases.models import Case
from app.core.staff import EVERYWHERE, Right
from app.pay.models import Refund
from app.staff import members
from app.staff.models import Member
from ops import manage
from tests import factories
from tests.pay.test_mismatch import a_paid_attempt
from tests.pay.till import in_background, letter, post
from tests.staff.test_members import link_in
from tests.staffroom import PASSWORD, Browser, a_browser, a_member, at_desk, code_of
from tests.world import World

CHIEF = (Right.ADMINISTRATOR, EVERYWHERE)


@pytest.fixture
def chief(world: World) -> Browser:
    return at_desk(world, a_member(CHIEF, name="陈主任"))


@pytest.fixture
def money(world: World) -> str:
    """Where a decision about money waits."""
    attempt = a_paid_attempt(world, factories.a_person())
    post(world, letter(world, attempt.out_trade_no, change={"amount": {"total": 1}}))
    in_background()
    return f"/console/cases/{Case.get(Case.kind == 'pay.mismatch').id}"


def new(chief: Browser, login: str, right: Right = Right.FINANCE, programme: str = "yunnan") -> str:
    """The link of a new account."""
    chief.get("/console/staff")
    form = {"login": login, "name": "钱会计", "right": right, "programme": programme}
    return link_in(chief.post("/console/staff", form).text)


def set_up(world: World, link: str, login: str) -> Browser:
    """Whoever has the link sets the password and binds their own authenticator."""
    browser = a_browser(world)
    assert browser.client.post(link, data={"password": PASSWORD, "again": PASSWORD}).status_code == 303
    browser.get("/console/second-factor")
    answer = browser.post("/console/second-factor", {"code": code_of(Member.get(Member.login == login))})
    assert answer.status_code == 200
    browser.get("/console/")
    return browser


def propose(desk: Browser, money: str) -> None:
    desk.get(money)
    assert desk.hx(f"{money}/decide", {"decision": "give_back"}).status_code == 200
    assert Refund.select().count() == 0


def confirm(desk: Browser, money: str) -> int:
    desk.get(money)
    answer = desk.hx(f"{money}/confirm")
    assert answer.status_code == 200 or "同一位管理员" in answer.text
    return answer.status_code


def agreement(login: str) -> str:
    member = Member.get(Member.login == login)
    open_ = (Case.subject == f"staff:{member.id}") & (Case.kind == members.AGREEMENT) & Case.open_key.is_null(False)
    return f"/console/cases/{Case.get(open_).id}"


def agree(desk: Browser, login: str) -> int:
    return desk.hx(f"{agreement(login)}/decide", {"decision": "agree"}).status_code


def test_an_administrator_does_not_confirm_what_they_proposed_by_an_account_that_they_made(
    world: World, chief: Browser, money: str
) -> None:
    mine = set_up(world, new(chief, "qian.one"), "qian.one")
    propose(chief, money)
    assert confirm(mine, money) == 403
    assert Refund.select().count() == 0
    assert confirm(at_desk(world, a_member((Right.FINANCE, "yunnan"))), money) == 200
    assert Refund.select().count() == 1


def test_nor_the_other_way_round_nor_by_two_of_them_nor_by_one_that_such_a_one_made(
    world: World, chief: Browser, money: str
) -> None:
    one = set_up(world, new(chief, "qian.one"), "qian.one")
    two = set_up(world, new(chief, "qian.two", Right.ADMINISTRATOR, EVERYWHERE), "qian.two")
    three = set_up(world, new(two, "qian.three"), "qian.three")
    propose(one, money)
    assert [confirm(desk, money) for desk in (chief, two, three)] == [403] * 3
    assert [agree(desk, "qian.one") for desk in (chief, two)] == [403] * 2
    assert agree(chief, "qian.three") == 403
    assert Refund.select().count() == 0


def test_a_new_account_that_a_second_administrator_has_agreed_to_takes_second_looks(
    world: World, chief: Browser, money: str
) -> None:
    link, second = new(chief, "qian.one"), at_desk(world, a_member(CHIEF, name="吴主任"))
    assert agree(second, "qian.one") == 409, "whoever has the link could still be anybody"
    mine = set_up(world, link, "qian.one")
    page = second.get(agreement("qian.one")).text
    assert "陈主任" in page
    assert "qian.one" in page
    assert agree(second, "qian.one") == 200
    propose(chief, money)
    assert confirm(mine, money) == 200
    assert Refund.select().count() == 1


def test_who_makes_a_new_link_before_the_authenticator_is_bound_has_the_account_in_hand(
    world: World, chief: Browser, money: str
) -> None:
    second = at_desk(world, a_member(CHIEF, name="吴主任"))
    old = a_browser(world)
    old.client.post(new(second, "qian.one"), data={"password": PASSWORD, "again": PASSWORD})
    old.get("/console/second-factor")
    secret = Member.get(Member.login == "qian.one").totp
    member = Member.get(Member.login == "qian.one")
    chief.get(f"/console/staff/{member.id}")
    link = link_in(chief.post(f"/console/staff/{member.id}/link").text)
    assert old.get("/console/second-factor").status_code == 401, "nobody from before comes in"
    mine = set_up(world, link, "qian.one")
    assert Member.get(Member.login == "qian.one").totp != secret
    propose(chief, money)
    assert confirm(mine, money) == 403
    assert agree(chief, "qian.one") == 403
    assert agree(second, "qian.one") == 200
    assert confirm(mine, money) == 200


def test_where_there_is_one_administrator_the_command_line_agrees(world: World, chief: Browser, money: str) -> None:
    mine = set_up(world, new(chief, "qian.one"), "qian.one")
    propose(chief, money)
    assert confirm(mine, money) == 403
    options = manage.parser().parse_args(["staff-agree", "qian.one", "--by", "li"])
    assert options.run(options) == 0
    assert not Case.select().where(Case.kind == members.AGREEMENT, Case.open_key.is_null(False)).exists()
    assert confirm(mine, money) == 200
