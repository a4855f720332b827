"""Who of the staff may call what, in which programme; and that every kind of case that is filed is described."""

from __future__ import annotations

import ast
import re

from app.cases import kinds
from app.core.staff import EVERYWHERE, Right, Staff
from config.settings import ROOT
from tests import staff_matrix
from tests.faults import staff
from tests.staffroom import a_member, at_desk
from tests.world import World


def test_each_of_the_staff_gets_on_each_route_what_the_table_says(world: World) -> None:
    """A new route, a new kind of case, is denied until it is listed: `python -m tests.matrix` writes the line."""
    assert staff.unlisted(world) == []
    assert staff.measured(world) == []


def test_a_route_that_names_no_role_is_answered_to_nobody(world: World) -> None:
    assert staff.nameless(world) == []


def test_twin_without_the_role_or_the_rights_the_tables_tell(world: World) -> None:
    assert staff.a1_twin(world)


def test_no_role_sees_another_programmes_case_and_none_but_its_own_kinds() -> None:
    """Reading the table: of a case only the role its kind names, and administrators; nobody from elsewhere."""
    lines = [line for line in staff_matrix.TABLE.read_text(encoding="utf-8").splitlines() if "[" in line]
    lines = [line for line in lines if not line.startswith("#")]
    assert len(lines) > 40
    for line in lines:
        name, cells = line[:74], dict(zip(staff_matrix.CALLERS, line[74:].split(), strict=True))
        assert cells["anonymous"] == cells["trainee"] == "401", line
        assert cells["signing-in"] == "403", line
        kind = kinds.of(re.sub(r".*\[(.*?)\*?\].*", r"\1", name).strip())
        if kind is None or "<kind>" in name or "<key>" in name:
            continue
        assert cells["elsewhere"] == "404", line
        allowed = {right for right in Right if cells[right] != "404"}
        assert allowed <= ({kind.right, Right.ADMINISTRATOR} if "*" not in name else set()), line


def test_rights_are_per_programme_and_everywhere_holds_what_belongs_to_none() -> None:
    here = Staff("staff:1", frozenset({(Right.FINANCE, "yunnan")}))
    assert here.may(Right.FINANCE, "yunnan")
    assert not here.may(Right.FINANCE, "henan")
    assert not here.may(Right.SUPPORT, "yunnan")
    assert not here.may(Right.FINANCE, EVERYWHERE)
    chief = Staff("staff:2", frozenset({(Right.ADMINISTRATOR, EVERYWHERE)}))
    assert all(chief.may(right, place) for right in Right for place in ("yunnan", "henan", EVERYWHERE))
    mayor = Staff("staff:3", frozenset({(Right.ADMINISTRATOR, "henan")}))
    assert all(mayor.may(right, "henan") and not mayor.may(right, EVERYWHERE) for right in Right)


def test_a_right_that_is_taken_away_is_gone_at_the_next_click(world: World) -> None:
    chief = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    member = a_member((Right.REVIEWER, "yunnan"))
    browser = at_desk(world, member)
    assert browser.get("/console/queues/face.photo").status_code == 200
    chief.post(f"/console/staff/{member.id}/rights", {"what": "take", "right": "reviewer", "programme": "yunnan"})
    assert browser.get("/console/queues/face.photo").status_code == 404


def filed() -> set[str]:
    """The kinds that the code files: the first argument of every call that files a case."""
    found: set[str] = set()
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".file", "file_case", "stuck.tell")):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def test_every_kind_that_is_filed_is_described_and_can_be_decided(world: World) -> None:
    described = {kind.name: kind for kind in kinds.every()}
    assert len(filed()) > 12
    assert filed() <= set(described)
    for kind in described.values():
        assert kind.decisions, kind.name
        assert len({decision.key for decision in kind.decisions}) == len(kind.decisions) <= 9, kind.name
        for decision in kind.decisions:
            assert len(decision.reasons) <= 9, "each reason has a key"
            assert not (decision.batch and (decision.second_look or decision.note_needed)), kind.name
