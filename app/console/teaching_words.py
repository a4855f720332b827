"""The words of the teaching pages."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from flask import request

from app.console.pages import blueprint
from app.core.access import staff
from app.core.clock import SHANGHAI, day_of, shanghai
from app.core.errors import INVALID, NOT_FOUND
from app.policy import load as policy
from app.policy.schema import Programme
from app.study.status import Failure, FilmStatus, LessonStatus
from app.study.teaching import queries

LESSONS = {
    LessonStatus.DRAFT: ("缺视频", "wait"),
    LessonStatus.READY: ("待发布", "wait"),
    LessonStatus.PUBLISHED: ("已发布", "good"),
    LessonStatus.RETIRED: ("已停用", ""),
}
FILMS = {
    FilmStatus.UPLOADING: ("上传未完成", "wait"),
    FilmStatus.QUEUED: ("等待转码", "wait"),
    FilmStatus.TRANSCODING: ("转码中", "wait"),
    FilmStatus.READY: ("就绪", "good"),
    FilmStatus.FAILED: ("转码失败", "bad"),
}
FAILURES = {
    Failure.NOT_A_FILM: "文件里没有能播放的视频画面。请用播放器确认它能打开，或导出为 MP4 后重新上传。",
    Failure.TOO_SHORT: "视频不到 1 秒，请检查是否导出完整。",
    Failure.TOO_LONG: "视频超过 5 小时，请拆成几节课再上传。",
    Failure.TOO_SLOW: "转码时间过长，已停止。请先把视频压缩到 1080P 以下，再上传。",
    Failure.BROKEN: "视频文件有损坏，转码中断。请重新导出后上传；若确认文件完好，可以再试一次。",
    Failure.NO_ROOM: "服务器磁盘已满。请联系管理员清理磁盘，然后再试一次。",
    Failure.WORKER_LOST: "转码连续三次意外中断。请再试一次；仍然失败请联系管理员查看转码服务。",
}
PHASES = {
    "draft": ("草稿", "wait"),
    "waiting": ("待显示", "wait"),
    "published": ("显示中", "good"),
    "over": ("已到期", ""),
    "withdrawn": ("已撤回", ""),
}
QUESTION_KINDS = {"single": "单选", "multiple": "多选", "judge": "判断"}


def clock(seconds: int | None) -> str:
    """'1:05:09' or '12:05'."""
    if not seconds:
        return ""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def size(count: int | None) -> str:
    """'1.2 GB', '35 MB' or '800 KB'."""
    if count is None:
        return ""
    if count >= 1024**3:
        return f"{count / 1024**3:.1f} GB"
    return f"{count / 1024**2:.0f} MB" if count >= 1024**2 else f"{max(1, count // 1024)} KB"


def day_and_time(at: datetime | None) -> str:
    """'2026-11-25 14:03' on a Shanghai clock."""
    return f"{shanghai(at):%Y-%m-%d %H:%M}" if at is not None else ""


def field_time(at: datetime | None) -> str:
    """What a field for date and time takes."""
    return f"{shanghai(at):%Y-%m-%dT%H:%M}" if at is not None else ""


def moment_of(name: str) -> datetime | None:
    """The moment of a form's field for date and time, by a Shanghai clock; None where it is empty. Raises
    `invalid`."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
        day_of(text[:10])
    except ValueError:
        raise INVALID("时间的格式不对，请用日历选择。", fields={name: "请用日历选择时间。"}) from None
    return moment


def chosen() -> tuple[list[Programme], Programme]:
    """The programmes in which they teach, and the one that the address names, or the first that is open. Raises
    `not_found`."""
    found = queries.programmes(staff().staff)
    if not found:
        raise NOT_FOUND()
    key = request.values.get("programme", "")
    if key:
        return found, queries.programme(staff().staff, key)
    walked = {one.key for one in policy.open_programmes()}
    return found, next((one for one in found if one.key in walked), found[0])


def at(path: str, **values: str) -> str:
    """A path of ours with its query."""
    return f"{path}?{urlencode(values)}"


blueprint.add_app_template_filter(clock, "clock")
blueprint.add_app_template_filter(size, "size")
blueprint.add_app_template_filter(day_and_time, "day_and_time")
blueprint.add_app_template_filter(field_time, "field_time")
