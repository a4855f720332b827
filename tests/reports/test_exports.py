"""Lists as files: with a reason, masked, harmless, for whoever asked, and for a day (faults A2, A5)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right, Staff
from app.reports import exports
from app.reports import service as reports
from app.reports.lists import LISTS
from app.reports.models import Export
from app.staff.models import Member
from tests import factories
from tests.console.desks import a_photo_case
from tests.factories import an_enrolment
from tests.faults import staff as desks
from tests.pay.till import an_order
from tests.reports.takeaway import asked, made, table
from tests.staffroom import Browser, a_member, at_desk, staff_of
from tests.world import World


def lines(member: Member) -> list[tuple[str, dict[str, Any]]]:
    found = AuditEntry.select().where(AuditEntry.action.startswith("export.")).order_by(AuditEntry.id)
    return [(row.action, json.loads(row.data)) for row in found]


@pytest.fixture
def teacher(world: World) -> Member:
    return a_member((Right.TEACHING, "yunnan"))


def test_a_list_is_masked_and_who_took_it_and_why_is_written_down(teacher: Member) -> None:
    person = factories.a_person(name="欧阳海燕", phone="13812345678")
    an_enrolment(person)
    an_enrolment(factories.a_person(), now=utcnow() - timedelta(days=10))
    export, data = made(teacher, asked())
    (row,) = table(data)[1:]
    assert export.rows == 1
    assert "欧阳海燕" not in data.decode()
    assert person.id_number not in data.decode()
    assert row[3:6] == ["欧**燕", f"{person.id_number[:3]}***********{person.id_number[-4:]}", "138****5678"]
    assert [action for action, _ in lines(teacher)] == ["export.asked", "export.made", "export.fetched"]
    assert lines(teacher)[0][1]["reason"] == "给主管部门报送名单"


def test_whatever_people_are_called_no_cell_is_a_formula(world: World) -> None:
    assert desks.a2(world, 1) == 0


def test_twin_written_as_they_are_some_would_be(world: World) -> None:
    assert desks.a2_twin(world)


def test_nothing_is_had_in_the_clear_or_as_a_file_without_a_reason_and_its_line(world: World) -> None:
    assert desks.a5(world, 1) == 0


def test_twin_without_the_lines_and_without_the_reason_that_is_told(world: World) -> None:
    assert desks.a5_twin(world)


def test_cases_and_orders_can_be_taken_too(world: World) -> None:
    one = a_member((Right.REVIEWER, "yunnan"), (Right.FINANCE, "yunnan"))
    case, order = a_photo_case(), an_order(factories.a_person())
    assert [row[0] for row in table(made(one, asked("cases"), "first-form")[1])[1:]] == [case.id]
    (row,) = table(made(one, asked("orders"), "second-form")[1])[1:]
    assert (row[0], row[5], row[6]) == (order.id, "200.00", "待支付")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "报"}, "export_invalid"),
        ({"since": "2020-01-01"}, "export_invalid"),
        ({"until": "gestern"}, "export_invalid"),
        ({"what": "everything"}, "export_invalid"),
        ({"format": "exe"}, "export_invalid"),
        ({"what": "orders"}, "forbidden"),
        ({"programme": "henan"}, "forbidden"),
        ({"clear": True}, "forbidden"),
    ],
)
def test_nobody_takes_what_is_not_theirs_nor_without_a_reason(
    teacher: Member, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Problem) as refused:
        reports.ask(staff_of(teacher), asked(**changes), token="one-form", now=utcnow())
    assert refused.value.code == code
    assert not Export.select().exists()
    assert lines(teacher) == []


def test_another_programme_is_in_no_list_of_mine(world: World) -> None:
    an_enrolment(factories.a_person(), entry=factories.a_roster_entry(factories.a_person(), programme="henan"))
    here = a_member((Right.TEACHING, "yunnan"))
    everywhere = a_member((Right.TEACHING, EVERYWHERE))
    assert made(here, asked(programme=EVERYWHERE))[0].rows == 0
    assert made(everywhere, asked(programme=EVERYWHERE))[0].rows == 1


def test_a_form_sent_twice_is_one_export_and_two_at_once_are_enough(teacher: Member) -> None:
    staff = staff_of(teacher)
    first, again = (reports.ask(staff, asked(), token="one-form", now=utcnow()) for _ in range(2))
    assert first.id == again.id
    reports.ask(staff, asked(), token="another-form", now=utcnow())
    with pytest.raises(Problem) as busy:
        reports.ask(staff, asked(), token="a-third-form", now=utcnow())
    assert busy.value.code == "export_busy"


def test_a_file_is_fetched_by_whoever_asked_while_they_may_and_for_a_day(teacher: Member) -> None:
    export, _ = made(teacher, asked())
    other = staff_of(a_member((Right.TEACHING, "yunnan")))
    with pytest.raises(Problem) as foreign:
        reports.fetch(other, export.id, now=utcnow())
    assert foreign.value.code == "not_found"
    without = replace(staff_of(teacher), rights=frozenset())
    with pytest.raises(Problem) as taken:
        reports.fetch(without, export.id, now=utcnow())
    assert taken.value.code == "forbidden"
    later = utcnow() + exports.LASTS + timedelta(minutes=1)
    with pytest.raises(Problem) as over:
        reports.fetch(staff_of(teacher), export.id, now=later)
    assert over.value.code == "export_not_ready"
    reports.work_exports(now=later)
    assert Export.get_by_id(export.id).status == "gone"
    assert not exports._path(export.id).exists()


def test_on_the_disk_nothing_can_be_read(teacher: Member) -> None:
    an_enrolment(factories.a_person())
    export, data = made(teacher, asked())
    kept = exports._path(export.id).read_bytes()
    assert data[3:20] not in kept
    assert "报名编号".encode() not in kept


def test_what_a_dead_worker_left_is_made_by_another_and_given_up_in_the_end(
    teacher: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = reports.ask(staff_of(teacher), asked(), token="one-form", now=utcnow())
    now = utcnow()
    Export.update(status="making", claimed_at=now - exports.LOST, tries=1).where(Export.id == row.id).execute()
    assert reports.work_exports(now=now) == 1
    assert Export.get_by_id(row.id).status == "ready"

    broken = reports.ask(staff_of(teacher), asked(), token="two-form", now=utcnow())
    monkeypatch.setattr(exports, "_made", lambda _: 1 / 0)
    for _ in range(exports.MOST_TRIES):
        reports.work_exports(now=utcnow())
    assert Export.get_by_id(broken.id).status == "failed"


def test_a_list_is_read_page_by_page_and_none_is_lost(teacher: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.reports import lists

    monkeypatch.setattr(lists, "PAGE", 2)
    now = utcnow()
    known = {an_enrolment(factories.a_person(), now=now).id for _ in range(5)}  # all at the same moment
    _, data = made(teacher, asked())
    found = [row[0] for row in table(data)[1:]]
    assert sorted(found) == sorted(known)


def test_it_is_asked_for_and_fetched_in_the_console(world: World, teacher: Member) -> None:
    an_enrolment(factories.a_person())
    desk: Browser = at_desk(world, teacher)
    page = desk.get("/console/exports").text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    form = {**vars(asked()), "clear": "", "token": token[1]}
    assert desk.post("/console/exports", form).status_code == 303
    row = Export.get()
    assert "hx-trigger" in desk.get("/console/exports").text, "the page asks again while it is made"
    reports.make_export(row.id, now=utcnow())
    assert f"/console/exports/{row.id}/file" in desk.get("/console/exports").text
    answer = desk.get(f"/console/exports/{row.id}/file")
    named = answer.headers["Content-Disposition"]
    assert named.startswith("attachment; filename*=UTF-8''%E6%8A%A5%E5%90%8D-")
    assert named.isascii(), "a header with other signs is no header"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "请写明导出的用途" in desk.post("/console/exports", form | {"reason": " ", "token": "a-new-form"}).text


def test_of_a_file_of_several_programmes_all_are_needed_still(world: World) -> None:
    member = a_member((Right.TEACHING, "yunnan"), (Right.TEACHING, "henan"))
    export, _ = made(member, asked(programme=EVERYWHERE))
    less = Staff(f"staff:{member.id}", frozenset({(Right.TEACHING, "yunnan")}))
    with pytest.raises(Problem, match="forbidden"):
        reports.fetch(less, export.id, now=utcnow())
    reports.fetch(staff_of(member), export.id, now=utcnow())


def test_a_number_in_a_decision_is_masked_with_the_list(world: World) -> None:
    case = a_photo_case(factories.a_person())
    case.decision = "电话 13812345678 已核对"
    for clear, told in ((False, "电话 138****5678 已核对"), (True, case.decision)):
        assert told in next(iter(LISTS["cases"].cells([case], clear)))
