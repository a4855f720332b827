"""Cases as staff work on them: claimed by one, decided once, looked at by a second one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.cases import kinds, queries, work
from app.cases import service as cases
from app.cases.kinds import Decision, Deed, Evidence, Kind, Reason
from app.cases.models import Case
from app.core.audit import AuditEntry
from app.core.clock import SHANGHAI
from app.core.db import compare_and_set
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right, Staff
from tests.factories import NOW
from tests.races import overtaken
from tests.world import World

FANG = Staff("staff:fang", frozenset({(Right.SUPPORT, "yunnan")}))
MIN = Staff("staff:min", frozenset({(Right.SUPPORT, "yunnan")}))
LI = Staff("staff:li", frozenset({(Right.SUPPORT, "yunnan")}))
ELSEWHERE = Staff("staff:else", frozenset({(Right.SUPPORT, "henan"), (Right.ADMINISTRATOR, "henan")}))
LATER = NOW + timedelta(minutes=1)


class Diary(list[str]):
    """What was done."""

    def write(self, deed: Deed) -> None:
        self.append(deed.words)

    def fail(self, _deed: Deed) -> None:
        raise ValueError("the domain's verb has a bug")


@pytest.fixture
def done(world: World) -> Iterator[Diary]:
    """A kind of case of this test, and what its decisions did."""
    diary = Diary()
    reasons = (Reason("dark", "照片太暗，请重拍。"),)
    decisions = (
        Decision("yes", "同意", diary.write, batch=True),
        Decision("no", "不同意", diary.write, reasons=reasons),
        Decision("dear", "退款", diary.write, second_look=True),
        Decision("begin", "重新发起", diary.write, closes=False),
        Decision("noted", "已处理", note_needed=True),
        Decision("broken", "坏的", diary.fail),
    )
    kind = Kind("test.kind", "测试", "测试", Right.SUPPORT, lambda _case: Evidence(()), decisions, working_days=2)
    kinds.describe(kind)
    yield diary
    kinds._kinds.pop("test.kind")


def a_case(number: int = 1, *, programme: str = "yunnan", now: datetime = NOW) -> Case:
    cases.file("test.kind", f"thing:{number}", {}, programme=programme, now=now)
    case: Case = Case.get(Case.subject == f"thing:{number}", Case.programme == programme)
    return case


def refused(work_: Any) -> str:
    with pytest.raises(Problem) as caught:
        work_()
    return caught.value.code


def decide(case: Case, key: str, staff: Staff = FANG, *, reason: str = "", note: str = "") -> str:
    return cases.decide_by_staff(staff, case.id, key, reason=reason, note=note, now=LATER)


def shown(case: Case) -> str:
    """What the page of this moment shows as the proposal."""
    return cases.mark_of(Case.get_by_id(case.id))


def confirm(staff: Staff, case: Case, seen: str | None = None) -> str:
    return cases.confirm(staff, case.id, seen=shown(case) if seen is None else seen, now=LATER)


def send_back(staff: Staff, case: Case, note: str) -> None:
    cases.send_back(staff, case.id, note, seen=shown(case), now=LATER)


def test_of_two_who_want_a_case_one_gets_it(done: Diary) -> None:
    case = a_case()
    with overtaken(queries, "visible", lambda: work.claim(MIN, case.id, now=NOW)) as other:
        mine = refused(lambda: work.claim(FANG, case.id, now=NOW))
    assert mine == "case_taken"
    assert other[0].claimed_by == MIN.actor
    assert Case.get_by_id(case.id).claimed_by == MIN.actor


def careless(model: Any, row_id: str, _where: dict[str, Any], values: dict[str, Any]) -> bool:
    """The guard off: whoever comes last wins."""
    return compare_and_set(model, row_id, {}, values)


def test_without_the_compare_and_set_both_think_that_they_have_it(
    done: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = a_case()
    monkeypatch.setattr(work, "compare_and_set", careless)
    with overtaken(queries, "visible", lambda: work.claim(MIN, case.id, now=NOW)) as other:
        mine = work.claim(FANG, case.id, now=NOW)
    assert [mine.claimed_by, other[0].claimed_by] == [FANG.actor, MIN.actor]


def test_of_two_decisions_at_one_moment_one_is_done(done: Diary) -> None:
    case = a_case()
    with overtaken(queries, "visible", lambda: decide(case, "no", MIN, reason="dark")) as other:
        mine = refused(lambda: decide(case, "yes"))
    assert (mine, other[0]) == ("case_taken", "decided")
    assert done == ["不同意：照片太暗，请重拍。"]


def test_without_the_compare_and_set_both_decisions_are_done(done: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    case = a_case()
    monkeypatch.setattr(work, "compare_and_set", careless)
    with overtaken(queries, "visible", lambda: decide(case, "no", MIN, reason="dark")):
        decide(case, "yes")
    assert done == ["不同意：照片太暗，请重拍。", "同意"]


def test_a_claim_holds_ten_minutes_and_can_be_given_back(done: Diary) -> None:
    case = a_case()
    work.claim(FANG, case.id, now=NOW)
    assert refused(lambda: decide(case, "yes", MIN)) == "case_taken"
    assert queries.free(MIN, kinds._kinds["test.kind"], after=None, now=LATER, limit=5) == []
    work.release(MIN, case.id, now=LATER)
    assert Case.get_by_id(case.id).claimed_by == FANG.actor, "somebody else's claim stays"
    work.claim(MIN, case.id, now=NOW + timedelta(minutes=11))
    work.release(MIN, case.id, now=NOW + timedelta(minutes=12))
    work.claim(FANG, case.id, now=NOW + timedelta(minutes=12))


def test_a_decision_is_kept_with_who_when_and_why(done: Diary) -> None:
    case = a_case()
    assert decide(case, "no", reason="dark", note="电话  已告知") == "decided"
    row = Case.get_by_id(case.id)
    assert (row.status, row.decision, row.decided_by) == (
        "decided", "不同意：照片太暗，请重拍。（电话 已告知）", FANG.actor
    )  # fmt: skip
    entry = AuditEntry.get(AuditEntry.action == "case.decided")
    assert (entry.actor, entry.subject) == (FANG.actor, f"case:{case.id}")
    assert '"reason": "dark"' in entry.data
    assert refused(lambda: decide(case, "yes")) == "case_over"
    assert done == [row.decision]


@pytest.mark.parametrize(
    ("key", "said", "code"),
    [
        ("no", {}, "case_reason"),
        ("no", {"reason": "unknown"}, "case_reason"),
        ("noted", {}, "case_note"),
        ("noted", {"note": " x "}, "case_note"),
        ("noted", {"note": "x" * 201}, "case_note"),
        ("unknown", {}, "not_found"),
    ],
)
def test_what_a_decision_needs_is_asked_for(done: Diary, key: str, said: dict[str, str], code: str) -> None:
    case = a_case()
    assert refused(lambda: decide(case, key, FANG, **said)) == code
    assert Case.get_by_id(case.id).status == "open"


def test_where_the_domains_verb_fails_nothing_is_decided(done: Diary) -> None:
    case = a_case()
    with pytest.raises(ValueError, match="bug"):
        decide(case, "broken")
    row = Case.get_by_id(case.id)
    assert (row.status, row.open_key) == ("open", "test.kind|thing:1")
    assert not AuditEntry.select().where(AuditEntry.action == "case.decided").exists()


def test_a_second_look_is_another_persons(done: Diary) -> None:
    case = a_case()
    assert decide(case, "dear", note="两次付款") == "second_look"
    assert done == []
    assert refused(lambda: confirm(FANG, case)) == "case_second_look"
    assert refused(lambda: decide(case, "yes", MIN)) == "case_over"
    assert confirm(MIN, case) == "decided"
    assert done == ["退款（两次付款）"]
    row = Case.get_by_id(case.id)
    assert (row.proposed_by, row.decided_by) == (FANG.actor, MIN.actor)
    assert refused(lambda: confirm(MIN, case)) == "case_over"


def test_who_disagrees_sends_it_back(done: Diary) -> None:
    case = a_case()
    decide(case, "dear")
    assert refused(lambda: send_back(MIN, case, "")) == "case_note"
    send_back(MIN, case, "金额不对")
    assert Case.get_by_id(case.id).status == "open"
    assert decide(case, "yes") == "decided"
    assert done == ["同意"]


def test_whoever_proposed_looks_again_without_keeping_the_second_person_out(done: Diary) -> None:
    case = a_case()
    decide(case, "dear")
    cases.claim(FANG, case.id, now=LATER)
    assert Case.get_by_id(case.id).claimed_by is None
    assert confirm(MIN, case) == "decided"


def replaced(case: Case, note: str) -> None:
    """A third person sends the proposal back, and another one is made."""
    later = LATER + timedelta(seconds=30)
    cases.send_back(LI, case.id, "不对", seen=shown(case), now=later)
    cases.decide_by_staff(FANG, case.id, "dear", note=note, now=later)


def test_the_second_look_agrees_to_what_it_saw_and_to_nothing_else(done: Diary) -> None:
    case = a_case()
    decide(case, "dear", note="退给张三")
    seen = shown(case)
    replaced(case, "退给李四")
    for stale in (seen, ""):
        assert refused(lambda stale=stale: confirm(MIN, case, stale)) == "case_over"
        back = lambda stale=stale: cases.send_back(MIN, case.id, "不对", seen=stale, now=LATER)  # noqa: E731
        assert refused(back) == "case_over"
    assert (done, Case.get_by_id(case.id).status) == ([], "second_look")
    confirm(MIN, case)
    assert done == ["退款（退给李四）"]


def test_a_proposal_that_is_replaced_at_that_moment_is_not_carried_out(done: Diary) -> None:
    case = a_case()
    decide(case, "dear", note="退给张三")
    with overtaken(queries, "visible", lambda: replaced(case, "退给李四")):
        assert refused(lambda: confirm(MIN, case)) == "case_taken"
    assert done == []


def test_without_the_comparison_it_is(done: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    case = a_case()
    decide(case, "dear", note="退给张三")

    def without(model: Any, row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
        return compare_and_set(model, row_id, {k: v for k, v in where.items() if k != "proposed_at"}, values)

    monkeypatch.setattr(work, "compare_and_set", without)
    with overtaken(queries, "visible", lambda: replaced(case, "退给李四")):
        confirm(MIN, case)
    assert done == ["退款（退给张三）"]


def test_what_was_begun_waits_and_comes_back_or_is_closed_by_its_domain(done: Diary) -> None:
    case = a_case()
    assert decide(case, "begin") == "waiting"
    assert queries.queues(FANG, now=LATER) == []
    assert not cases.file("test.kind", "thing:1", {}, programme="yunnan", now=LATER)
    assert Case.get_by_id(case.id).status == "open"
    decide(case, "begin")
    assert cases.decide_about("test.kind", "thing:1", "到账", actor="system", now=LATER)
    assert Case.get_by_id(case.id).status == "decided"


def test_nobody_elsewhere_sees_a_case_or_what_belongs_to_no_programme(done: Diary) -> None:
    case, nobodys = a_case(), a_case(2, programme=EVERYWHERE)
    for staff, seen in ((ELSEWHERE, case), (FANG, nobodys), (Staff("staff:x", frozenset()), case)):
        assert refused(lambda s=staff, c=seen: work.claim(s, c.id, now=NOW)) == "not_found"  # type: ignore[misc]
        assert refused(lambda s=staff, c=seen: decide(c, "yes", s)) == "not_found"  # type: ignore[misc]
    assert queries.queues(ELSEWHERE, now=NOW) == []
    assert [queue.count for queue in queries.queues(FANG, now=NOW)] == [1]
    chief = Staff("staff:chief", frozenset({(Right.ADMINISTRATOR, EVERYWHERE)}))
    assert [queue.count for queue in queries.queues(chief, now=NOW)] == [2]


def test_the_next_case_is_the_oldest_that_nobody_has(done: Diary) -> None:
    found = [a_case(number, now=NOW + timedelta(seconds=number)) for number in range(4)]
    kind = queries.kind_of_staff(FANG, "test.kind")
    work.claim(MIN, found[1].id, now=LATER)
    order = []
    for _ in range(3):
        case = cases.take_next(FANG, kind, now=LATER)
        assert case is not None
        order.append(case.subject)
        decide(case, "yes")
    assert order == ["thing:0", "thing:2", "thing:3"]
    assert cases.take_next(FANG, kind, now=LATER) is None


@pytest.mark.parametrize(
    ("filed", "due"),
    [
        ((2021, 3, 1, 10), "2021-03-03"),
        ((2021, 3, 5, 23), "2021-03-09"),  # a Friday night
        ((2021, 9, 30, 9), "2021-10-09"),  # the holiday of October, and a Saturday on which is worked
    ],
)
def test_a_case_is_due_by_working_days(done: Diary, filed: tuple[int, ...], due: str) -> None:
    case = a_case(now=datetime(*filed, tzinfo=SHANGHAI))  # type: ignore[arg-type, misc]
    assert case.due_at.astimezone(SHANGHAI).isoformat(timespec="seconds") == f"{due}T23:59:59+08:00"


def test_queues_tell_how_long_what_waits(done: Diary) -> None:
    for number, days in enumerate((0, 2, 9, 20)):
        a_case(number, now=NOW - timedelta(days=days))
    (queue,) = queries.queues(FANG, now=LATER)
    assert (queue.count, queue.today, queue.days, queue.over) == (4, 1, 1, 2)
    assert queue.oldest == NOW - timedelta(days=20)
