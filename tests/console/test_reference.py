"""Reference data by Flask-Admin: inside of the console's sign-in, rights, tokens and policy; each change is told."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from app.cases.models import Case
from app.core import audit
from app.core.audit import AuditEntry
from app.core.staff import EVERYWHERE, Right
from app.core.web import PAGE_POLICY
from app.policy import told, working_days
from app.policy.models import CalendarDay
from jobs import schedule
from tests.staffroom import Browser, a_browser, a_member, at_desk
from tests.world import World

URL = "/console/reference/calendar-days/"
YEAR = working_days.LAST_YEAR + 3
WEDNESDAY = next(date(YEAR, 5, day) for day in range(1, 8) if date(YEAR, 5, day).weekday() == 2)


def a_chief(world: World) -> Browser:
    desk = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    desk.get(f"{URL}new/")
    return desk


def enter(desk: Browser, day: date = WEDNESDAY, working: str = "no", note: str = "国办发明电 7 号") -> int:
    form = {"day": day.isoformat(), "working": working, "note": note}
    return desk.post(f"{URL}new/", form).status_code


def test_a_day_that_is_entered_is_free_at_once_and_its_year_is_known(world: World) -> None:
    assert working_days.is_working_day(WEDNESDAY, None)
    assert not working_days.year_known(YEAR, None)
    assert enter(a_chief(world)) == 302
    assert not working_days.is_working_day(WEDNESDAY, None)
    assert working_days.year_known(YEAR, None)


def test_it_is_corrected_and_taken_back_and_each_is_in_the_audit_log(world: World) -> None:
    desk = a_chief(world)
    enter(desk)
    row = CalendarDay.get()
    path = f"{URL}edit/?id={row.id}"
    assert 'value="no" selected' in re.sub(r"selected value=\"no\"", 'value="no" selected', desk.get(path).text)
    changed = desk.post(path, {"day": WEDNESDAY.isoformat(), "working": "yes", "note": "更正"})
    assert changed.status_code == 302
    assert working_days.is_working_day(WEDNESDAY, None)
    assert "更正" in desk.get(URL).text
    assert desk.post(f"{URL}delete/", {"id": row.id}).status_code == 302
    assert CalendarDay.select().count() == 0
    actions = [line.action for line in audit.about((told.SUBJECT,), limit=9)]
    assert actions == ["calendar_day.removed", "calendar_day.changed", "calendar_day.entered"]
    assert all(
        row.actor.startswith("staff:") for row in AuditEntry.select().where(AuditEntry.subject == told.SUBJECT)
    )


def test_who_reads_the_days_while_they_change_keeps_those_of_before_whole(world: World) -> None:
    enter(a_chief(world))
    before = told._all()
    CalendarDay.delete().execute()
    told.forget()
    assert told._all() == {}
    assert before == {WEDNESDAY: False}


def test_a_day_is_entered_once_and_what_is_wrong_is_said_in_chinese(world: World) -> None:
    desk = a_chief(world)
    enter(desk)
    assert enter(desk) == 200
    answer = desk.post(f"{URL}new/", {"day": WEDNESDAY.isoformat(), "working": "no", "note": "x"})
    assert "这一天已经录入过" in answer.text
    assert "请选择日期" in desk.post(f"{URL}new/", {"working": "no", "note": "x"}).text
    assert CalendarDay.select().count() == 1


def test_only_an_administrator_of_everything_gets_in(world: World) -> None:
    for rights in (((Right.ADMINISTRATOR, "yunnan"),), ((Right.TEACHING, EVERYWHERE),)):
        desk = at_desk(world, a_member(*rights))
        for path in (URL, f"{URL}new/", "/console/reference/"):
            assert desk.get(path).status_code == 403, (rights, path)
        assert enter(desk) == 403
    assert a_browser(world).get(URL).status_code == 401
    assert CalendarDay.select().count() == 0


def test_a_form_without_the_sessions_token_changes_nothing(world: World) -> None:
    desk = a_chief(world)
    form = {"day": WEDNESDAY.isoformat(), "working": "no", "note": "x"}
    assert desk.post(f"{URL}new/", form, csrf="").status_code == 403
    assert CalendarDay.select().count() == 0


def test_its_pages_keep_the_policy_of_every_page_and_hold_nothing_inline(world: World) -> None:
    desk = a_chief(world)
    enter(desk, note="<script>alert(1)</script>")
    for path in ("/console/reference/", URL, f"{URL}new/", f"{URL}edit/?id={CalendarDay.get().id}"):
        answer = desk.get(path)
        assert answer.headers["Content-Security-Policy"] == PAGE_POLICY, path
        assert "<script>" not in answer.text
        assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\bsrc=)", answer.text), path
        assert "Set-Cookie" not in answer.headers, "no session of Flask's beside ours"


def test_nothing_else_of_flask_admin_is_reachable(world: World) -> None:
    rules = [rule.rule for rule in world.app.url_map.iter_rules() if "/console/reference" in rule.rule]
    assert len(rules) == 5
    desk = a_chief(world)
    for path in ("export/csv/", "ajax/lookup/", "ajax/update/", "action/", "details/"):
        assert desk.get(f"{URL}{path}").status_code == 404, path
    assert desk.get("/admin/").status_code == 404


def test_on_the_fifth_of_december_the_desks_are_asked_for_the_next_years_days(world: World) -> None:
    december = datetime(working_days.LAST_YEAR, 12, 5, 1, 0, tzinfo=UTC)
    new_year = date(december.year + 1, 1, 1)
    schedule.run("invoice.look_after", now=december)
    finance, chief = at_desk(world, a_member((Right.FINANCE, "yunnan"))), a_chief(world)
    case = Case.get(Case.subject == f"yunnan:{new_year.year}")
    assert "明年的节假日未知" in finance.get("/console/").text
    asked = finance.get(f"/console/cases/{case.id}").text
    assert str(new_year.year) in asked
    assert "“基础数据”的“法定节假日与调休”" in asked
    assert enter(chief, new_year) == 302
    Case.delete().execute()
    schedule.run("invoice.look_after", now=december + timedelta(days=1))
    assert Case.select().count() == 0, "what was entered is not asked for"
