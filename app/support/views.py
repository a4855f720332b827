"""Routes of help tickets."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from app.core.access import Role, access, identity, request_now
from app.core.clock import iso
from app.core.errors import INVALID
from app.core.openapi import gives, takes
from app.face.uploads import MAX_BODY, read_upload
from app.support import queries, service
from app.support.models import Ticket
from app.support.queries import TOPICS
from app.support.schemas import (
    ReplyIn,
    TicketDetailOut,
    TicketIn,
    TicketOut,
    TicketPictureIn,
    TicketPictureOut,
    TicketsOut,
)

blueprint = APIBlueprint("support", __name__, url_prefix="/api/v1/help-tickets", tag="写给客服")

STATUS = {
    "waiting": "客服会在一个工作日内答复",
    "asked": "客服请您补充",
    "answered": "已有答复",
    "closed": "已结束",
}


def _told(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "topic": TOPICS.get(ticket.topic, ticket.topic),
        "status": ticket.status,
        "status_text": STATUS[ticket.status],
        "unread": queries.unread(ticket),
        "created_at": iso(ticket.created_at),
        "changed_at": iso(ticket.changed_at),
    }


@blueprint.get("")
@access(Role.TRAINEE)
@blueprint.output(TicketsOut)
@blueprint.doc(summary="我写给客服的问题")
def list_tickets() -> dict[str, Any]:
    """The topics, and one's own tickets."""
    return {
        "topics": [{"key": key, "title": title} for key, title in TOPICS.items()],
        "tickets": [_told(ticket) for ticket in queries.of_person(identity().person_id)],
    }


@blueprint.post("")
@access(Role.TRAINEE)
@blueprint.input(TicketIn)
@blueprint.output(TicketOut, status_code=201)
@blueprint.doc(summary="写给客服")
def write_ticket(json_data: dict[str, Any]) -> dict[str, Any]:
    """A new matter."""
    return _told(service.write(identity(), **json_data, now=request_now()))


@blueprint.post("/pictures")
@access(Role.TRAINEE, max_body=MAX_BODY)
@blueprint.output(TicketPictureOut, status_code=201)
@blueprint.doc(summary="上传问题的照片", description="先逐张上传，再随问题提交照片编号；没有提交的照片一天后删除。")
@takes(TicketPictureIn, "multipart/form-data")
def add_picture() -> dict[str, Any]:
    """A picture for what is about to be written."""
    data, fields = read_upload("picture")
    wrong = TicketPictureIn(only=("client_id",)).validate({"client_id": fields.get("client_id", "")})
    if wrong:
        raise INVALID(fields={"client_id": "编号不正确，请重新添加照片。"})
    return {"id": service.add_picture(identity(), fields["client_id"], data, now=request_now())}


@blueprint.get("/<help_id>")
@access(Role.TRAINEE)
@blueprint.output(TicketDetailOut)
@blueprint.doc(summary="一个问题和它的答复")
def get_ticket(help_id: str) -> dict[str, Any]:
    """One of one's own tickets, which is read by that."""
    ticket = service.seen(identity(), help_id, now=request_now())
    return {
        "ticket": _told(ticket),
        "messages": [
            {"ours": one.ours, "text": one.message.text, "at": iso(one.message.at), "pictures": list(one.pictures)}
            for one in queries.written(ticket.id)
        ],
        "may_reply": ticket.status != "closed",
    }


@blueprint.post("/<help_id>/replies")
@access(Role.TRAINEE)
@blueprint.input(ReplyIn)
@blueprint.output(TicketOut, status_code=201)
@blueprint.doc(summary="补充一个问题")
def reply(help_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """More about one of one's own tickets."""
    return _told(service.reply(identity(), help_id, **json_data, now=request_now()))


@blueprint.get("/<help_id>/pictures/<picture_id>")
@access(Role.TRAINEE)
@blueprint.doc(summary="问题里的一张照片")
@gives("image/jpeg")
def get_picture(help_id: str, picture_id: str) -> Response:
    """A picture of one of one's own tickets."""
    ticket = queries.owned(help_id, identity().person_id)
    response = Response(queries.picture(ticket.id, picture_id), content_type="image/jpeg")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = 'inline; filename="photo.jpg"'
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
