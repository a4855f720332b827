"""The routes of a person's announcements."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from app.announce import queries, service
from app.announce.schemas import AnnouncementOut, AnnouncementsOut
from app.core.access import Role, access, person_id, request_now
from app.core.clock import iso

blueprint = APIBlueprint("announce", __name__, url_prefix="/api/v1", tag="通知")


def _line(mail: queries.Mail) -> dict[str, Any]:
    return {"id": mail.id, "title": mail.title, "starts_at": iso(mail.starts_at), "read": mail.read}


@blueprint.get("/announcements")
@access(Role.TRAINEE)
@blueprint.output(AnnouncementsOut)
@blueprint.doc(summary="发给我的通知", description="本人报名的项目的通知，新的在前；没有正文。")
def list_announcements() -> dict[str, Any]:
    found = queries.to_person(person_id(), now=request_now())
    return {"unread": sum(not mail.read for mail in found), "announcements": [_line(mail) for mail in found]}


@blueprint.post("/announcements/<announcement_id>/read")
@access(Role.TRAINEE)
@blueprint.output(AnnouncementOut)
@blueprint.doc(summary="打开一条通知", description="取得正文，并记为已读；打开多少次都只记一次。")
def read_announcement(announcement_id: str) -> dict[str, Any]:
    mail = service.read(person_id(), announcement_id, now=request_now())
    return _line(mail) | {"body": mail.body}
