"""What can go wrong while teaching staff prepare courses, and why a film cannot be watched."""

from __future__ import annotations

from app.core.errors import problem

FILM_REFUSED = problem("film_refused", 422, "这个视频不能上传，请按提示处理后再试。")
FILM_OFFSET = problem("film_offset", 409, "上传的位置对不上，页面会自动从已收到的地方接着传。")
FILM_CHUNK_DAMAGED = problem("film_chunk_damaged", 422, "这一段在传输中损坏，页面会自动重传这一段。")
FILM_NO_ROOM = problem(
    "film_no_room", 507, "服务器的磁盘空间不够，已传的部分不会丢失。请联系管理员清理，腾出后页面会自动接着传。"
)
FILM_IN_USE = problem("film_in_use", 409, "课程正在使用这个视频，不能删除。请先给这节课换一个视频。")
FILM_STEP = problem("film_step", 409, "视频的状态刚刚发生了变化，请刷新后再操作。")
COURSE_INVALID = problem("course_invalid", 422, "填写的内容有误，请按提示修改后再保存。")
COURSE_TAKEN = problem("course_taken", 409, "这个证书类别已经有课程了，请直接打开它。")
LESSON_STEP = problem("lesson_step", 409, "这节课现在不能这样操作，请刷新后查看它的状态。")
LESSON_STUDIED = problem(
    "lesson_studied",
    409,
    "已经有学员在学这节课，课长不能变：新视频要与原来一样长。内容改多了，请新建一节课并停用这一节。",
)
