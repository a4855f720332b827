"""The console over HTTP: queues, cases, decisions, and what a hostile trainee can do to it: nothing."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest

from app.account import service as account
from app.cases import service as cases
from app.cases.models import Case
from app.core import outbox
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.outbox import OutboxMessage
from app.core.staff import EVERYWHERE, Right
from app.face import review, tries
from app.face.models import FaceRecord
from app.notify.kinds import text_of
from app.notify.models import Sms
from app.pay import decisions, queries, refunds
from app.pay.models import Refund
from tests import factories, staff_matrix
from tests.console.desks import a_photo_case, photo_of, told
from tests.pay.test_mismatch import a_paid_attempt
from tests.pay.till import in_background, letter, post, trouble
from tests.staffroom import Browser, a_member, at_desk
from tests.world import World

SVG = "<svg onload=alert(1)>"
REVIEWER, SUPPORT, FINANCE = (Right.REVIEWER, "yunnan"), (Right.SUPPORT, "yunnan"), (Right.FINANCE, "yunnan")


@pytest.fixture
def reviewer(world: World) -> Browser:
    return at_desk(world, a_member(REVIEWER))


def said(answer: str) -> str:
    found = re.search(r'id="message"[^>]*>([^<]*)<', answer)
    return found[1] if found else ""


def test_a_day_of_photos(world: World, reviewer: Browser) -> None:
    first, second, third = (a_photo_case(now=utcnow() - timedelta(hours=hours)) for hours in (30, 20, 10))
    page = reviewer.get("/console/").text
    assert "照片审核" in page
    assert "一天内 2 件，更早 1 件，已超期 0 件" in page
    start = reviewer.get("/console/queues/face.photo/next")
    assert start.headers["Location"] == f"/console/cases/{first.id}"
    page = reviewer.get(start.headers["Location"]).text
    assert "共 3 件待办" in page
    assert f'hx-post="/console/cases/{first.id}/claim"' in page
    assert "由您处理中" in reviewer.hx(f"/console/cases/{first.id}/claim").text

    answer = reviewer.hx(f"/console/cases/{first.id}/decide", {"decision": "confirm"})
    assert (said(answer.text), answer.headers["HX-Push-Url"]) == ("已办结：确认", f"/console/cases/{second.id}")
    assert f'data-case="{second.id}"' in answer.text, "the answer is the next case"
    assert Case.get_by_id(second.id).claimed_by is not None
    assert f"/console/cases/{third.id}/pictures/photo" in answer.text, "the picture of the one after is loaded ahead"

    answer = reviewer.hx(f"/console/cases/{second.id}/decide", {"decision": "return", "reason": "blurred"})
    assert f'data-case="{third.id}"' in answer.text
    answer = reviewer.hx(f"/console/cases/{third.id}/decide", {"decision": "confirm"})
    assert "都处理完了" in answer.text
    assert [photo_of(case) for case in (first, second, third)] == ["waiting", "returned", "waiting"]
    done = reviewer.get("/console/done").text
    assert "退回：照片不清晰" in html.unescape(done)
    assert reviewer.get(f"/console/cases/{first.id}").status_code == 200


def test_without_a_script_the_same_forms_lead_on(reviewer: Browser) -> None:
    first, second = a_photo_case(now=utcnow() - timedelta(hours=1)), a_photo_case()
    reviewer.get(f"/console/cases/{first.id}")
    answer = reviewer.post(f"/console/cases/{first.id}/decide", {"decision": "confirm"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/console/cases/{second.id}")
    refused = reviewer.post(f"/console/cases/{second.id}/decide", {"decision": "return"})
    assert refused.status_code == 422
    assert "请选择一条原因" in refused.text


def test_the_text_that_is_shown_is_the_message_that_is_queued(reviewer: Browser) -> None:
    case = a_photo_case()
    shown = told(reviewer.get(f"/console/cases/{case.id}").text)
    assert len(shown) == 6, "one for the confirmation, one for each reason to return it"
    reviewer.hx(f"/console/cases/{case.id}/decide", {"decision": "return", "reason": "ground"})
    sms = Sms.get(Sms.person_id == case.person_id)
    queued = text_of(sms.template, tuple(json.loads(sms.params)))
    assert queued == shown[2]
    assert "白墙" in queued
    other = a_photo_case()
    shown = told(reviewer.get(f"/console/cases/{other.id}").text)
    reviewer.hx(f"/console/cases/{other.id}/decide", {"decision": "confirm"})
    sms = Sms.get(Sms.person_id == other.person_id)
    assert text_of(sms.template, tuple(json.loads(sms.params))) == shown[0]


def test_who_has_no_phone_gets_no_message_and_the_desk_says_so(reviewer: Browser) -> None:
    case = a_photo_case(phone=None)
    assert "没有登记手机号" in reviewer.get(f"/console/cases/{case.id}").text
    reviewer.hx(f"/console/cases/{case.id}/decide", {"decision": "confirm"})
    assert Sms.select().count() == 0
    assert photo_of(case) == "waiting"


def test_many_are_decided_at_once_and_each_says_what_became_of_it(world: World, reviewer: Browser) -> None:
    found = [a_photo_case() for _ in range(3)]
    colleague = at_desk(world, a_member(REVIEWER, name="李敏"))
    colleague.hx(f"/console/cases/{found[1].id}/claim")
    page = reviewer.get("/console/queues/face.photo").text
    assert "李敏 处理中" in page
    assert 'data-text="您的照片审核结果：退回。照片不清晰' in html.unescape(page)
    form = {"decision": "return:blurred", "case": [case.id for case in found], "sure": "yes"}
    page = reviewer.post("/console/queues/face.photo/decide", form).text
    assert [photo_of(case) for case in found] == ["returned", "review", "returned"]
    assert page.count("已办结：退回") == 2
    assert "正由另一位同事处理" in page
    assert Sms.select().count() == 2


def test_many_are_decided_only_after_a_page_that_says_how_many_and_whom(world: World, reviewer: Browser) -> None:
    found = [a_photo_case(name=name) for name in ("欧阳海燕", "傅红", "高大山")]
    form = {"decision": "return:blurred", "case": [found[0].id, found[1].id]}
    asked = reviewer.post("/console/queues/face.photo/decide", form)
    page = html.unescape(asked.text)
    assert asked.status_code == 200
    assert "<h1>请确认：一起办理 2 件</h1>" in page
    assert "<b>退回：照片不清晰" in page
    assert "您的照片审核结果：退回。照片不清晰" in page
    assert re.findall(r"<span>([^<]*\*[^<]*)</span>", page) == ["欧**燕", "傅*"]
    assert f'name="case" value="{found[2].id}"' not in page
    assert [photo_of(case) for case in found] == ["review", "review", "review"], "nothing is done yet"
    assert Sms.select().count() == 0
    reviewer.post("/console/queues/face.photo/decide", form | {"sure": "yes"})
    assert [photo_of(case) for case in found] == ["returned", "returned", "review"]


def test_what_a_colleague_decided_meanwhile_is_said_before_the_others_are(world: World, reviewer: Browser) -> None:
    found = [a_photo_case() for _ in range(2)]
    path, form = "/console/queues/face.photo/decide", {"decision": "confirm", "case": [case.id for case in found]}
    colleague = at_desk(world, a_member(REVIEWER, name="李敏"))
    colleague.hx(f"/console/cases/{found[0].id}/decide", {"decision": "confirm"})
    colleague.hx(f"/console/cases/{found[1].id}/release")
    assert "另有 1 件刚刚由同事办理" in reviewer.post(path, form).text
    colleague.hx(f"/console/cases/{found[1].id}/decide", {"decision": "confirm"})
    answer = reviewer.post(path, form)
    assert (answer.status_code, "选中的工作刚刚都由同事办理了" in answer.text) == (409, True)
    nobody = reviewer.post(path, {"decision": "confirm"})
    assert (nobody.status_code, "请先勾选要办理的工作" in nobody.text) == (422, True)


def test_what_needs_a_second_look_is_not_done_by_the_dozen(world: World) -> None:
    finance = at_desk(world, a_member(FINANCE))
    cases.file("pay.mismatch", "attempt:1", {}, programme="yunnan", now=utcnow())
    case = Case.get()
    answer = finance.post("/console/queues/pay.mismatch/decide", {"decision": "give_back", "case": [case.id]})
    assert answer.status_code == 422
    assert Case.get_by_id(case.id).status == "open"


def test_only_cases_of_the_queue_are_decided_by_the_dozen(world: World) -> None:
    """`release` is a batch decision about invoices, and one about a single photo elsewhere."""
    person = factories.a_person()
    subject = f"person:{person.id}"
    cases.file(review.REPLACEMENT, subject, {"reason": "x"}, programme="yunnan", person_id=person.id, now=utcnow())
    case, chief = Case.get(), at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    page = chief.post(
        "/console/queues/invoice.settlement/decide", {"decision": "release", "case": [case.id], "sure": "yes"}
    )
    assert (page.status_code, Case.get_by_id(case.id).status) == (200, "open")


def test_money_goes_back_after_a_second_look(world: World) -> None:
    attempt = a_paid_attempt(world, factories.a_person())
    post(world, letter(world, attempt.out_trade_no, change={"amount": {"total": 1}}))
    in_background()
    case = Case.get(Case.kind == "pay.mismatch")
    one, another = (at_desk(world, a_member(FINANCE, name=name)) for name in ("赵会计", "孙会计"))
    page = html.unescape(one.get(f"/console/cases/{case.id}").text)
    assert "金额不符" in page
    assert "平台称已收" in page
    answer = one.hx(f"/console/cases/{case.id}/decide", {"decision": "give_back"})
    assert "等待另一位同事复核" in said(answer.text)
    assert Refund.select().count() == 0
    assert "请处理下一件" in one.get(f"/console/cases/{case.id}").text
    assert one.hx(f"/console/cases/{case.id}/confirm").status_code == 403
    assert "赵会计 提出" in another.get(f"/console/cases/{case.id}").text
    assert another.hx(f"/console/cases/{case.id}/confirm").status_code == 200
    assert Refund.get().amount_fen == 20000, "what the provider says it took"
    assert Case.get_by_id(case.id).status == "decided"


def test_who_cannot_decide_a_case_puts_it_back_for_the_others(world: World) -> None:
    case = a_photo_case()
    one, another = (at_desk(world, a_member(REVIEWER, name=name)) for name in ("王芳", "李明"))
    work = f"/console/cases/{case.id}"
    one.hx(f"{work}/claim")
    page = one.get(work).text
    assert f'action="{work}/release"' in page
    assert "王芳 处理中" in (theirs := another.get(work).text)
    assert "放回队列" not in theirs
    assert one.post(f"{work}/release").headers["Location"] == "/console/queues/face.photo"
    assert another.hx(f"{work}/claim").status_code == 200


def test_a_proposal_that_nobody_saw_is_not_carried_out(world: World) -> None:
    attempt = a_paid_attempt(world, factories.a_person())
    post(world, letter(world, attempt.out_trade_no, change={"amount": {"total": 1}}))
    in_background()
    case = Case.get(Case.kind == "pay.mismatch")
    one, another, third = (at_desk(world, a_member(FINANCE, name=name)) for name in ("赵会计", "孙会计", "李会计"))
    work = f"/console/cases/{case.id}"
    one.hx(f"{work}/decide", {"decision": "give_back"})
    for desk in (another, third):
        desk.get(work)
    assert third.hx(f"{work}/send-back", {"note": "再核对一次"}).status_code == 200
    third.hx(f"{work}/release")  # it was the next one of the queue, too
    assert one.hx(f"{work}/decide", {"decision": "give_back"}).status_code == 200
    answer = another.hx(f"{work}/confirm")
    assert (answer.status_code, "换成了另一个提议" in answer.text) == (409, True)
    assert another.hx(f"{work}/send-back", {"note": "不对"}).status_code == 409
    assert (Refund.select().count(), Case.get_by_id(case.id).status) == (0, "second_look")
    another.get(work)
    assert another.hx(f"{work}/confirm").status_code == 200
    assert Refund.select().count() == 1


def test_a_word_that_did_not_fit_and_came_after_the_payment_can_be_laid_aside(world: World) -> None:
    attempt = a_paid_attempt(world, factories.a_person())
    in_background(now=utcnow() + timedelta(minutes=1))
    post(world, letter(world, attempt.out_trade_no, change={"amount": {"total": 1}}))
    in_background()
    case = Case.get(Case.kind == "pay.mismatch")
    finance = at_desk(world, a_member(FINANCE))
    for decision, status in (("dismiss", 409), ("counted", 200)):
        form = {"decision": decision, "note": "已在平台核实"}
        assert finance.hx(f"/console/cases/{case.id}/decide", form).status_code == status
    assert Case.get_by_id(case.id).status == "decided"
    assert queries.get_order(attempt.order_id).status == "paid"


def test_a_payment_in_dispute_is_not_laid_aside(world: World) -> None:
    attempt = a_paid_attempt(world, factories.a_person())
    post(world, letter(world, attempt.out_trade_no, change={"amount": {"total": 1}}))
    in_background()
    case = Case.get(Case.kind == "pay.mismatch")
    finance = at_desk(world, a_member(FINANCE))
    form = {"decision": "counted", "note": "已核实"}
    answer = finance.hx(f"/console/cases/{case.id}/decide", form)
    assert (answer.status_code, Case.get_by_id(case.id).status) == (409, "open")


def test_who_gave_a_refused_refund_back_elsewhere_ends_it(world: World) -> None:
    attempt = a_paid_attempt(world, factories.a_person())
    in_background(now=utcnow() + timedelta(minutes=1))
    then = utcnow() - timedelta(minutes=3)  # longer ago than anybody may still be sending it
    refund_id = decisions.refund_part(attempt.order_id, 20000, reason="x", actor="system:cli", now=then)
    trouble(world, "refund", "error", "NOT_ENOUGH")
    refunds.settle(refund_id, now=then)
    case = Case.get(Case.kind == "pay.refund_refused")
    finance = at_desk(world, a_member(FINANCE))
    form = {"decision": "elsewhere", "note": "银行转账退回"}
    assert finance.hx(f"/console/cases/{case.id}/decide", form).status_code == 200
    assert Refund.get_by_id(refund_id).status == "elsewhere"
    assert Case.get_by_id(case.id).status == "decided"


def test_a_payment_that_was_unknown_for_long_is_asked_about_again(world: World) -> None:
    attempt = a_paid_attempt(world, factories.a_person())
    cases.file("pay.unknown_for_long", f"attempt:{attempt.id}", {}, programme="yunnan", now=utcnow())
    case = Case.get(Case.kind == "pay.unknown_for_long")
    finance = at_desk(world, a_member(FINANCE))
    trouble(world, "query", "reset")
    silent = finance.hx(f"/console/cases/{case.id}/decide", {"decision": "ask"})
    assert silent.status_code == 503
    assert silent.headers["HX-Retarget"] == "#message"
    assert Case.get_by_id(case.id).status == "open"
    assert finance.hx(f"/console/cases/{case.id}/decide", {"decision": "ask"}).status_code == 200
    assert Case.get_by_id(case.id).decision == "再向平台查询一次：paid"


def test_a_dead_job_is_delivered_again(world: World) -> None:
    now, heard = utcnow(), []
    outbox.subscribe("test.event", "test.console", lambda payload, _now: heard.append(payload))
    message = OutboxMessage.create(
        event="test.event", subscriber="test.console", key="1", payload='{"id": "1"}', status="dead", attempts=3,
        available_at=now, created_at=now,
    )  # fmt: skip
    cases.file("outbox.dead", message.id, {"event": "test.event", "last_error": "KeyError"}, now=now)
    case = Case.get()
    chief = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    assert "KeyError" in chief.get(f"/console/cases/{case.id}").text
    assert chief.hx(f"/console/cases/{case.id}/decide", {"decision": "revive"}).status_code == 200
    outbox.sweep(now=utcnow())
    outbox._subscribers.pop("test.event")
    assert heard == [{"id": "1"}]
    assert Case.get_by_id(case.id).status == "decided"


def test_the_person_in_the_clear_needs_support_and_a_reason_and_is_written_down(world: World) -> None:
    person = factories.a_person(name="欧阳海燕")
    factories.a_roster_entry(person)
    case = a_photo_case(person)
    chief = at_desk(world, a_member(REVIEWER, SUPPORT))
    page = chief.get(f"/console/cases/{case.id}").text
    assert "欧**燕" in page
    assert person.name not in page
    assert person.id_number not in page
    assert chief.hx(f"/console/cases/{case.id}/unmask", {"reason": "x"}).status_code == 422
    clear = chief.hx(f"/console/cases/{case.id}/unmask", {"reason": "来电核对本人身份"})
    assert person.id_number in clear.text
    assert person.name in clear.text
    entry = AuditEntry.get(AuditEntry.action == "person.unmasked")
    assert (entry.subject, "来电核对本人身份" in entry.data) == (f"person:{person.id}", True)
    other = at_desk(world, a_member(REVIEWER))
    assert "查看完整信息" not in other.get(f"/console/cases/{case.id}").text
    assert other.hx(f"/console/cases/{case.id}/unmask", {"reason": "来电核对本人身份"}).status_code == 403


def test_hostile_names_and_words_stay_inert_everywhere(world: World) -> None:
    person = factories.a_person(name=SVG)
    factories.a_roster_entry(person)
    record = a_photo_case(person)
    FaceRecord.update(photo_status="confirmed").execute()
    subject, facts = f"person:{person.id}", {"reason": SVG}
    cases.file(review.REPLACEMENT, subject, dict(facts), programme="yunnan", person_id=person.id, now=utcnow())
    asked = Case.get(Case.kind == review.REPLACEMENT)
    cases.file("face.no_try_left", "face_check:1", {}, programme="yunnan", person_id=person.id, now=utcnow())
    tries = Case.get(Case.kind == "face.no_try_left")
    chief = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE), name=SVG, login="chief"))
    chief.hx(f"/console/cases/{tries.id}/decide", {"decision": "refuse", "note": SVG})
    pages = [
        chief.get(path).text
        for path in (
            "/console/", "/console/done", "/console/queues/face.photo", f"/console/cases/{record.id}",
            f"/console/cases/{asked.id}", f"/console/cases/{tries.id}", "/console/staff",
        )
    ]  # fmt: skip
    pages.append(chief.hx(f"/console/cases/{record.id}/unmask", {"reason": "来电核对本人身份"}).text)
    for page in pages:
        assert "<svg onload" not in page
    assert sum("&lt;svg onload=alert(1)&gt;" in page for page in pages) >= 5
    policy = chief.get("/console/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def test_no_form_is_taken_without_its_token(world: World, reviewer: Browser) -> None:
    case = a_photo_case()
    chief = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    member = a_member(REVIEWER)
    values = {"case_id": case.id, "kind": "face.photo", "member_id": member.id}
    values |= {"person_id": str(case.person_id), "key": "account.unlock", **staff_matrix.teaching()}
    seen = 0
    for method, rule in staff_matrix.staff_rules(world):
        if method == "GET":
            continue
        path = re.sub(r"<([a-z_]+)>", lambda name: values.get(name[1], "0123456789abcdef"), rule.rule)
        for csrf in ("", "x.y", reviewer.csrf):
            form = {"decision": "confirm", "csrf": csrf}
            assert chief.client.open(path, method=method, data=form).status_code == 403, path
        seen += 1
    assert seen > 12
    assert Case.get_by_id(case.id).status == "open"


def test_a_colleagues_case_is_not_decided_and_the_desk_says_whose_it_is(world: World, reviewer: Browser) -> None:
    case = a_photo_case()
    colleague = at_desk(world, a_member(REVIEWER, name="李敏"))
    colleague.hx(f"/console/cases/{case.id}/claim")
    assert "李敏 正在处理这一件" in reviewer.get(f"/console/cases/{case.id}").text
    refused = reviewer.hx(f"/console/cases/{case.id}/decide", {"decision": "confirm"})
    assert (refused.status_code, said(refused.text)) == (409, "这件工作正由另一位同事处理，请处理下一件。")
    colleague.post(f"/console/cases/{case.id}/release")
    assert reviewer.hx(f"/console/cases/{case.id}/decide", {"decision": "confirm"}).status_code == 200


def test_a_guessed_case_of_another_programme_is_not_there(world: World) -> None:
    case = a_photo_case()
    browser = at_desk(world, a_member((Right.REVIEWER, "henan"), (Right.ADMINISTRATOR, "henan")))
    nobodys = browser.get("/console/cases/0123456789abcdef")
    for path in (f"/console/cases/{case.id}", f"/console/cases/{case.id}/pictures/photo"):
        guessed = browser.get(path)
        assert guessed.status_code == nobodys.status_code == 404
        assert re.sub(r'csrf" value="[^"]+"|Token":"[^"]+"', "", guessed.text) == re.sub(
            r'csrf" value="[^"]+"|Token":"[^"]+"', "", nobodys.text
        )
    assert browser.hx(f"/console/cases/{case.id}/decide", {"decision": "confirm"}).status_code == 404
    assert photo_of(case) == "review"


def test_a_session_that_ended_leads_back_to_the_sign_in(world: World, reviewer: Browser) -> None:
    case = a_photo_case()
    reviewer.get("/console/")
    reviewer.post("/console/sign-out")
    answer = reviewer.hx(f"/console/cases/{case.id}/decide", {"decision": "confirm"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/console/sign-in")


def test_a_case_of_the_version_before_names_its_person_in_the_facts(world: World) -> None:
    person = factories.a_person(name="欧阳海燕")
    FaceRecord.update(tries=5).where(FaceRecord.id == tries.ensure_record(person.id).id).execute()
    cases.file("face.no_try_left", "face_check:1", {"person_id": person.id}, now=utcnow())
    Case.update(programme=None).execute()
    case, support = Case.get(), at_desk(world, a_member((Right.SUPPORT, EVERYWHERE)))
    assert "欧**" in support.get(f"/console/cases/{case.id}").text
    answer = support.hx(f"/console/cases/{case.id}/decide", {"decision": "allow", "note": "视频核对本人"})
    assert answer.status_code == 200
    assert FaceRecord.get(FaceRecord.person_id == person.id).tries == 0


def test_a_wrong_photo_is_changed_by_support_only(world: World) -> None:
    """yunnan manual, step 3 (二) A."""
    person = factories.a_person()
    client, headers = world.app.test_client(), factories.auth(person)
    body = {"reason": "照片是别人的"}
    early = client.post("/api/v1/photo/replacement", json=body, headers=headers)
    assert (early.status_code, early.get_json()["code"]) == (409, "photo_not_fixed")
    a_photo_case(person)
    FaceRecord.update(photo_status="confirmed").execute()
    for filed in (True, False):
        answer = client.post("/api/v1/photo/replacement", json=body, headers=headers)
        assert answer.get_json() == {"filed": filed}
    case = Case.get(Case.kind == review.REPLACEMENT)
    support = at_desk(world, a_member(SUPPORT))
    assert "照片是别人的" in support.get(f"/console/cases/{case.id}").text
    support.hx(f"/console/cases/{case.id}/decide", {"decision": "release"})
    assert photo_of(case) == "none"
    assert "同意更换" in Sms.get(Sms.person_id == person.id).params
    assert account.get_person(person.id).id == case.person_id
