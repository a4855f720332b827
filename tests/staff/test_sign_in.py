"""Staff sign in by a password and a second factor."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from app.core import passwords
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.staff import Right
from app.staff import factor, sessions
from app.staff import service as staff
from app.staff import sign_in as flow
from app.staff.models import Member, MemberSession, RecoveryCode
from tests.races import overtaken
from tests.staffroom import PASSWORD, Browser, a_browser, a_member, at_desk, code_of
from tests.world import World

REVIEWER = (Right.REVIEWER, "yunnan")


@pytest.fixture
def member(world: World) -> Member:
    return a_member(REVIEWER)


@pytest.fixture
def browser(world: World) -> Browser:
    return a_browser(world)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """How far the server's clock is ahead."""
    ahead = [timedelta()]
    monkeypatch.setattr("app.core.access.utcnow", lambda: utcnow() + ahead[0])
    return ahead


def enter_password(browser: Browser, login: str, password: str = PASSWORD, **options: Any) -> Any:
    data = {"login": login, "password": password}
    return browser.client.post("/console/sign-in", data=data, **options)


def cookie(browser: Browser) -> str:
    found = browser.client.get_cookie("staff")
    return found.value if found is not None else ""


def signed_in(browser: Browser) -> bool:
    return bool(browser.client.get("/console/").status_code == 200)


def actions() -> list[str]:
    return [entry.action for entry in AuditEntry.select().order_by(AuditEntry.id)]


