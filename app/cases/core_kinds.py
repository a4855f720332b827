"""Work of the background that is stuck: messages that nobody could deliver, callbacks that cannot be applied."""

from __future__ import annotations

import json

from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, noted
from app.cases.models import Case
from app.core import audit, outbox
from app.core.errors import CONFLICT
from app.core.staff import Right

WORDS = {
    "event": "事件", "subscriber": "接收方", "key": "业务编号", "last_error": "最后一次错误", "provider": "来自",
    "attempts": "已尝试次数",
}  # fmt: skip


def evidence(case: Case) -> Evidence:
    """What the core said when it gave up: ids and names of errors, no personal data."""
    told = json.loads(case.facts)
    facts = [Fact(WORDS.get(key, key), str(value), bad=key == "last_error") for key, value in told.items() if value]
    return Evidence((*facts, Fact("消息编号", case.subject)))


def _revive(deed: Deed) -> None:
    if not outbox.revive_one(deed.case.subject, now=deed.now):
        raise CONFLICT()  # it was delivered meanwhile
    audit.record(deed.actor, "outbox.revived", deed.case.subject, now=deed.now)


KINDS = (
    Kind(
        name="outbox.dead",
        title="投递失败的后台任务",
        what="一个后台任务连续三次失败，已停止尝试。请在排除原因后重新投递，任务会从头再试。",
        right=Right.ADMINISTRATOR,
        working_days=1,
        evidence=evidence,
        decisions=(
            Decision("revive", "重新投递", _revive, tone="good", batch=True),
            noted(label="不再投递，已另行处理"),
        ),
    ),
    Kind(
        name="inbox.stuck",
        title="无法处理的平台通知",
        what="支付平台的一条通知二十次都没有处理成功，系统会继续尝试。请查看日志中的原因。",
        right=Right.ADMINISTRATOR,
        working_days=1,
        evidence=evidence,
        decisions=(noted(label="原因已排除，结案"),),
    ),
    Kind(
        name="study.not_flushed",
        title="学习进度未能写入",
        what="一位学员的学习进度五次都没有写入数据库，进度仍保存在缓存中，没有丢失。请查看日志中的原因。",
        right=Right.ADMINISTRATOR,
        working_days=1,
        evidence=evidence,
        decisions=(noted(label="原因已排除，结案"),),
    ),
)
