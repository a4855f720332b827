"""What support decide about what trainees write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from app.account import service as account
from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, Message, Reason
from app.cases.models import Case
from app.core.clock import shanghai
from app.core.crypto import mask_id_number, mask_name
from app.core.errors import NOT_FOUND, Problem
from app.core.staff import Right
from app.support import queries, service
from app.support.queries import TOPICS
from app.support.status import Action

FIRST_WORDS = 40  # characters of a letter that its queue shows

ANSWERS = (
    Reason("paid_shown", "您的缴费已到账，请退出后重新登录，在“我的培训”里就能开始学习。"),
    Reason("refund_way", "退款按原路退回，一般一至三个工作日到账，请留意支付账户。"),
    Reason("invoice_way", "发票开好后会发短信，在“我的发票”里可以查看和下载。"),
    Reason("photo_way", "请在光线好的白墙前重新拍照上传，免冠、露出五官，不要美颜。"),
    Reason("study_way", "请连上网络重新打开课程，已学的进度不会丢，没有计入的部分会自动补上。"),
    Reason("exam_way", "学完全部课程就能考试；没有通过的，可以在规定次数内再考。"),
)


def _ticket_id(case: Case) -> str:
    return str(case.subject.removeprefix("ticket:"))


def _topic(case: Case) -> str:
    return TOPICS.get(json.loads(case.facts)["topic"], "其他")


def evidence(case: Case) -> Evidence:
    """What was written, in order."""
    person = account.get_person(str(case.person_id))
    found = queries.written(_ticket_id(case))
    facts = [
        Fact("姓名", mask_name(person.name) or ""),
        Fact("证件号码", mask_id_number(person.id_number) or ""),
        Fact("事项", _topic(case)),
    ]
    pictures: list[tuple[str, str]] = []
    for one in found:
        who = "客服" if one.ours else "学员"
        told = one.message.text + (f"（照片 {len(one.pictures)} 张）" if one.pictures else "")
        facts.append(Fact(f"{who} {shanghai(one.message.at):%m-%d %H:%M}", told))
        pictures += [
            (picture_id, f"学员的照片 {len(pictures) + at}") for at, picture_id in enumerate(one.pictures, 1)
        ]
    return Evidence(tuple(facts), tuple(pictures))


def about(cases: Sequence[Case]) -> dict[str, str]:
    """The topic, and the first words of what the person wrote last."""
    said = queries.last_said([_ticket_id(case) for case in cases])
    return {case.id: f"{_topic(case)}：{_first_words(said.get(_ticket_id(case), ''))}" for case in cases}


def _first_words(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= FIRST_WORDS else f"{line[:FIRST_WORDS]}…"


def picture(case: Case, name: str) -> bytes | None:
    """A picture of the ticket."""
    try:
        return queries.picture(_ticket_id(case), name)
    except Problem as problem:
        if problem.kind is not NOT_FOUND:
            raise
        return None


def _do(action: Action, deed: Deed) -> None:
    text = deed.reason.text if deed.reason is not None else "" if action == Action.CLOSE else deed.note
    service.answer(_ticket_id(deed.case), action, text, case_id=deed.case.id, actor=deed.actor, now=deed.now)


def _tells(result: str, case: Case, _reason: Reason | None) -> Message:
    return Message("ticket_answered", (_topic(case), result))


KINDS = (
    Kind(
        name=service.KIND,
        title="学员来信",
        what="学员在手机上写来问题。答复会显示在学员的“联系客服”里，并发短信或微信提醒。",
        right=Right.SUPPORT,
        working_days=1,
        evidence=evidence,
        picture=picture,
        about=about,
        decisions=(
            Decision(
                "answer", "写答复", partial(_do, Action.ANSWER), tone="good", note_needed=True, note_told=True,
                message=partial(_tells, "已有答复"),
            ),
            Decision(
                "template", "用常用答复", partial(_do, Action.ANSWER), tone="good", reasons=ANSWERS,
                message=partial(_tells, "已有答复"),
            ),
            Decision(
                "ask", "请学员补充", partial(_do, Action.ASK), note_needed=True, note_told=True,
                message=partial(_tells, "需要您补充"),
            ),
            Decision("close", "不需要答复，结束", partial(_do, Action.CLOSE), note_needed=True),
        ),
    ),
)  # fmt: skip