def test_password_and_second_factor_open_the_console_and_each_is_written_down(
    member: Member, browser: Browser
) -> None:
    answer = enter_password(browser, member.login.upper() + " ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/second-factor")
    assert not signed_in(browser)
    assert "验证器" in browser.get("/console/second-factor").text
    answer = browser.post("/console/second-factor", {"code": code_of(member)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")
    assert signed_in(browser)
    assert actions() == ["staff.signed_in"]
    browser.get("/console/")
    assert browser.post("/console/sign-out").status_code == 303
    assert not signed_in(browser)
    assert actions() == ["staff.signed_in", "staff.signed_out"]


def test_an_office_behind_one_address_signs_in_all_day(world: World) -> None:
    members = [a_member(REVIEWER) for _ in range(flow.ADDRESS.free + 2)]
    assert [enter_password(a_browser(world), member.login).status_code for member in members] == [303] * len(members)


def test_once_the_second_factor_is_set_up_nobody_half_way_sees_its_secret(world: World) -> None:
    member = a_member(REVIEWER, enrolled=False)
    owner, other = a_browser(world), a_browser(world)
    for browser in (owner, other):
        enter_password(browser, member.login)
        assert member.totp in browser.get("/console/second-factor").text
    owner.post("/console/second-factor", {"code": code_of(member)})
    assert signed_in(owner)
    page = other.get("/console/second-factor")
    assert (page.status_code, member.totp in page.text) == (401, False)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(member: Member, browser: Browser) -> None:
    head = enter_password(browser, member.login).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(head.split("; "))
    assert "Domain" not in head
    browser.client.application.extensions["staff_cookie"] = "__Host-staff"
    try:
        head = enter_password(browser, member.login).headers["Set-Cookie"]
        assert head.startswith("__Host-staff=")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(head.split("; "))
    finally:
        browser.client.application.extensions["staff_cookie"] = "staff"


def test_unknown_disabled_and_wrong_get_one_answer_for_the_same_work(
    world: World, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = passwords._hasher

    class Recording:
        def verify(self, stored: str, password: str) -> bool:
            asked.append(stored)
            return real.verify(stored, password)

        def hash(self, password: str) -> str:
            return real.hash(password)

    monkeypatch.setattr(passwords, "_hasher", Recording())
    gone = a_member(REVIEWER, disabled_at=utcnow())
    tries = [("nobody", PASSWORD), (gone.login, PASSWORD), (member.login, "not this one"), (member.login, "")]
    answers = [enter_password(a_browser(world), login, password) for login, password in tries]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert len({re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}) == 1
    assert len(asked) == 4


def test_a_code_is_good_once_even_for_two_at_the_same_time(member: Member) -> None:
    now = utcnow()
    code = code_of(member, now=now)

    def use() -> str | None:
        return factor.use(Member.get_by_id(member.id), code, now=now)

    with overtaken(pyotp.TOTP, "generate_otp", use) as other:
        mine = use()
    assert sorted([str(mine), str(other[0])]) == ["None", "totp"]
    assert use() is None


def test_without_the_compare_and_set_both_would_get_in(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow()
    code = code_of(member, now=now)

    def careless(model: Any, row_id: str, _where: dict[str, Any], values: dict[str, Any]) -> bool:
        return bool(model.update(values).where(model.id == row_id).execute())

    monkeypatch.setattr(factor, "compare_and_set", careless)

    def use() -> str | None:
        return factor.use(Member.get_by_id(member.id), code, now=now)

    with overtaken(pyotp.TOTP, "generate_otp", use) as other:
        mine = use()
    assert (mine, other[0]) == ("totp", "totp")


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_off_by_one_step(member: Member, steps: int, good: bool) -> None:
    now = utcnow()
    assert (factor.use(member, code_of(member, now=now, steps=steps), now=now) is not None) is good


def test_a_code_older_than_the_last_one_used_is_not_taken(member: Member) -> None:
    now = utcnow()
    assert factor.use(member, code_of(member, now=now), now=now) == "totp"
    assert factor.use(Member.get_by_id(member.id), code_of(member, now=now, steps=-1), now=now) is None


def test_a_used_code_opens_nothing_in_another_browser(world: World, member: Member) -> None:
    code = code_of(member)
    for expected in (303, 422):
        browser = a_browser(world)
        enter_password(browser, member.login)
        browser.get("/console/second-factor")
        assert browser.post("/console/second-factor", {"code": code}).status_code == expected
    assert "staff.code_wrong" in actions()


def test_each_step_begins_a_fresh_session_and_the_one_before_is_over(world: World, member: Member) -> None:
    """Fixation: whoever planted a cookie holds nothing afterwards."""
    browser = a_browser(world)
    browser.client.set_cookie("staff", "planted")
    enter_password(browser, member.login)
    half = cookie(browser)
    browser.get("/console/second-factor")
    browser.post("/console/second-factor", {"code": code_of(member)})
    assert len({"planted", half, cookie(browser)}) == 3
    for old in (half, "planted"):
        other = a_browser(world)
        other.client.set_cookie("staff", old)
        assert other.client.get("/console/second-factor").status_code == 401


def test_the_first_sign_in_sets_up_the_second_factor_and_shows_recovery_codes_once(world: World) -> None:
    member = a_member(REVIEWER, enrolled=False)
    browser = a_browser(world)
    enter_password(browser, member.login)
    page = browser.get("/console/second-factor").text
    assert 'src="data:image/png' in page
    assert Member.get_by_id(member.id).totp in page
    assert browser.post("/console/second-factor", {"code": "000000"}).status_code == 422
    shown = browser.post("/console/second-factor", {"code": code_of(member)})
    assert shown.status_code == 200
    codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", shown.text)
    assert len(set(codes)) == 10
    assert signed_in(browser)
    assert not any(code.replace("-", "") in str(row.__data__) for code in codes for row in RecoveryCode.select())

    for expected in (303, 422):
        lost_phone = a_browser(world)
        enter_password(lost_phone, member.login)
        page = lost_phone.get("/console/second-factor").text
        assert "data:image/png" not in page, "the secret is shown at the first sign-in only"
        assert lost_phone.post("/console/second-factor", {"code": f" {codes[0].upper()}"}).status_code == expected


def test_guesses_are_paused_where_they_come_from_and_the_owner_is_not_locked_out(
    world: World, member: Member
) -> None:
    there: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "10.1.1.1"}}
    statuses = [enter_password(a_browser(world), member.login, "guess", **there).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    paused = enter_password(a_browser(world), member.login, PASSWORD, **there)
    assert (paused.status_code, int(paused.headers["Retry-After"]) > 0) == (429, True)
    for number in range(40):
        enter_password(a_browser(world), member.login, "guess", environ_base={"REMOTE_ADDR": f"10.2.{number}.1"})
    assert enter_password(a_browser(world), member.login, PASSWORD).status_code == 303


def test_codes_cannot_be_guessed(world: World, member: Member) -> None:
    browser = a_browser(world)
    enter_password(browser, member.login)
    browser.get("/console/second-factor")
    answers = [browser.post("/console/second-factor", {"code": f"{number:06d}"}) for number in range(7)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429] * 2


@pytest.mark.parametrize(
    ("gone", "alive"),
    [(timedelta(minutes=29), True), (timedelta(minutes=31), False)],
)
def test_a_session_ends_when_nobody_is_there(
    world: World, member: Member, clock: list[timedelta], gone: timedelta, alive: bool
) -> None:
    browser = at_desk(world, member)
    clock[0] = gone
    assert signed_in(browser) is alive


def test_a_page_that_asks_again_by_itself_keeps_nobody_signed_in(
    world: World, member: Member, clock: list[timedelta]
) -> None:
    browser = at_desk(world, member)
    for minutes in (10, 20, 29):
        clock[0] = timedelta(minutes=minutes)
        assert browser.client.get("/console/", headers={"X-Poll": "1"}).status_code == 200
    clock[0] = timedelta(minutes=31)
    assert browser.client.get("/console/").status_code == 401


def test_what_somebody_pressed_keeps_them_signed_in_whatever_its_header_says(
    world: World, member: Member, clock: list[timedelta]
) -> None:
    browser = at_desk(world, member)
    clock[0] = timedelta(minutes=29)
    headers = {"X-Poll": "1", "X-CSRF-Token": browser.csrf}
    assert browser.client.post("/console/cases/0123456789abcdef/claim", headers=headers).status_code == 404
    clock[0] = timedelta(minutes=58)
    assert signed_in(browser)


def test_every_page_that_asks_again_by_itself_says_so() -> None:
    folder = Path("app/console/templates/console")
    polling = re.compile(r"<[^>]*hx-trigger=\"(?:every|load delay)[^>]*>")
    tags = [tag for path in sorted(folder.glob("*.html")) for tag in polling.findall(path.read_text("utf-8"))]
    assert len(tags) >= 5
    assert [tag for tag in tags if """hx-headers='{"X-Poll":"1"}'""" not in tag] == []


def test_a_session_ends_after_twelve_hours_whoever_is_there(
    world: World, member: Member, clock: list[timedelta]
) -> None:
    browser = at_desk(world, member)
    for minutes in range(20, 12 * 60, 20):
        clock[0] = timedelta(minutes=minutes)
        assert signed_in(browser), minutes
    clock[0] = timedelta(hours=12, seconds=1)
    assert not signed_in(browser)


def test_a_fourth_session_ends_the_oldest(world: World, member: Member) -> None:
    browsers = [at_desk(world, member) for _ in range(4)]
    assert [signed_in(browser) for browser in browsers] == [False, True, True, True]


def test_a_half_session_is_over_after_ten_minutes(world: World, member: Member, clock: list[timedelta]) -> None:
    browser = a_browser(world)
    enter_password(browser, member.login)
    clock[0] = timedelta(minutes=11)
    assert browser.client.get("/console/second-factor").status_code == 401


def test_a_form_without_its_token_or_from_another_site_changes_nothing(world: World, member: Member) -> None:
    browser, other = at_desk(world, member), at_desk(world, a_member(REVIEWER))
    for csrf in ("", "forged", other.csrf):
        assert browser.post("/console/sign-out", csrf=csrf).status_code == 403
    across = {"Sec-Fetch-Site": "cross-site"}
    sent = browser.client.post("/console/sign-out", data={"csrf": browser.csrf}, headers=across)
    assert sent.status_code == 403
    assert signed_in(browser)
    assert enter_password(a_browser(world), member.login, headers=across).status_code == 403


def test_an_invitation_sets_a_password_once(world: World) -> None:
    token = staff.create_first("chief", "陈主任", actor="system:cli", now=utcnow())
    browser = a_browser(world)
    path = f"/console/welcome/{token}"
    assert "陈主任" in browser.get(path).text
    weak = {"password": "short", "again": "short"}
    assert browser.client.post(path, data=weak).status_code == 422
    unlike = {"password": PASSWORD, "again": PASSWORD + "x"}
    assert browser.client.post(path, data=unlike).status_code == 422
    good = {"password": PASSWORD, "again": PASSWORD}
    assert browser.client.post(path, data=good).headers["Location"] == "/console/second-factor"
    assert "data:image/png" in browser.get("/console/second-factor").text
    assert a_browser(world).client.post(path, data=good).status_code == 404
    assert a_browser(world).get(path + "x").status_code == 404
    with pytest.raises(Exception, match="staff_link_over"):
        flow.invited(token, now=utcnow() + timedelta(days=3))


def test_after_the_sign_in_one_is_where_one_wanted_to_go_and_nowhere_else(member: Member, browser: Browser) -> None:
    asked = browser.get("/console/done")
    assert asked.status_code == 401
    assert 'value="/console/done"' in asked.text
    for back, on in (("/console/done", "/console/done"), ("https://elsewhere/", "/console/"), ("//x", "/console/")):
        enter_password(browser, member.login)
        browser.get("/console/second-factor")
        Member.update(totp_step=0).execute()
        answer = browser.post("/console/second-factor", {"code": code_of(member), "back": back})
        assert answer.headers["Location"] == on


def test_old_sessions_are_forgotten(world: World, member: Member) -> None:
    at_desk(world, member)
    assert staff.forget(now=utcnow() + timedelta(days=80)) == 0
    assert staff.forget(now=utcnow() + timedelta(days=100)) == 1
    assert MemberSession.select().count() == 0
    assert sessions.authenticate("nonsense", now=utcnow()) is None
