from __future__ import annotations

from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.models import Case
from app.core.audit import AuditEntry
from app.core.db import database
from app.core.errors import Problem
from ops import manage
from tests.factories import NOW
from tests.world import World


def run(*arguments: str) -> int:
    """One command, in this process and this world."""
    options = manage.parser().parse_args(list(arguments))
    status: int = options.run(options)
    return status


def file(hours: int = 0) -> bool:
    return cases.file("pay.mismatch", "attempt:1", {"fen": 1}, now=NOW + timedelta(hours=hours))


def test_a_question_is_open_once_and_can_come_up_again_after_its_decision(world: World) -> None:
    assert [file(), file(1)] == [True, False]
    (case,) = cases.open_cases()
    assert cases.decide(case.id, "refunded by hand", actor="staff:li", now=NOW)
    assert cases.open_cases() == []
    assert [file(2), file(3)] == [True, False]
    assert [row.filed_at for row in cases.open_cases("pay.mismatch")] == [NOW + timedelta(hours=2)]
    assert len(cases.of_kind("pay.mismatch")) == 2


def test_a_decision_stands_and_is_written_down(world: World) -> None:
    file()
    (case,) = cases.open_cases()
    assert cases.decide(case.id, "refunded to 张建国", actor="staff:li", now=NOW)
    assert not cases.decide(case.id, "refunded to 张建国", actor="staff:wang", now=NOW)
    with pytest.raises(Problem) as caught:
        cases.decide(case.id, "kept", actor="staff:wang", now=NOW)
    assert caught.value.code == "conflict"
    row = Case.get_by_id(case.id)
    assert (row.status, row.decision, row.decided_by, row.decided_at) == (
        "decided", "refunded to 张建国", "staff:li", NOW
    )  # fmt: skip
    entry = AuditEntry.get(AuditEntry.action == "case.decided")
    assert (entry.actor, entry.subject) == ("staff:li", f"case:{case.id}")
    stored = str(database.execute_sql(*Case.select().sql()).fetchall()) + entry.data
    assert "张建国" not in stored


def test_cases_are_listed_and_decided_from_the_command_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    file()
    cases.file("face.no_try_left", "face_check:7", {}, now=NOW)
    assert run("cases", "--kind", "pay.mismatch") == 0
    told = capsys.readouterr().out
    (line,) = told.splitlines()
    assert "pay.mismatch  attempt:1" in line
    case_id = line.split()[0]
    assert run("decide-case", case_id, "--decision", "refunded", "--by", "li") == 0
    assert [case.kind for case in cases.open_cases()] == ["face.no_try_left"]
    with pytest.raises(Problem) as caught:
        run("decide-case", "nobodys", "--decision", "refunded", "--by", "li")
    assert caught.value.code == "not_found"
