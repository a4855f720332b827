"""What a statement's preview says, and that it asks the database no more often for 500 lines than for two."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from app.core.clock import utcnow
from app.pay.audit import audit_payments
from app.pay.transfers import matching, queries
from app.pay.transfers import service as transfers
from ops.statements import Line
from tests.pay.transfers.bank import Purchase, a_line, line_of, take_in, upload
from tests.questions import counted
from tests.world import World


def questions_of(directory: Path, lines: list[Line]) -> int:
    rows = queries.lines(upload(directory, lines).id)
    assert len(rows) == len(lines)
    with counted() as sent:
        matching.foresee(rows)
    return len(sent)


def test_a_preview_of_500_lines_asks_as_often_as_one_of_two(world: World, tmp_path: Path) -> None:
    bought = [Purchase() for _ in range(12)]
    few = questions_of(tmp_path, [a_line(20000, one.code) for one in bought[:2]])
    lines = [a_line(20000 if number % 3 else 15000, bought[number % 12].code) for number in range(400)]
    many = questions_of(tmp_path, [*lines, *(a_line(100, "房租") for _ in range(100))])
    assert few == many <= 4


def test_the_list_of_those_that_wait_asks_as_often_for_twelve_as_for_two(world: World, tmp_path: Path) -> None:
    asked = []
    for number in (2, 10):
        bought = [Purchase() for _ in range(number)]
        take_in(tmp_path, [a_line(15000, bought[0].code)])
        with counted() as sent:
            rows = queries.waiting({"yunnan"})
        asked.append(len(sent))
    assert len(rows) == 12
    assert sorted(row.part_fen for row in rows)[-3:] == [0, 15000, 15000]
    assert {row.transfer.payer_name for row in rows} == {bought[0].payer}
    assert asked[0] == asked[1] == 2


def test_the_preview_says_of_each_line_what_becomes_of_it(world: World, tmp_path: Path) -> None:
    paid, waits, short = Purchase(), Purchase(), Purchase()
    before = a_line(20000, paid.code)
    take_in(tmp_path, [before, a_line(15000, short.code)])
    lines = [
        before,
        a_line(20000, paid.code),
        a_line(20000, waits.code),
        a_line(20000, waits.code, payer="别的公司"),
        a_line(20001, waits.code),
        a_line(5000, short.code),
        a_line(20000, f"{waits.code} {short.code}"),
        a_line(20000, "ZK123456780"),
        a_line(20000, "培训费"),
    ]
    row = upload(tmp_path, lines)
    rows = queries.lines(row.id)
    foreseen = matching.foresee(rows)
    found = [str(foreseen[one.id]) for one in rows]
    assert found[:7] == ["None", "paid", "exact", "payer", "over", "exact", "several"]
    assert found[7:] == ["slip", "no_code"]
    (other,) = queries.lines(upload(tmp_path, [a_line(1, before.remark, number=before.number)]).id)
    assert matching.foresee([other]) == {other.id: "conflict"}
    assert line_of(before).status == "settled"


def test_of_one_number_twice_the_preview_says_what_the_import_does(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    line = a_line(20000, bought.code)
    lines = [
        line,
        a_line(-20000, "冲正", number=line.number),
        a_line(20000, "x", number=line.number, payer="别的公司"),
    ]
    row = upload(tmp_path, lines)
    rows = queries.lines(row.id)
    foreseen = [str(matching.foresee(rows)[one.id]) for one in rows]
    day = date.fromisoformat(row.last_day)
    transfers.confirm(row.id, day, day, actor="staff:fin", now=utcnow())
    assert foreseen == [one.finding for one in queries.lines(row.id)] == ["exact", "reversal", "conflict"]
    assert (bought.order.status, audit_payments()) == ("paid", [])
    again = queries.lines(upload(tmp_path, [*lines, a_line(1)]).id)
    assert [str(matching.foresee(again)[one.id]) for one in again] == ["None", "None", "None", "no_code"]
