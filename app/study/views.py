"""The study routes."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, request, url_for

from app.core.access import Role, access, person_id, request_now
from app.core.openapi import gives
from app.core.rates import Kind
from app.study import films, heartbeat, service
from app.study.schemas import BeatIn, BeatOut, LessonsOut, PlayIn, PlayOut
from config.settings import Settings

api = APIBlueprint("study", __name__, url_prefix="/api/v1", tag="学习")
video = APIBlueprint("video", __name__, tag="学习")


@api.get("/enrolments/<enrolment_id>/lessons")
@access(Role.TRAINEE)
@api.output(LessonsOut)
@api.doc(summary="课程目录和进度")
def list_lessons(enrolment_id: str) -> dict[str, Any]:
    summary, states = service.overview(person_id(), enrolment_id)
    return asdict(summary) | {"items": [asdict(state) for state in states]}


@api.post("/enrolments/<enrolment_id>/lessons/<lesson_id>/play")
@access(Role.TRAINEE)
@api.input(PlayIn)
@api.output(PlayOut)
@api.doc(summary="立即学习：占用学习席位，领取票据和视频地址")
def play_lesson(enrolment_id: str, lesson_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    play = service.play(person_id(), enrolment_id, lesson_id, now=request_now(), **json_data)
    answer = asdict(play)
    answer["video_url"] = url_for("video.film", token=answer.pop("video"))
    answer["watched"] = base64.b64encode(play.watched).decode()
    answer["durable"] = base64.b64encode(play.durable).decode()
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


@video.get("/video/<token>")
@access(Role.TICKET)
@gives("video/mp4")
@video.doc(summary="视频文件，支持 Range", responses={200: "整个视频", 206: "所要的一段", 416: "超出文件范围"})
def film(token: str) -> Response:
    settings: Settings = current_app.config["SETTINGS"]
    return films.send(settings.data_dir / films.FOLDER, token, now=request_now())
