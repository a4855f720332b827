"""A trainee writes to support, support answer as they decide any case, the trainee reads it in the app."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from app.account.models import Person
from app.cases import queries as case_queries
from app.cases import service as cases
from app.cases.models import Case
from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import Right, Staff
from app.notify.models import Sms
from app.support import service
from app.support.models import Ticket, TicketMessage, TicketPicture
from app.support.queries import written
from app.support.status import _TABLE, Action, NotAllowed, Status, next_status
from sandbox.faces import make_face
from tests.factories import a_person, auth
from tests.staffroom import a_member, at_desk, staff_of
from tests.support.tickets import a_ticket, who
from tests.world import World

PATH = "/api/v1/help-tickets"
QUEUE = f"/console/queues/{service.KIND}"


@pytest.fixture
def person(world: World) -> Person:
    return a_person(name="欧阳海燕")


@pytest.fixture
def support(world: World) -> Staff:
    return staff_of(a_member((Right.SUPPORT, "yunnan")))


def body(**changes: Any) -> dict[str, Any]:
    return {"client_id": "my-phone-0001", "topic": "payment", "text": "缴费后不能学习", "pictures": [], **changes}


def json_of(answer: TestResponse) -> Any:
    return answer.get_json()


def the_case(ticket_id: str) -> Case:
    case: Case = Case.select().where(Case.subject == service.subject_of(ticket_id)).order_by(Case.id.desc()).get()
    return case


def upload(client: FlaskClient, person: Person, data: bytes, name: str = "picture-0001") -> Any:
    form = {"client_id": name, "picture": (io.BytesIO(data), "x.jpg")}
    return client.post(f"{PATH}/pictures", data=form, headers=auth(person))


def test_a_matter_with_a_picture_is_answered_and_read(client: FlaskClient, person: Person, support: Staff) -> None:
    headers = auth(person)
    picture = upload(client, person, make_face(7)).json["id"]
    ticket = client.post(PATH, json=body(pictures=[picture]), headers=headers)
    assert (ticket.status_code, json_of(ticket)["status"], json_of(ticket)["topic"]) == (201, "waiting", "缴费与退款")
    row = the_case(json_of(ticket)["id"])
    case, kind = case_queries.visible(support, row.id)
    evidence = kind.evidence(case)
    assert "缴费后不能学习" in evidence.facts[-1].value
    assert "欧阳海燕" not in str(evidence), "masked"
    assert [name for name, _ in evidence.pictures] == [picture]
    assert cases.picture_of(support, row.id, picture).startswith(b"\xff\xd8")

    cases.decide_by_staff(support, row.id, "answer", note="款已到账，请重新登录。", now=utcnow())
    (listed,) = json_of(client.get(PATH, headers=headers))["tickets"]
    assert (listed["status"], listed["unread"], listed["status_text"]) == ("answered", True, "已有答复")
    detail = json_of(client.get(f"{PATH}/{json_of(ticket)['id']}", headers=headers))
    assert [(one["ours"], one["text"]) for one in detail["messages"]] == [
        (False, "缴费后不能学习"),
        (True, "款已到账，请重新登录。"),
    ]
    assert json_of(client.get(PATH, headers=headers))["tickets"][0]["unread"] is False
    sms = Sms.get(Sms.template == "ticket_answered")
    assert (sms.person_id, sms.key) == (person.id, f"case:{row.id}")
    got = client.get(f"{PATH}/{json_of(ticket)['id']}/pictures/{picture}", headers=headers)
    assert (got.mimetype, got.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")


def test_support_ask_back_and_the_reply_is_a_case_again(client: FlaskClient, person: Person, support: Staff) -> None:
    ticket = a_ticket(person)
    cases.decide_by_staff(support, the_case(ticket.id).id, "ask", note="请发一张支付记录的截图。", now=utcnow())
    assert Ticket.get_by_id(ticket.id).status == "asked"
    for _ in range(2):  # the answer to the first was lost
        sent = {"client_id": "reply-0001", "text": "截图在这里"}
        answer = client.post(f"{PATH}/{ticket.id}/replies", json=sent, headers=auth(person))
        assert (answer.status_code, json_of(answer)["status"]) == (201, "waiting")
    assert [one.message.text for one in written(ticket.id)][-2:] == ["请发一张支付记录的截图。", "截图在这里"]
    assert len(written(ticket.id)) == 3
    assert Case.select().where(Case.status == "open").count() == 1
    cases.decide_by_staff(support, the_case(ticket.id).id, "close", note="已电话说明", now=utcnow())
    over = client.post(f"{PATH}/{ticket.id}/replies", json=sent | {"client_id": "reply-0002"}, headers=auth(person))
    assert (over.status_code, json_of(over)["code"]) == (409, "ticket_closed")
    assert "已电话说明" not in str(client.get(f"{PATH}/{ticket.id}", headers=auth(person)).json), "a note is ours"


def test_an_answer_may_be_long_and_have_lines_and_a_note_may_not(person: Person, support: Staff) -> None:
    ticket = a_ticket(person)
    case_id = the_case(ticket.id).id
    with pytest.raises(Problem, match="case_note"):
        cases.decide_by_staff(support, case_id, "answer", note="答" * 1001, now=utcnow())
    with pytest.raises(Problem, match="case_note"):
        cases.decide_by_staff(support, case_id, "close", note="记" * 201, now=utcnow())
    said = "一、请退出重新登录。\n二、" + "再看一次。" * 100
    cases.decide_by_staff(support, case_id, "answer", note=said.replace("\n", "\r\n"), now=utcnow())
    assert written(ticket.id)[-1].message.text == said


def test_a_usual_answer_is_what_the_person_reads(person: Person, support: Staff) -> None:
    ticket = a_ticket(person)
    cases.decide_by_staff(support, the_case(ticket.id).id, "template", reason="paid_shown", now=utcnow())
    assert written(ticket.id)[-1].message.text.startswith("您的缴费已到账")


def test_what_is_sent_twice_or_fifty_times_at_once_is_one(world: World, person: Person) -> None:
    me = who(person)

    def write(_: int) -> str:
        with db.connection():
            return db.unit(lambda: service.write(me, "ticket-0001", "other", "同一个问题", [], now=utcnow())).id

    with ThreadPoolExecutor(8) as crowd:
        assert len(set(crowd.map(write, range(24)))) == 1
    assert (Ticket.select().count(), TicketMessage.select().count(), Case.select().count()) == (1, 1, 1)


def test_an_answer_and_a_reply_at_the_same_moment_lose_neither(world: World, person: Person, support: Staff) -> None:
    for number in range(6):
        ticket = a_ticket(person, f"第 {number} 个问题")
        case_id, me = the_case(ticket.id).id, who(person)

        def answers(case_id: str = case_id) -> str:
            with db.connection():
                try:
                    return db.unit(
                        lambda: cases.decide_by_staff(support, case_id, "answer", note="答复", now=utcnow())
                    )
                except Problem as problem:
                    return problem.code

        def replies(ticket: Ticket = ticket, me: Any = me, number: int = number) -> None:
            with db.connection():
                db.unit(lambda: service.reply(me, ticket.id, f"reply-{number:04d}", "补充", [], now=utcnow()))

        with ThreadPoolExecutor(2) as both:
            said, _ = both.submit(answers), both.submit(replies).result()
            outcome = said.result()
        texts = [one.message.text for one in written(ticket.id)]
        assert "补充" in texts
        assert ("答复" in texts) == (outcome == "decided")
        status = Ticket.get_by_id(ticket.id).status
        waits = Case.select().where(Case.subject == service.subject_of(ticket.id), Case.status == "open").exists()
        assert (status == "waiting") == waits, "who waits for an answer is a case, and nobody else is"


@pytest.mark.parametrize(
    "data", [b"<svg onload=alert(1)>", b"<html>", b"GIF89a", b"\xff\xd8\xff\xe0 broken", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_is_refused(client: FlaskClient, person: Person, data: bytes) -> None:
    assert upload(client, person, data).status_code in (415, 422)
    assert not TicketPicture.select().exists()


def test_a_picture_is_bounded_before_it_is_read_and_loses_its_position(client: FlaskClient, person: Person) -> None:
    assert upload(client, person, b"x" * (6 * 1024 * 1024)).status_code == 413
    picture = Image.new("RGB", (3000, 2000), "white")
    exif = picture.getexif()
    exif[0x8825] = {1: "N", 2: (25.0, 2.0, 0.0)}
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    first, again = (upload(client, person, out.getvalue()) for _ in range(2))
    assert json_of(first)["id"] == json_of(again)["id"], "sent twice it is one"
    ticket = service.write(who(person), "ticket-0001", "other", "照片", [json_of(first)["id"]], now=utcnow())
    shown = client.get(f"{PATH}/{ticket.id}/pictures/{json_of(first)['id']}", headers=auth(person)).data
    kept = Image.open(io.BytesIO(shown))
    assert max(kept.size) == service.SIDE
    assert len(kept.getexif()) == 0
    assert shown not in bytes(TicketPicture.get().sealed), "sealed"


def test_nobody_reads_writes_or_takes_what_is_another_persons(client: FlaskClient, person: Person) -> None:
    ticket, other = a_ticket(person, pictures=1), a_person()
    (picture,) = written(ticket.id)[0].pictures
    paths = [f"{PATH}/{ticket.id}", f"{PATH}/{ticket.id}/pictures/{picture}"]
    mine = a_ticket(other)
    paths.append(f"{PATH}/{mine.id}/pictures/{picture}")
    assert {client.get(path, headers=auth(other)).status_code for path in paths} == {404}
    reply = {"client_id": "reply-0001", "text": "我也来说"}
    assert client.post(f"{PATH}/{ticket.id}/replies", json=reply, headers=auth(other)).status_code == 404
    free = upload(client, person, make_face(3), "picture-0009").json["id"]
    stolen = client.post(PATH, json=body(client_id="other-0001", pictures=[free]), headers=auth(other))
    assert (stolen.status_code, json_of(stolen)["code"]) == (422, "ticket_picture_gone")


@pytest.mark.parametrize(
    "changes",
    [{"topic": "nonsense"}, {"text": "x"}, {"text": "字" * 1001}, {"client_id": "a b"}, {"pictures": ["a"] * 4}],
)
def test_what_makes_no_sense_is_refused_field_by_field(
    client: FlaskClient, person: Person, changes: dict[str, Any]
) -> None:
    answer = client.post(PATH, json=body(**changes), headers=auth(person))
    assert answer.status_code == 422
    assert set(changes) & set(json_of(answer)["fields"])


def test_twenty_a_day_are_enough(person: Person) -> None:
    me, now = who(person), utcnow()
    for number in range(service.MOST_A_DAY):
        service.write(me, f"ticket-{number:04d}", "other", "又一个问题", [], now=now)
    with pytest.raises(Problem) as refused:
        service.write(me, "ticket-9999", "other", "又一个问题", [], now=now)
    assert refused.value.code == "ticket_too_many"
    service.write(me, "ticket-9999", "other", "又一个问题", [], now=now + service.A_DAY + timedelta(seconds=1))


def test_pictures_that_were_never_sent_are_forgotten(person: Person) -> None:
    now, me = utcnow(), who(person)
    a_ticket(person, pictures=1)
    for number in range(service.MOST_WAITING):
        service.add_picture(me, f"picture-{number:04d}", make_face(1), now=now)
    with pytest.raises(Problem):
        service.add_picture(me, "picture-9999", make_face(1), now=now)
    assert service.forget(now=now + timedelta(hours=1)) == 0
    assert service.forget(now=now + service.A_DAY + timedelta(seconds=1)) == service.MOST_WAITING
    assert TicketPicture.select().count() == 1


def test_it_lies_on_the_desk_of_support_and_of_nobody_else(world: World, person: Person) -> None:
    ticket = a_ticket(person, "<svg onload=alert(1)>", pictures=1)
    path = f"/console/cases/{the_case(ticket.id).id}"
    page = at_desk(world, a_member((Right.SUPPORT, "yunnan"))).get(path)
    assert page.status_code == 200
    assert "&lt;svg onload=alert(1)&gt;" in page.text
    assert "<svg onload" not in page.text
    assert "您写给客服的问题（缴费与退款）已有答复" in page.text
    for rights in ((Right.FINANCE, "yunnan"), (Right.SUPPORT, "henan")):
        assert at_desk(world, a_member(rights)).get(path).status_code == 404


def test_the_list_says_what_each_letter_is_about(world: World, person: Person) -> None:
    a_ticket(person, "<b>缴费</b>\n还是不能学习")
    long = a_ticket(a_person(), "长" * 41)
    service.write(who(a_person()), "ticket-0003", "exam", "考试打不开", [], now=utcnow())
    page = at_desk(world, a_member((Right.SUPPORT, "yunnan"))).get(QUEUE).text
    told = re.findall(r'<td class="about">(.*?)</td>', page)
    assert told == [
        "缴费与退款：&lt;b&gt;缴费&lt;/b&gt; 还是不能学习",
        f"缴费与退款：{'长' * 40}…",
        "考试与证明：考试打不开",
    ]
    assert the_case(long.id).id in page


def test_the_list_says_what_was_written_last_not_what_we_answered(
    world: World, person: Person, support: Staff
) -> None:
    ticket = a_ticket(person)
    cases.decide_by_staff(support, the_case(ticket.id).id, "ask", note="请写订单号", now=utcnow())
    service.reply(who(person), ticket.id, "reply-0001", "订单号是 123", [], now=utcnow())
    page = at_desk(world, a_member((Right.SUPPORT, "yunnan"))).get(QUEUE).text
    assert re.findall(r'<td class="about">(.*?)</td>', page) == ["缴费与退款：订单号是 123"]


def test_letters_are_answered_one_by_one(world: World, person: Person) -> None:
    case = the_case(a_ticket(person).id)
    desk = at_desk(world, a_member((Right.SUPPORT, "yunnan")))
    page = desk.get(QUEUE).text
    assert (case.id in page, "全选" in page, "批量办理" in page) == (True, False, False)
    form = {"decision": "template:paid_shown", "case": [case.id], "sure": "yes"}
    assert desk.post(f"{QUEUE}/decide", form).status_code == 422
    assert Case.get_by_id(case.id).status == "open"


def test_the_table_of_statuses_has_no_way_out_of_closed() -> None:
    assert {status for status, _ in _TABLE} == set(Status) - {Status.CLOSED}
    for action in Action:
        with pytest.raises(NotAllowed):
            next_status(Status.CLOSED, action)
