"""What can go wrong with roster, sign-up and checkout, and what the person does next."""

from __future__ import annotations

from app.core.errors import problem

NOT_PAID_YET = problem("not_paid_yet", 409, "这门课程还没有缴费，请先完成缴费再开始学习。")
STUDY_PERIOD_OVER = problem("study_period_over", 409, "学习期限已过，不能继续学习和考试，请联系考试中心办理延期。")
