"""What can go wrong with roster, sign-up and checkout, and what the person does next."""

from __future__ import annotations

from app.core.errors import problem

NOT_PAID_YET = problem("not_paid_yet", 409, "这门课程还没有缴费，请先完成缴费再开始学习。")
STUDY_PERIOD_OVER = problem("study_period_over", 409, "学习期限已过，不能继续学习和考试，请联系考试中心办理延期。")

# refusals of a sign-up, under the codes of `app.policy.rules.SignUpRefusal` and two of our own
CERTIFICATE_EXPIRED_TOO_LONG = problem(
    "certificate_expired_too_long", 409, "证书到期太久，已不能网上报名缴费，请联系考试中心。"
)
SIGN_UP_CLOSED = problem("sign_up_closed", 409, "现在不在报名时间内，请在报名开放后再来。")
YEAR_NOT_OFFERED = problem("year_not_offered", 409, "这个年度不能报名，请选择其他年度。")
ALREADY_COMPLETED = problem(
    "already_completed", 409, "这本证书本期的继续教育已经通过，不用再报名，请到“我的证明”查看。"
)
KIND_NOT_OFFERED = problem("kind_not_offered", 409, "这个证书类别现在不在本项目中，请联系考试中心。")
REFUSALS = {
    kind.code: kind
    for kind in (
        CERTIFICATE_EXPIRED_TOO_LONG,
        SIGN_UP_CLOSED,
        YEAR_NOT_OFFERED,
        ALREADY_COMPLETED,
        KIND_NOT_OFFERED,
    )
}

ALREADY_PAID = problem("already_paid", 409, "勾选的课程里有已经缴过费的，不用再缴，请刷新后只勾选待缴费的课程。")
PAYER_MISMATCH = problem("payer_mismatch", 422, "再次填写的信息与登记的不一致，请按身份证上的信息重新填写。")
ONE_PROGRAMME_PER_ORDER = problem(
    "one_programme_per_order", 409, "勾选的课程属于不同的培训项目，收款单位不同，请分开缴费。"
)
NOTHING_TO_PAY = problem("nothing_to_pay", 409, "这个培训项目不收费，不用缴费。")
UNMASK_REASON = problem("unmask_reason", 422, "请写明查看原始信息的原因（5 至 200 个字），原因会记入审计记录。")
OTHER_NOT_FOUND = problem(
    "other_account_not_found", 409, "没有找到这个身份证号的账号，或它不在您负责的项目里，请核对号码或联系管理员。"
)
