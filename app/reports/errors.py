"""What can go wrong with figures and exports; each sentence says what to do next."""

from __future__ import annotations

from app.core.errors import problem

EXPORT_INVALID = problem("export_invalid", 422, "请检查导出的内容、日期和原因，再提交。")
EXPORT_BUSY = problem("export_busy", 429, "您已有两份导出正在生成，请等它们完成后再提交。")
EXPORT_NOT_READY = problem("export_not_ready", 409, "这份导出还没有生成，或已经过期，请刷新页面查看。")
