"""The study routes."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, request, url_for

from app.core.access import Role, access, person_id, request_now
from app.core.clock import iso
from app.core.openapi import gives
from app.core.rates import Kind
from app.study import films, heartbeat, page, service
from app.study.schemas import BeatIn, BeatOut, LessonsOut, PlayIn, PlayOut
from config.settings import Settings

api = APIBlueprint("study", __name__, url_prefix="/api/v1", tag="学习")
video = APIBlueprint("video", __name__, tag="学习")


@api.get("/enrolments/<enrolment_id>/lessons")
@access(Role.TRAINEE)
@api.output(LessonsOut)
@api.doc(summary="课程目录和进度", description="一次取得课程页所需的全部内容；缴费前和过期后也可以查看。")
def list_lessons(enrolment_id: str) -> dict[str, Any]:
    now = request_now()
    found = page.page(person_id(), enrolment_id, now=now)
    return {
        "title": found.title,
        "kind": found.kind,
        "certificate_no": found.certificate_no,
        "refusal": {"code": found.refusal.code, "text": found.refusal.sentence} if found.refusal else None,
        "study_deadline": iso(found.study_deadline) if found.study_deadline else None,
        "days_left": found.days_left,
        "lesson_percent": found.study.lesson_percent,
        "total_percent": found.study.total_percent,
        "in_order": found.study.no_skipping_until_done,
        "autoplay": found.study.autoplay,
        "clients": found.study.clients,
        "face_on_web": found.face_on_web,
        "saved_at": iso(found.saved_at) if found.saved_at else None,
        "contact": found.contact,
        "server_now": iso(now),
        "items": [asdict(lesson) | {"bytes": _bytes(lesson.film)} for lesson in found.lessons],
        **asdict(found.summary),
    }


def _bytes(film: str) -> int | None:
    settings: Settings = current_app.config["SETTINGS"]
    return films.size(settings.data_dir / films.FOLDER, film)


def _pieces(film: str) -> bool:
    settings: Settings = current_app.config["SETTINGS"]
    return films.in_pieces(settings.data_dir / films.FOLDER, film)


@api.post("/enrolments/<enrolment_id>/lessons/<lesson_id>/play")
@access(Role.TRAINEE)
@api.input(PlayIn)
@api.output(PlayOut)
@api.doc(summary="立即学习：占用学习席位，领取票据和视频地址")
def play_lesson(enrolment_id: str, lesson_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    now = request_now()
    play = service.play(person_id(), enrolment_id, lesson_id, now=now, **json_data)
    _, lessons = service.overview(person_id(), enrolment_id)
    answer = asdict(play)
    token = answer.pop("video")
    answer["video_url"] = url_for("video.film", token=token)
    answer["hls_url"] = url_for("video.film_piece", token=token, piece=films.LIST) if _pieces(play.film) else None
    answer["bytes"] = _bytes(play.film)
    answer["watched"] = base64.b64encode(play.watched).decode()
    answer["durable"] = base64.b64encode(play.durable).decode()
    answer["face_until"] = iso(play.face_until) if play.face_until else None
    answer["next_lesson_id"] = page.follows(lessons, lesson_id)
    answer["server_now"] = iso(now)
    return answer


@api.post("/heartbeat")
@access(Role.TICKET, max_body=heartbeat.MAX_BODY, kind=Kind.HEARTBEAT)
@api.input(BeatIn, validation=False)
@api.output(BeatOut)
@api.doc(summary="上报看完的片段", description="同样的内容报多少次都只计一次；没有网络时留着，之后一起报。")
def beat(json_data: Any) -> Response:
    try:
        body = heartbeat.answer(request.get_data(cache=True), now=request_now(), paced=True)
    except Exception as error:  # turned into an answer, or logged as a bug, by problem_of
        raise heartbeat.problem_of(error) from error
    return Response(body, content_type="application/json")


@video.get("/video/<token>/<piece>")
@access(Role.TICKET)
@gives("application/vnd.apple.mpegurl")
@video.doc(summary="分段视频（HLS）：列表 index.m3u8 与它所列的分段", responses={404: "没有分段视频"})
def film_piece(token: str, piece: str) -> Response:
    settings: Settings = current_app.config["SETTINGS"]
    return films.send_piece(settings.data_dir / films.FOLDER, token, piece, now=request_now())


@video.get("/video/<token>")
@access(Role.TICKET)
@gives("video/mp4")
@video.doc(summary="视频文件，支持 Range", responses={200: "整个视频", 206: "所要的一段", 416: "超出文件范围"})
def film(token: str) -> Response:
    settings: Settings = current_app.config["SETTINGS"]
    return films.send(settings.data_dir / films.FOLDER, token, now=request_now())
