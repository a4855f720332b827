"""Administrators and the staff's accounts."""

from __future__ import annotations

import html
import re

import pytest

from app.cases.models import Case
from app.console.words import RIGHTS
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right
from app.staff import service as staff
from app.staff.models import Member, MemberRight
from ops import manage
from tests.staffroom import PASSWORD, Browser, a_browser, a_member, at_desk, code_of, staff_of
from tests.world import World

CHIEF = (Right.ADMINISTRATOR, EVERYWHERE)
REVIEWER = (Right.REVIEWER, "yunnan")
SURE = {"sure": "yes"}
NEW = {"login": "fang.wang", "name": "王芳", "right": "reviewer", "programme": "yunnan"}


@pytest.fixture
def chief(world: World) -> Browser:
    return at_desk(world, a_member(CHIEF, name="陈主任"))


def link_in(page: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+(/console/welcome/[\w.\-]+)", html.unescape(page))
    assert found is not None
    return found[1]


def rights_of(member: Member) -> set[tuple[str, str]]:
    rows = MemberRight.select().where(MemberRight.member_id == member.id)
    return {(row.right, row.programme) for row in rows}


def test_an_account_is_made_and_its_owner_comes_in_by_the_link(world: World, chief: Browser) -> None:
    chief.get("/console/staff")
    made = chief.post("/console/staff", NEW)
    assert made.status_code == 200
    browser = a_browser(world)
    data = {"password": PASSWORD, "again": PASSWORD}
    assert browser.client.post(link_in(made.text), data=data).status_code == 303
    browser.get("/console/second-factor")
    member = Member.get(Member.login == "fang.wang")
    assert browser.post("/console/second-factor", {"code": code_of(member)}).status_code == 200
    assert browser.get("/console/queues/face.photo").status_code == 200
    assert browser.get("/console/staff").status_code == 403
    done = [entry.action for entry in AuditEntry.select().where(AuditEntry.subject == f"staff:{member.id}")]
    assert {"staff.created", "staff.right_given", "staff.password_set", "staff.signed_in"} <= set(done)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"login": "Ä"}, 422),
        ({"login": "x"}, 422),
        ({"name": " "}, 422),
        ({"right": "king"}, 422),
        ({"programme": "nowhere"}, 422),
        ({"login": "taken"}, 409),
    ],
)
def test_what_is_wrong_with_an_account_is_said_and_none_is_made(
    chief: Browser, change: dict[str, str], status: int
) -> None:
    a_member(REVIEWER, login="taken")
    before = Member.select().count()
    answer = chief.post("/console/staff", NEW | change)
    assert answer.status_code == status
    assert 'class="message bad"' in answer.text
    assert Member.select().count() == before


def test_a_programmes_administrator_gives_rights_there_and_nowhere_else(world: World) -> None:
    mayor = a_member((Right.ADMINISTRATOR, "yunnan"))
    browser, member = at_desk(world, mayor), a_member(REVIEWER)
    abroad = a_member((Right.REVIEWER, "henan"))
    both = a_member(REVIEWER, (Right.FINANCE, "henan"))

    def give(whom: Member, programme: str) -> int:
        form = {"what": "give", "right": "support", "programme": programme}
        return browser.post(f"/console/staff/{whom.id}/rights", form).status_code

    assert [give(member, "yunnan"), give(member, "henan"), give(member, EVERYWHERE), give(abroad, "yunnan")] == [
        303, 403, 403, 404
    ]  # fmt: skip
    assert rights_of(member) == {("reviewer", "yunnan"), ("support", "yunnan")}
    assert rights_of(abroad) == {("reviewer", "henan")}
    assert abroad.login not in browser.get("/console/staff").text
    for what, form in (("disable", {}), ("disable", SURE), ("link", {})):
        assert browser.post(f"/console/staff/{both.id}/{what}", form).status_code == 403, "it is not theirs alone"
        assert browser.post(f"/console/staff/{member.id}/{what}", form).status_code in (200, 303)
    assert Member.get_by_id(both.id).disabled_at is None


def test_a_disabled_account_is_out_at_once(world: World, chief: Browser) -> None:
    member = a_member(REVIEWER)
    browser = at_desk(world, member)
    chief.post(f"/console/staff/{member.id}/disable", SURE)
    assert browser.get("/console/").status_code == 401
    data = {"login": member.login, "password": PASSWORD}
    assert a_browser(world).client.post("/console/sign-in", data=data).status_code == 401
    chief.post(f"/console/staff/{member.id}/enable")
    assert a_browser(world).client.post("/console/sign-in", data=data).status_code == 303
    assert browser.get("/console/").status_code == 401, "the old session stays over"


