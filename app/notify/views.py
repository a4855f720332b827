"""The route of one's own messages."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from app.core.access import Role, access, identity, request_now
from app.core.clock import iso
from app.notify import queries
from app.notify.schemas import MessagesOut

blueprint = APIBlueprint("notify", __name__, url_prefix="/api/v1", tag="短信")


@blueprint.get("/messages")
@access(Role.ACTIVATING)
@blueprint.output(MessagesOut)
@blueprint.doc(
    summary="发给我的短信",
    description="最近 20 条短信的内容和发送情况，验证码不保留。账号激活前只有验证码。",
    responses={401: "未登录"},
)
def get_messages() -> dict[str, Any]:
    who = identity()
    messages = queries.sent_to(who.person_id, codes_only=not who.activated, now=request_now())
    return {
        "messages": [
            {
                "title": one.title,
                "text": one.text,
                "phone": one.phone,
                "state": one.state,
                "advice": one.advice,
                "created_at": iso(one.created_at),
                "send_at": iso(one.send_at),
            }
            for one in messages
        ]
    }
