"""What can be wrong with a form of the console; each sentence says what to do next."""

from __future__ import annotations

from app.core.errors import problem

HELP_OVER = problem("help_over", 409, "这一项已经办过，或情况刚刚发生了变化，请看下面的最新经过。")
HELP_REASON = problem("help_reason", 422, "请选择一条原因，再提交。")
HELP_NOTE = problem("help_note", 422, "请填写说明（2 至 200 个字），再提交。")
HELP_WORDS = problem("help_words", 422, "请按提示填写，再提交。")
