"""Finance's page of bank transfers over HTTP: shown before it counts, taken in once, decided by two."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from app.cases.models import Case
from app.core.clock import utcnow
from app.core.staff import Right
from app.pay.audit import audit_payments
from app.pay.transfers import queries
from app.pay.transfers.bank import covered
from app.pay.transfers.models import Payout, Statement, StatementLine
from app.policy.days import shanghai_day
from ops import manage, statements
from ops.invented import ACCOUNT
from tests.pay.test_decisions import by_hand
from tests.pay.transfers.bank import Purchase, a_line, line_of, transfers_allowed
from tests.staffroom import Browser, a_member, at_desk
from tests.world import World

__all__ = ["by_hand"]
FINANCE = (Right.FINANCE, "yunnan")


@pytest.fixture(autouse=True)
def _transfers_are_allowed(world: World, tmp_path: Path) -> Iterator[None]:
    with transfers_allowed(tmp_path, world.settings):
        yield


@pytest.fixture
def finance(world: World) -> Browser:
    return at_desk(world, a_member(FINANCE))


def uploaded(browser: Browser, tmp_path: Path, lines: list[statements.Line], name: str = "a.xlsx") -> str:
    """The page of the statement of these lines, as a draft."""
    path = tmp_path / name
    statements.write(path, ACCOUNT, lines)
    browser.get("/console/transfers")
    answer = browser.client.post(
        "/console/transfers",
        data={"csrf": browser.csrf, "account": ACCOUNT, "file": (io.BytesIO(path.read_bytes()), name)},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def confirmed(browser: Browser, page: str) -> str:
    today = shanghai_day(utcnow()).isoformat()
    answer = browser.post(f"{page}/confirm", {"first_day": today, "last_day": today})
    assert answer.status_code == 303, answer.text
    return browser.get(page).text


def test_a_statement_is_shown_and_counts_when_it_is_confirmed(world: World, finance: Browser, tmp_path: Path) -> None:
    bought = Purchase()
    assert "对公转账" in finance.get("/console/").text
    assert bought.code[-5:] in finance.get("/console/transfers").text
    lines = [a_line(20000, bought.code), a_line(4500, "房租"), a_line(100, "手续费", out=True)]
    page = uploaded(finance, tmp_path, lines)
    text = finance.get(page).text
    assert "收入 2 笔，245.00 元；支出 1 笔，1.00 元" in text
    assert "附言码和金额一致" in text
    assert "附言里没有附言码" in text
    assert "没有对应的退款" in text
    assert bought.order.status == "pending"
    text = confirmed(finance, page)
    assert "已入账" in text
    assert bought.order.status == "paid"
    assert "房租" in finance.get("/console/cases/" + Case.get(Case.kind == "pay.transfer_unknown").id).text
    shown = finance.get("/console/cases/" + Case.get(Case.kind == "pay.outgoing").id).text
    assert "核对付款审批" in shown
    assert lines[2].number in shown
    assert audit_payments() == []
    again = uploaded(finance, tmp_path, [*lines, a_line(1, "x")], "b.csv")
    assert finance.get(again).text.count("以前导入过") == 3


def test_the_total_is_of_all_lines_and_not_of_those_that_are_shown(
    world: World, finance: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = uploaded(finance, tmp_path, [a_line(20000, "a"), a_line(4500, "b"), a_line(100, "c")])
    monkeypatch.setattr(queries, "lines", partial(queries.lines, limit=2))
    text = finance.get(page).text
    assert "收入 3 笔，246.00 元" in text
    assert text.count("附言里没有附言码") == 2


def test_what_cannot_be_read_is_said_in_a_sentence(world: World, finance: Browser, tmp_path: Path) -> None:
    finance.get("/console/transfers")
    for data, words in ((b"\x00\x01", "读不出"), (b"a,b\n1,2\n", "没有找到对账单的表头"), (b"PK\x03\x04xx", "xlsx")):
        answer = finance.client.post(
            "/console/transfers",
            data={"csrf": finance.csrf, "account": ACCOUNT, "file": (io.BytesIO(data), "a.xlsx")},
            content_type="multipart/form-data",
        )
        assert answer.status_code == 422
        assert words in answer.text
    assert Statement.select().count() == 0


def test_days_that_do_not_hold_its_lines_are_refused(world: World, finance: Browser, tmp_path: Path) -> None:
    page = uploaded(finance, tmp_path, [a_line(100)])
    for days in (("2026-01-01", "2026-01-02"), ("x", "y"), ("2020-01-01", "2099-01-01")):
        answer = finance.post(f"{page}/confirm", dict(zip(("first_day", "last_day"), days, strict=True)))
        assert answer.status_code == 422
    assert Statement.get().status == "draft"


def test_money_that_goes_back_is_seen_by_two(world: World, finance: Browser, tmp_path: Path) -> None:
    bought = Purchase()
    line = a_line(25000, bought.code)
    confirmed(finance, uploaded(finance, tmp_path, [line]))
    over = Case.get(Case.kind == "pay.transfer_over")
    other = at_desk(world, a_member(FINANCE, name="李明"))
    after = finance.hx(f"/console/cases/{over.id}/decide", {"decision": "keep"}).text
    assert "都处理完了" not in after
    assert "您提交的 1 件，正在等另一位同事复核" in after
    assert bought.order.status == "pending", "another has to agree"
    other.get(f"/console/cases/{over.id}")
    assert "都处理完了" in other.hx(f"/console/cases/{over.id}/confirm").text
    assert (bought.order.status, line_of(line).back_fen) == ("paid", 5000)
    back = Case.get(Case.kind == "pay.payout")
    assert "53050161123600000888" in finance.get(f"/console/cases/{back.id}").text, "where it has to go"
    finance.hx(f"/console/cases/{back.id}/decide", {"decision": "sent", "note": "BK20261126001"})
    finance.hx(f"/console/cases/{back.id}/confirm")
    assert Payout.get().status == "requested"
    other.get(f"/console/cases/{back.id}")
    other.hx(f"/console/cases/{back.id}/confirm")
    assert (Payout.get().status, Payout.get().reference) == ("sent", "BK20261126001")
    assert audit_payments() == []


def test_too_little_waits_with_its_case_and_comes_to_an_end_by_itself(
    world: World, finance: Browser, tmp_path: Path
) -> None:
    bought = Purchase()
    confirmed(finance, uploaded(finance, tmp_path, [a_line(15000, bought.code)]))
    short = Case.get(Case.kind == "pay.transfer_short")
    finance.hx(f"/console/cases/{short.id}/decide", {"decision": "ask", "note": "已电话通知"})
    assert Case.get_by_id(short.id).status == "waiting"
    assert audit_payments() == []
    confirmed(finance, uploaded(finance, tmp_path, [a_line(5000, bought.code)], "b.xlsx"))
    assert (bought.order.status, Case.get_by_id(short.id).status) == ("paid", "decided")
    assert audit_payments() == []


def test_a_code_is_typed_and_another_agrees(world: World, finance: Browser, tmp_path: Path) -> None:
    bought = Purchase()
    confirmed(finance, uploaded(finance, tmp_path, [a_line(20000, "培训费")]))
    case = Case.get(Case.kind == "pay.transfer_unknown")
    assert "可能的订单" in finance.get(f"/console/cases/{case.id}").text
    other = at_desk(world, a_member(FINANCE, name="李明"))
    finance.hx(f"/console/cases/{case.id}/decide", {"decision": "attach", "note": bought.code.lower()})
    other.get(f"/console/cases/{case.id}")
    other.hx(f"/console/cases/{case.id}/confirm")
    assert (bought.order.status, audit_payments()) == ("paid", [])


def test_nobody_but_finance_of_the_programme_sees_it(world: World, finance: Browser, tmp_path: Path) -> None:
    page = uploaded(finance, tmp_path, [a_line(100)])
    reviewer = at_desk(world, a_member((Right.REVIEWER, "yunnan")))
    elsewhere = at_desk(world, a_member((Right.FINANCE, "henan")))
    assert reviewer.get("/console/transfers").status_code == 403
    assert elsewhere.get(page).status_code == 404
    assert "对公转账</a>" not in elsewhere.get("/console/").text
    assert elsewhere.post(f"{page}/discard").status_code == 404
    assert finance.post(f"{page}/discard").status_code == 303
    assert StatementLine.select().count() == 0


def test_a_persons_name_is_masked_on_the_list(world: World, finance: Browser, tmp_path: Path) -> None:
    page = uploaded(finance, tmp_path, [a_line(100, payer="欧阳海燕"), a_line(200, payer="云南某建筑工程有限公司")])
    text = finance.get(page).text
    assert "欧阳海燕" not in text
    assert "云南某建筑工程有限公司" in text


def test_the_commands_do_the_same(
    world: World, tmp_path: Path, by_hand: None, capsys: pytest.CaptureFixture[str]
) -> None:
    bought, path = Purchase(), tmp_path / "a.csv"
    lines = [a_line(25000, bought.code), a_line(20000, "x")]
    statements.write(path, ACCOUNT, lines)
    by = ["--by", "li"]
    assert manage.main(["import-statement", str(path), "--programme", "yunnan", "--preview", *by]) == 0
    assert bought.order.status == "pending"
    assert manage.main(["import-statement", str(path), "--programme", "yunnan", *by]) == 0
    over, unknown = (line_of(line).id for line in lines)
    reason = ["--reason", "called them", *by]
    assert manage.main(["transfer-keep", over, *reason]) == 0
    assert manage.main(["transfer-attach", unknown, bought.code, *reason]) == 1, "that order is paid"
    assert manage.main(["transfer-give-back", unknown, *reason]) == 0
    for payout in Payout.select():
        assert manage.main(["payout-sent", payout.id, "BK123456", "--told-by", "staff:li", *by]) == 1
        assert manage.main(["payout-sent", payout.id, f"BK1{payout.id}", "--told-by", "staff:wang", *by]) == 0
    assert manage.main(["transfers"]) == 0
    assert manage.main(["audit"]) == 0
    assert re.search("已入账|待处理", capsys.readouterr().out)


@pytest.mark.parametrize(("ticked", "told"), [({"last_day_over": "1"}, True), ({}, False)])
def test_a_last_day_counts_where_the_clerk_says_that_it_was_over(
    world: World, finance: Browser, tmp_path: Path, ticked: dict[str, str], told: bool
) -> None:
    day = shanghai_day(utcnow() - timedelta(days=1))
    page = uploaded(finance, tmp_path, [a_line(100, "x", day=day)])
    assert "在截止日结束后下载" in finance.get(page).text
    finance.post(f"{page}/confirm", {"first_day": day.isoformat(), "last_day": day.isoformat()} | ticked)
    assert covered(ACCOUNT, day, day) == told
    assert ("当天未导齐" in finance.get("/console/transfers").text) != told


@pytest.mark.parametrize("decision", ["give_back", "attach"])
def test_who_was_asked_for_the_rest_may_change_their_mind(
    world: World, finance: Browser, tmp_path: Path, decision: str
) -> None:
    bought, other = Purchase(), Purchase(amount_fen=15000)
    line = a_line(15000, bought.code)
    confirmed(finance, uploaded(finance, tmp_path, [line]))
    short = Case.get(Case.kind == "pay.transfer_short")
    path = f"/console/cases/{short.id}"
    finance.hx(f"{path}/decide", {"decision": "ask", "note": "已电话通知"})
    assert path in finance.get("/console/transfers?state=held").text
    text = finance.get(path).text
    assert "情况有变的" in text
    assert "已请付款方补足，等余款" not in text.split('aria-label="决定"')[1].split("</section>")[0]
    assert finance.hx(f"{path}/decide", {"decision": "ask", "note": "再问一次"}).status_code == 409
    note = other.code if decision == "attach" else "对方不要了"
    finance.hx(f"{path}/decide", {"decision": decision, "note": note})
    if decision == "attach":
        other_desk = at_desk(world, a_member(FINANCE, name="李明"))
        other_desk.get(path)
        other_desk.hx(f"{path}/confirm")
    assert line_of(line).status == ("settled" if decision == "attach" else "returned")
    assert (other.order.status == "paid", bought.order.status) == (decision == "attach", "pending")
    assert (Case.get_by_id(short.id).status, audit_payments()) == ("decided", [])


OTHER_PAYER = "昆明另一家劳务有限公司"


def given(world: World, finance: Browser, tmp_path: Path, fen: int, payer: str, code: str) -> tuple[str, str]:
    """A line of an unknown order is given to the order with this code, and a second person agrees. Gives what they
    saw before, and were told after."""
    confirmed(finance, uploaded(finance, tmp_path, [a_line(fen, "培训费", payer=payer)]))
    path = "/console/cases/" + Case.get(Case.kind == "pay.transfer_unknown").id
    other = at_desk(world, a_member(FINANCE, name="李明"))
    finance.hx(f"{path}/decide", {"decision": "attach", "note": code})
    seen = other.get(path).text.split('aria-label="决定"')[1].split("</section>")[0]
    return seen, other.hx(f"{path}/confirm").text


def test_the_second_look_at_a_code_sees_its_order_and_what_follows(
    world: World, finance: Browser, tmp_path: Path
) -> None:
    bought = Purchase()
    seen, told = given(world, finance, tmp_path, 20000, bought.payer, bought.code)
    for words in (bought.order_id, "继续教育 塔机司机", "200.00 元", bought.payer, "入账 200.00 元，订单付清"):
        assert words in seen
    assert 'class="bad"' not in seen
    assert "来款入账 200.00 元，订单已付清" in told
    assert (bought.order.status, audit_payments()) == ("paid", [])


def test_too_much_of_another_payer_is_said_before_and_after_and_in_the_case_that_follows(
    world: World, finance: Browser, tmp_path: Path
) -> None:
    bought = Purchase()
    seen, told = given(world, finance, tmp_path, 25000, OTHER_PAYER, bought.code)
    differs = f'class="bad"><dt>登记的付款户名</dt><dd>{bought.payer}，与来款的付款方 {OTHER_PAYER} 不同'
    assert differs in seen
    assert "不入账，转为“来款金额多了”：合计 250.00 元，多 50.00 元" in seen
    assert "还没有入账：这笔来款 250.00 元转到“来款金额多了”" in told
    assert bought.order.status == "pending"
    over = finance.get("/console/cases/" + Case.get(Case.kind == "pay.transfer_over").id).text
    for label, words in (
        ("订单金额", "200.00 元"),
        ("来款合计", "250.00 元"),
        ("照收时入账", "200.00 元"),
        ("照收时退回", "50.00 元"),
    ):
        assert f"<dt>{label}</dt><dd>{words}</dd>" in over
    assert differs in over


def test_too_little_is_said_before_and_after(world: World, finance: Browser, tmp_path: Path) -> None:
    bought = Purchase()
    seen, told = given(world, finance, tmp_path, 15000, bought.payer, bought.code)
    assert "不入账，转为“来款金额不足”：合计 150.00 元，还差 50.00 元" in seen
    assert "转到“来款金额不足”" in told
    assert bought.order.status == "pending"


def test_days_beyond_the_files_are_shown_before_they_count(world: World, finance: Browser, tmp_path: Path) -> None:
    today = shanghai_day(utcnow())
    day, first, slip = (today - timedelta(days=back) for back in (1, 3, 30))
    page = uploaded(finance, tmp_path, [a_line(100, "x", day=day)])
    assert f"新计入 1 天：{day}" in finance.get(page).text
    days = {"first_day": slip.isoformat(), "last_day": day.isoformat(), "last_day_over": "1"}
    shown = finance.post(f"{page}/confirm", days)
    assert shown.status_code == 200
    assert f"新计入 30 天：{slip} 至 {day}" in shown.text
    mended = days | {"first_day": first.isoformat(), "seen": f"{slip}/{day}/1"}
    shown = finance.post(f"{page}/confirm", mended)
    assert f"新计入 3 天：{first} 至 {day}" in shown.text, "others than the page showed"
    assert Statement.get().status == "draft"
    assert f'name="seen" value="{first}/{day}/1"' in shown.text
    assert finance.post(f"{page}/confirm", mended | {"seen": f"{first}/{day}/1"}).status_code == 303
    assert covered(ACCOUNT, first, day)
    assert not covered(ACCOUNT, slip, day)


def test_a_start_that_is_far_too_early_is_refused(world: World, finance: Browser, tmp_path: Path) -> None:
    day = shanghai_day(utcnow()) - timedelta(days=1)
    page = uploaded(finance, tmp_path, [a_line(100, "x", day=day)])
    early = (day - timedelta(days=32)).isoformat()
    answer = finance.post(f"{page}/confirm", {"first_day": early, "last_day": day.isoformat()})
    assert answer.status_code == 422
    assert "起始日最多比第一笔交易早 31 天" in answer.text
    assert Statement.get().status == "draft"
