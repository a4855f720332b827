"""What can go wrong with announcements."""

from __future__ import annotations

from app.core.errors import problem

ANNOUNCEMENT_INVALID = problem("announcement_invalid", 422, "填写的内容有误，请按提示修改后再保存。")
ANNOUNCEMENT_STEP = problem(
    "announcement_step", 409, "这条通知的状态刚刚变了：已发布的不能再改，可以撤回后以它新建一条。"
)
