"""What can go wrong while staff decide; each sentence says what to do next."""

from __future__ import annotations

from app.core.errors import problem

CASE_TAKEN = problem("case_taken", 409, "这件工作正由另一位同事处理，请处理下一件。")
CASE_OVER = problem("case_over", 409, "这件工作已经处理完，或刚刚发生了变化，请刷新后处理下一件。")
CASE_REASON = problem("case_reason", 422, "请选择一条原因，再提交这个决定。")
CASE_NOTE = problem("case_note", 422, "请填写内容：至少 2 个字，说明最多 200 个字，写给学员的话最多 1000 个字。")
CASE_SECOND_LOOK = problem("case_second_look", 403, "这个决定需要另一位同事复核，提出的人不能自己复核。")
CASE_SAME_HAND = problem(
    "case_same_hand",
    403,
    "提出和复核的账号由同一位管理员建立，不能互相复核；请先由另一位管理员确认新账号。",
)
CASE_NOT_IN_BATCH = problem("case_not_in_batch", 422, "这个决定不能批量办理，请逐件打开处理。")