def test_an_account_is_disabled_after_a_page_that_says_whose_it_is(world: World, chief: Browser) -> None:
    member = a_member(REVIEWER, (Right.FINANCE, "henan"), name="欧阳海燕", login="haiyan")
    page = chief.post(f"/console/staff/{member.id}/disable").text
    assert "请确认：停用 欧阳海燕 的账号" in page
    assert "<code>haiyan</code>" in page
    assert all(f"{RIGHTS[right]} · " in page for right in (Right.REVIEWER, Right.FINANCE))
    assert Member.get_by_id(member.id).disabled_at is None
    (sure,) = re.findall(r'name="(sure)" value="yes"', page)
    chief.post(f"/console/staff/{member.id}/disable", {sure: "yes"})
    assert Member.get_by_id(member.id).disabled_at is not None


def test_the_form_of_an_account_begins_with_nothing_chosen_and_keeps_what_was_typed(chief: Browser) -> None:
    page = chief.get("/console/staff").text
    for name in ("right", "programme"):
        (options,) = re.findall(rf'<select id="{name}" name="{name}" required>(.*?)</select>', page)
        assert options.startswith('<option value="">请选择</option>')
        assert " selected" not in options
    for wanting in ("right", "programme"):
        answer = chief.post("/console/staff", NEW | {wanting: ""})
        assert (answer.status_code, "请选择权限和项目" in answer.text) == (422, True)
        assert 'value="fang.wang"' in answer.text
    assert '<option value="reviewer" selected>' in answer.text
    assert Member.select().where(Member.login == "fang.wang").count() == 0


def test_nobody_disables_themselves_or_takes_their_own_rights(world: World) -> None:
    me = a_member(CHIEF)
    browser = at_desk(world, me)
    form = {"what": "take", "right": "administrator", "programme": EVERYWHERE}
    assert browser.post(f"/console/staff/{me.id}/disable").status_code == 409
    assert browser.post(f"/console/staff/{me.id}/rights", form).status_code == 409
    assert rights_of(me) == {("administrator", EVERYWHERE)}


def test_a_second_factor_is_reset_by_two_administrators(world: World, chief: Browser) -> None:
    member = a_member(REVIEWER, name="李敏")
    browser = at_desk(world, member)
    asked = chief.post(f"/console/staff/{member.id}/second-factor", {"reason": "视频核对了本人"})
    assert "等待另一位管理员同意" in asked.text
    case = Case.get(Case.kind == "staff.second_factor")
    assert chief.hx(f"/console/cases/{case.id}/decide", {"decision": "reset"}).status_code == 403
    assert Member.get_by_id(member.id).totp_at is not None
    second = at_desk(world, a_member(CHIEF))
    page = second.get(f"/console/cases/{case.id}").text
    assert "陈主任" in page
    assert "视频核对了本人" in page
    assert second.hx(f"/console/cases/{case.id}/decide", {"decision": "reset"}).status_code == 200
    assert Member.get_by_id(member.id).totp_at is None
    assert browser.get("/console/").status_code == 401
    browser.client.post("/console/sign-in", data={"login": member.login, "password": PASSWORD})
    assert "data:image/png" in browser.get("/console/second-factor").text


def test_of_a_programmes_member_that_programmes_administrators_decide(world: World) -> None:
    one, other = (a_member((Right.ADMINISTRATOR, "yunnan")) for _ in range(2))
    member = a_member(REVIEWER)
    assert staff.ask_factor_reset(staff_of(one), member.id, "当面核对了本人", now=utcnow())
    assert not staff.ask_factor_reset(staff_of(one), member.id, "当面核对了本人", now=utcnow())
    case = Case.get()
    assert at_desk(world, other).get(f"/console/cases/{case.id}").status_code == 200
    with pytest.raises(Problem) as caught:
        staff.ask_factor_reset(staff_of(one), member.id, " ", now=utcnow())
    assert caught.value.code == "staff_invalid"


def test_the_first_administrator_comes_from_the_command_line(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.members.load", lambda: world.settings)

    def run(*arguments: str) -> int:
        options = manage.parser().parse_args(list(arguments))
        status: int = options.run(options)
        return status

    assert run("staff-administrator", "chief", "--name", "陈主任", "--by", "li") == 0
    path = link_in(capsys.readouterr().out)
    browser = a_browser(world)
    assert browser.client.post(path, data={"password": PASSWORD, "again": PASSWORD}).status_code == 303
    member = Member.get(Member.login == "chief")
    assert rights_of(member) == {("administrator", EVERYWHERE)}
    browser.get("/console/second-factor")
    browser.post("/console/second-factor", {"code": code_of(member)})
    assert run("staff-reset-factor", "chief", "--reason", "唯一的管理员丢失手机", "--by", "li") == 0
    assert browser.get("/console/").status_code == 401
    assert run("staff-reset-factor", "nobody", "--reason", "x", "--by", "li") == 1
