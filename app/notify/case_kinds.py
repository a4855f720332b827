"""What staff decide about messages, and how a decision of theirs is told to the person."""

from __future__ import annotations

import json
from datetime import datetime

from app.account import service as account
from app.cases.kinds import Evidence, Fact, Kind, Message, noted
from app.cases.messages import Preview
from app.cases.models import Case
from app.core.staff import Right
from app.notify import service
from app.notify.kinds import KINDS as TEMPLATES
from app.notify.kinds import text_of
from app.policy import load as policy


class Courier:
    """Tells a person of a decision, as of anything else (`service.tell`)."""

    def send(self, person_id: str, programme: str, message: Message, key: str, *, now: datetime) -> None:
        """In the caller's transaction."""
        service.tell(
            person_id=person_id,
            programme=programme,
            template=message.template,
            params=message.params,
            key=key,
            now=now,
        )

    def preview(self, person_id: str, programme: str, message: Message, *, now: datetime) -> Preview:
        """The text, and what stands in its way."""
        text = text_of(message.template, message.params)
        templates = policy.in_force(programme, now).authority.sms.templates
        if getattr(templates, message.template) is None:
            return Preview(text, "本项目没有这种短信，不会发送，请电话告知。")
        if account.get_person(person_id).phone_sealed is None:
            return Preview(text, "没有登记手机号，无法发送，请用其他方式告知。")
        return Preview(text, None)


def _evidence(case: Case) -> Evidence:
    told = json.loads(case.facts)
    template = TEMPLATES.get(told["template"])
    return Evidence(
        (
            Fact("短信", template.title if template else told["template"]),
            Fact("模板编号", told["template_id"]),
            Fact("短信平台的拒绝代码", told["code"], bad=True),
        )
    )


KINDS = (
    Kind(
        name="sms.refused",
        title="短信被平台拒绝",
        what="短信平台拒绝了一种短信（余额不足，或模板未通过审核），现在谁也收不到它。请到短信平台处理。",
        right=Right.ADMINISTRATOR,
        working_days=1,
        evidence=_evidence,
        decisions=(noted(label="已在短信平台处理，结案"),),
    ),
)
