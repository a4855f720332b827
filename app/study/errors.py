"""What can go wrong in study."""

from __future__ import annotations

from app.core.errors import problem

STUDYING_ELSEWHERE = problem(
    "studying_elsewhere",
    409,
    "您的账号正在另一台设备上学习。请先在那台设备上退出学习，或选择“在这台设备上继续学习”。",
)
TICKET_INVALID = problem("play_ticket_invalid", 401, "本次学习已失效，请重新点击“立即学习”，已看的内容会自动补传。")
WRONG_CHUNKS = problem("wrong_chunks", 422, "上报的学习片段与本课不符，请返回课程列表后重新进入本课。")
RECORDING_PAUSED = problem("recording_paused", 503, "学习记录暂时无法上传，请继续观看，稍后会自动补传。")
NO_COURSE = problem("no_course", 409, "您报名的专业还没有上线课程，请联系培训中心。")
VIDEO_LINK_EXPIRED = problem("video_link_expired", 403, "视频链接已过期，请返回课程列表后重新进入本课。")
RANGE_NOT_SATISFIABLE = problem("range_not_satisfiable", 416, "请求的视频片段超出了文件范围，请重新播放。")
