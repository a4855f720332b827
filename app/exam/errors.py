"""What can go wrong with an exam, and what the person does next."""

from __future__ import annotations

from app.core.errors import problem

NO_EXAM_HERE = problem("no_exam_here", 409, "这个项目不在本系统考试，请按考试中心的通知参加考试。")
NO_SUCH_SUBJECT = problem("no_such_subject", 404, "没有这个考试科目，请刷新页面后重新选择。")
STUDY_NOT_COMPLETE = problem("study_not_complete", 409, "课程还没有全部学完（每个课时都要 100%），学完后才能考试。")
NO_ATTEMPTS_LEFT = problem("no_attempts_left", 409, "这个科目的考试次数已经用完。未合格的可以申请补考。")
ANOTHER_EXAM_OPEN = problem("another_exam_open", 409, "您还有一场考试没有交卷，请先回到那场考试交卷。")
QUESTIONS_MISSING = problem("questions_missing", 503, "这个科目的题库还没有准备好，没有扣除考试次数，请联系客服。")
ANSWER_CONFLICT = problem(
    "answer_conflict", 409, "这道题刚刚在另一个页面作答过，没有覆盖。请核对当前答案，需要时再改一次。"
)
BAD_CHOICE = problem("bad_choice", 422, "选项不对：请从题目给出的选项中选择，单选题和判断题只能选一个。")
NO_SUCH_QUESTION = problem("no_such_question", 404, "试卷里没有这道题，请刷新页面后重试。")
EXAM_TIME_OVER = problem("exam_time_over", 409, "考试时间已到，系统已按时间截止前保存的答案自动交卷。")
EXAM_HANDED_IN = problem("exam_handed_in", 409, "这份试卷已经交卷，答案不能再修改。")
EXAM_LEFT = problem("exam_left", 409, "这次考试已按中途退出处理，不能继续作答。还有次数时可以重新开始考试。")
NOT_GIVEN_BACK = problem(
    "attempt_not_given_back", 409, "只有中途断开或超时收卷、且没有合格的考试可以补回次数，请核对考试记录。"
)
UPLOAD_GONE = problem("upload_gone", 409, "这份文件已经导入过，或放了太久。请重新上传，再核对一次。")
QUESTIONS_TOO_FEW = problem(
    "questions_too_few", 409, "没有导入：导入后题目不够组一份试卷。请补足题目，或不停用文件里没有的题。"
)
