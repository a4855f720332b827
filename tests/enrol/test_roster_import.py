"""Rosters from file to database: all or nothing, every error by row and column, twice the same."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from app.account.models import Person
from app.core.audit import AuditEntry
from app.core.errors import Problem
from app.core.sheet import SheetRefused, write_report
from app.enrol.models import RosterEntry, RosterImport
from app.enrol.roster.rows import COLUMNS, RosterRow
from app.enrol.service import import_roster
from app.policy import load
from ops import rosters
from tests.enrol.conftest import RosterFile
from tests.factories import a_person, a_roster_entry, an_enrolment, an_id_number
from tests.world import World

NOW = datetime(2021, 3, 1, 2, 0, tzinfo=UTC)


def line(
    name: str = "张三",
    who: int = 1,
    kind: str = "塔机司机",
    number: str = "滇TJ(2019)0000001",
    phone: str = "13800138000",
) -> list[str]:
    return [name, an_id_number(who), phone, kind, number, "2019-09-01", "2021-09-01"]


def run(path: Path) -> list[tuple[int, str]]:
    """Import `path`; the places of its errors."""
    result = import_roster(path, "yunnan", actor="system", now=NOW)
    return [(error.row, error.column) for error in result.errors]


def everything() -> list[object]:
    """All that an import may write, but for the audit log."""
    return [list(model.select().order_by(model.id).dicts()) for model in (Person, RosterEntry, RosterImport)]


def test_people_and_their_certificates_are_imported(world: World, roster_file: RosterFile) -> None:
    path = roster_file([line(), line(kind="A", number="滇A(2020)1"), line("买买提•吾守尔", 2, "B", "滇B(2020)2", "")])

    result = import_roster(path, "yunnan", actor="system", now=NOW)

    assert (result.rows, result.added, result.changed, result.unchanged) == (3, 3, 0, 0)
    first, second, third = RosterEntry.select().order_by(RosterEntry.id)
    assert first.person_id == second.person_id != third.person_id
    assert (first.kind_code, first.certificate_no) == ("TJ", "滇TJ(2019)0000001")
    assert (first.issued_on, first.expires_on) == (date(2019, 9, 1), date(2021, 9, 1))
    person = Person.get_by_id(third.person_id)
    assert (person.name, person.id_number, person.phone) == ("买买提·吾守尔", an_id_number(2), None)
    assert Person.get_by_id(first.person_id).phone == "13800138000"
    record = RosterImport.get()
    assert (record.rows, record.added, first.import_id) == (3, 3, record.id)
    assert AuditEntry.get(AuditEntry.action == "roster.imported").actor == "system"


def test_no_name_number_or_phone_is_stored_in_the_clear(world: World, roster_file: RosterFile) -> None:
    run(roster_file([line()]))

    stored = repr([*everything(), *AuditEntry.select().dicts()])
    for secret in ("张三", an_id_number(1), "13800138000", "滇TJ(2019)0000001"):
        assert secret not in stored


def test_the_columns_may_stand_in_any_order_beside_others(world: World, roster_file: RosterFile) -> None:
    columns = ("序号", *reversed(COLUMNS), "单位")

    assert run(roster_file([["1", *reversed(line()), "某公司"]], columns)) == []

    assert RosterEntry.get().certificate_no == "滇TJ(2019)0000001"


def test_the_same_file_again_changes_nothing(world: World, roster_file: RosterFile) -> None:
    path = roster_file([line(), line("李四", 2, number="滇TJ(2019)0000002")])
    run(path)
    before = everything()

    result = import_roster(path, "yunnan", actor="system", now=datetime(2021, 3, 2, tzinfo=UTC))

    assert (result.added, result.changed, result.unchanged) == (0, 0, 2)
    assert everything() == before


def test_a_renewed_certificate_gets_its_new_days(world: World, roster_file: RosterFile) -> None:
    run(roster_file([line()]))
    renewed = line()
    renewed[5:] = ["2021-09-02", "2023-09-01"]

    later = datetime(2021, 9, 10, tzinfo=UTC)
    result = import_roster(roster_file([renewed]), "yunnan", actor="system", now=later)

    assert (result.added, result.changed) == (0, 1)
    assert RosterEntry.get().expires_on == date(2023, 9, 1)
    assert RosterImport.select().count() == 2


def test_one_wrong_row_keeps_the_whole_file_out(world: World, roster_file: RosterFile) -> None:
    good = [line("李四", who, number=f"滇TJ(2019){who:07d}") for who in range(2, 40)]
    wrong = line(kind="厨师")
    wrong[1] = "530102198001010010"

    assert run(roster_file([*good, wrong])) == [(40, "身份证号"), (40, "证书类别")]

    assert everything() == [[], [], []]
    assert AuditEntry.select().count() == 0


def test_a_certificate_of_another_person_is_told(world: World, roster_file: RosterFile) -> None:
    run(roster_file([line()]))
    somebody_else, somebody_new = line("李四", 2), line("王五", 3)
    a_person(id_number=an_id_number(2), name="李四")

    assert run(roster_file([somebody_else])) == [(2, "证书编号")]
    assert run(roster_file([somebody_new])) == [(2, "证书编号")]
    assert RosterEntry.select().count() == 1
    assert Person.select().count() == 2


def test_the_same_number_may_stand_in_another_programme(world: World, roster_file: RosterFile) -> None:
    a_roster_entry(a_person(), programme="henan", certificate_no="滇TJ(2019)0000001")

    assert run(roster_file([line()])) == []


def test_another_name_than_the_known_one_is_told_without_telling_it(world: World, roster_file: RosterFile) -> None:
    a_person(id_number=an_id_number(1), name="欧阳修")

    result = import_roster(roster_file([line()]), "yunnan", actor="system", now=NOW)

    assert [(error.row, error.column) for error in result.errors] == [(2, "姓名")]
    assert "欧" not in result.errors[0].message
    assert RosterEntry.select().count() == 0


@pytest.mark.parametrize("typed", ["买买提•吾守尔", "买买提・吾守尔", " 买买提· 吾守尔"])
def test_a_name_typed_in_another_way_is_the_same_name(world: World, roster_file: RosterFile, typed: str) -> None:
    a_person(id_number=an_id_number(1), name="买买提·吾守尔")

    assert run(roster_file([line(typed)])) == []


def test_the_kind_of_a_certificate_may_be_corrected_until_it_is_signed_up_for(
    world: World, roster_file: RosterFile
) -> None:
    run(roster_file([line()]))
    corrected = roster_file([line(kind="XHG")], name="corrected.xlsx")
    assert run(corrected) == []
    assert RosterEntry.get().kind_code == "XHG"

    entry = RosterEntry.get()
    an_enrolment(entry.person_id, "signed_up", entry=entry)

    assert run(roster_file([line(kind="TJ")])) == [(2, "证书类别")]
    assert run(corrected) == []


def test_errors_of_the_file_and_of_the_system_come_together_in_the_order_of_rows(
    world: World, roster_file: RosterFile
) -> None:
    a_person(id_number=an_id_number(1), name="欧阳修")
    rows = [line(), line("李四", 2, number="滇TJ(2019)2"), line("王五", 3, number="滇TJ(2019)2"), line(kind="厨师")]

    assert run(roster_file(rows)) == [(2, "姓名"), (4, "证书编号"), (5, "证书类别")]


def test_a_formula_as_a_value_is_told(world: World, tmp_path: Path) -> None:
    path = tmp_path / "formula.xlsx"
    book = openpyxl.Workbook()
    book.active.append(list(COLUMNS))
    book.active.append(['=CONCATENATE("张","三")', *line()[1:6], "=TODAY()"])
    book.save(path)

    assert run(path) == [(2, "姓名"), (2, "到期日期")]


def test_the_report_names_each_error_beside_its_row(world: World, roster_file: RosterFile, tmp_path: Path) -> None:
    rows = [line("李四", 2, number="滇TJ(2019)2"), line("=cmd|' /C calc'!A0", kind="厨师")]
    result = import_roster(roster_file(rows), "yunnan", actor="system", now=NOW)

    write_report(tmp_path / "report.xlsx", result.table, result.errors)

    header, row = openpyxl.load_workbook(tmp_path / "report.xlsx").active.values
    assert header == ("原行号", *COLUMNS, "错误说明")
    assert (row[0], row[1]) == (3, "'=cmd|' /C calc'!A0")
    assert row[-1].startswith("姓名：")
    assert "\n证书类别：没有这个证书类别" in row[-1]


def test_a_file_without_the_columns_or_of_another_programme_is_refused(world: World, roster_file: RosterFile) -> None:
    with pytest.raises(SheetRefused, match="缺少列：到期日期"):
        run(roster_file([line()[:6]], COLUMNS[:6]))
    with pytest.raises(SheetRefused, match="身份证号"):
        run(roster_file([line()], ("姓名", "身份证号码", *COLUMNS[2:])))
    with pytest.raises(Problem) as caught:
        import_roster(roster_file([line()]), "nowhere", actor="system", now=NOW)
    assert caught.value.code == "not_found"


def test_an_error_while_writing_leaves_nothing_behind(
    world: World, roster_file: RosterFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [line("李四", who, number=f"滇TJ(2019){who:07d}") for who in range(1, 500)]
    before = everything()

    def full(done: int, total: int) -> None:
        if done:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        import_roster(roster_file(rows), "yunnan", actor="system", now=NOW, progress=full)

    assert everything() == before


def test_two_imports_at_once_do_not_list_a_certificate_twice(world: World, roster_file: RosterFile) -> None:
    """The second one has read the tables before the first one wrote: the unique key stands in its way."""
    from app.enrol.roster import service

    path = roster_file([line()])
    known = service._known_entries

    def slow(programme: str, rows: list[RosterRow]) -> dict[str, RosterEntry]:
        found = known(programme, rows)
        a_roster_entry(a_person(), certificate_no="滇TJ(2019)0000001")
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "_known_entries", slow)
        with pytest.raises(Problem) as caught:
            run(path)

    assert caught.value.code == "conflict"
    assert RosterEntry.select().count() == 0  # the intruder came in the same transaction here, and went with it


@pytest.mark.parametrize(("count", "seconds"), [(2_000, 15), pytest.param(10_000, 30, marks=pytest.mark.slow)])
def test_thousands_of_rows_take_seconds(world: World, tmp_path: Path, count: int, seconds: int) -> None:
    """On an idle core a tenth of the limit is enough."""
    programme = load.in_force("yunnan", NOW)
    path = tmp_path / "large.xlsx"
    rosters.write(path, list(rosters.people(programme, count, today=date(2021, 3, 1))))
    told: list[tuple[int, int]] = []

    began = time.perf_counter()
    result = import_roster(path, "yunnan", actor="system", now=NOW, progress=lambda *state: told.append(state))
    took = time.perf_counter() - began

    assert (result.added, result.errors) == (count, [])
    assert took < seconds
    assert told == [(done, count) for done in range(0, count + 1, 200)]
    assert Person.select().count() == count


def test_made_up_people_are_valid_different_and_always_the_same(world: World) -> None:
    programme = load.in_force("yunnan", NOW)

    people = list(rosters.people(programme, 600, today=date(2021, 3, 1)))

    assert people == list(rosters.people(programme, 600, today=date(2021, 3, 1)))
    assert len({one.id_number for one in people}) == len({one.phone for one in people}) == 600
    assert any("·" in one.name for one in people)
    assert any(ord(sign) > 0xFFFF for one in people for sign in one.name)
