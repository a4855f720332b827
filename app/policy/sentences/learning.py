"""Photo, face, study, exam, and what comes after."""

from __future__ import annotations

from typing import assert_never

from app.core.money import yuan
from app.policy.admission import YearWindow
from app.policy.schema import (
    CalendarYear,
    CentreExam,
    ClassHours,
    Exam,
    Extension,
    FromPayment,
    HoursAudit,
    MakeUp,
    Programme,
    Sittings,
    Study,
    UntilBeforeExam,
)
from app.policy.sentences.words import CLIENTS, WHO, clock, kinds, listed, of, size, span, working_days, yes

_PURPOSES = {"activation": "实名核验", "login": "登录", "study_now": "开始学习", "exam_start": "开始考试"}
_QUESTIONS = {"single": "单选题", "multiple": "多选题", "judge": "判断题"}
_PURGE = {"not_the_person": "非本人学习", "auto_play": "挂机代刷", "no_captures": "没有本人抓拍照片"}
_PRINTS = {"sign_up_form": "报名表", "promise": "个人承诺书", "admission_ticket": "准考证"}
_PROOF_PARTS = {"photo": "照片", "qr": "二维码", "colour": "彩色"}


def photo(rules: Programme) -> list[str]:
    """What it has to be like, and who may change it."""
    rule = rules.photo
    if rule is None:
        return ["本项目不要头像。"]
    kind = {"one_inch": "一寸", "half_length": "半身"}[rule.size]
    ground = {"white": "白底", "any": "底色不限"}[rule.ground]
    hat = "、免冠" if rule.bareheaded else ""
    return [
        f"上传本人近期{kind}照片：{ground}{hat}，不超过 {size(rule.max_bytes)}。",
        f"尺寸约 {rule.width_px}×{rule.height_px} 像素，比例相差不超过 {rule.aspect_tolerance_percent}%，"
        f"宽度不少于 {rule.min_width_px} 像素。",
        yes(rule.unretouched, "照片不得用软件修饰。", "不禁止修饰照片。"),
        yes(rule.reviewed, "照片经审核确认后才算数。", "照片不经人工审核。"),
        {
            "support": "上传错误的，由客服修改。",
            "trainee_when_returned": "确认后不能自行更换，只有退回的由本人重新上传。",
            "nobody": "一经上传不可修改。",
        }[rule.changed_by],
    ]


def face(rules: Programme) -> list[str]:
    """When it is checked, and what counts."""
    rule = rules.face
    if rule is None:
        return ["本项目不做人脸识别。"]
    moments = listed(f"{_PURPOSES[each.purpose]}（{each.pass_valid_minutes} 分钟内有效）" for each in rule.purposes)
    return [
        f"以下时候识别人脸：{moments}。",
        f"相似度不低于 {rule.match_score}，活体分不低于 {rule.liveness_score}；连续 {rule.retries} 次未通过转人工。",
        yes(rule.web_by_phone_qr, "电脑网页用微信扫码，在手机上识别。", "电脑网页用电脑摄像头识别。"),
        "不要求做动作。" if rule.action_seconds is None else f"听到动作提示后 {rule.action_seconds} 秒内完成动作。",
    ]


def study(rules: Programme) -> list[str]:
    """Until when, how much, and how it is counted."""
    rule = rules.study
    if rule is None:
        return ["本项目没有课程学习。"]
    captures = rule.captures
    return [
        _period(rule.period, rules),
        "学习期限将满时不提醒。"
        if not rule.remind_days_before
        else f"学习期限截止前 {listed(map(str, rule.remind_days_before))} 天提醒本人。",
        f"单个课时学到 {rule.lesson_percent}%、总进度达到 {rule.total_percent}% 才算学完。",
        _class_hours(rule.class_hours),
        _counting(rule),
        yes(rule.autoplay, "课程自动连续播放。", "每个课时要自己点击播放。"),
        yes(rule.no_skipping_until_done, "学完之前不能快进或跳看，学完可以重播。", "可以快进和跳看。"),
        yes(
            rule.one_device,
            f"同一账号不能在两个端口同时学习；{span(rule.lease_stale_seconds)}没有动静，另一处可以接着学。",
            f"可以在多个端口同时学习（每个端口 {span(rule.lease_stale_seconds)}没有动静即视为离开）。",
        ),
        f"学习端口：{of(CLIENTS, rule.clients)}。",
        "学习中不抓拍。"
        if captures is None
        else f"学习中随机抓拍，每小时 {captures.per_hour_at_least} 至 {captures.per_hour_at_most} 次，"
        f"间隔不少于 {captures.minutes_apart} 分钟。",
        *_audit(rule.audit),
    ]


def _period(period: FromPayment | UntilBeforeExam | CalendarYear, rules: Programme) -> str:
    match period:
        case FromPayment():
            days = f"自缴费成功之日起 {period.days} 天"
            if not period.months:
                return f"学习期限：{days}，到最后一天结束为止。"
            return f"学习期限：{days}，或 {period.months} 个月后的同一天，以较晚的一天结束为止。"
        case UntilBeforeExam():
            return (
                f"学习期限：每月 {period.opens_day} 日 {clock(period.opens_at)} 起，"
                f"至考试前 {period.days_before} 天 {clock(period.closes_at)} 止。"
            )
        case CalendarYear():
            begins = "缴费" if rules.fee else "报名"
            if not isinstance(rules.sign_up.window, YearWindow):
                return f"学习期限：{begins}当年的 12 月 31 日止。"
            return f"学习期限：所报年度的 12 月 31 日止；补学以前年度的，到{begins}当年的 12 月 31 日止。"
        case _:
            assert_never(period)


def _class_hours(hours: ClassHours | None) -> str:
    if hours is None:
        return "课时数以各类别的课程为准，不另设学时。"
    again = yes(hours.general_counts_again_in_year, "同一年度第二本证书起免学通用学时", "每本证书分别学满")
    parts = f"，其中通用 {hours.general} 学时、专业 {hours.professional} 学时" if hours.general else ""
    return f"须学满 {hours.total} 学时{parts}，每学时 {hours.minutes} 分钟；{again}。"


def _counting(rule: Study) -> str:
    return (
        f"每 {rule.chunk_seconds} 秒记一次进度；以服务器时间为准，每秒最多计 {rule.rate:g} 秒；"
        f"断网期间最多补记 {span(rule.offline_allowance_seconds)}。"
    )


def _audit(audit: HoursAudit | None) -> list[str]:
    if audit is None:
        return ["学时不另行审核。"]
    return [
        f"学完后学时须经审核，{working_days(audit.takes)}。",
        f"有下列情形的清除学时，须重新学习：{of(_PURGE, audit.purge_for)}。",
        yes(audit.purge_keeps_exam_score, "清除学时不影响考试成绩。", "清除学时的，考试成绩一并作废。"),
    ]


def exam(rules: Programme) -> list[str]:
    """The exam taken here, or the centre's."""
    if rules.exam is not None:
        return _exam(rules.exam, rules.study)
    return ["本项目没有考试。"] if rules.centre_exam is None else _centre_exam(rules.centre_exam, rules)


def _exam(rule: Exam, study_rule: Study | None) -> list[str]:
    paper = "，".join(f"{_QUESTIONS[part.type]} {part.count} 道、每道 {part.score} 分" for part in rule.paper)
    return [
        _study_first(rule, study_rule),
        yes(rule.within_study_period, "须在学习期限内考完。", "考试不受学习期限限制。"),
        f"考试 {rule.minutes} 分钟，到时自动交卷；到时前已发出的答案，{rule.answer_grace_seconds} 秒内到达仍然算数。",
        f"满分 {rule.total_score} 分，{rule.pass_score} 分及格；{paper}。",
        yes(rule.multiple_partial_score, "多选题少选且无错的得部分分。", "多选题须全部选对才得分。"),
        "次数不限，直至合格。" if rule.attempts is None else f"每个科目 {rule.attempts} 次机会。",
        {"best": "取最高分。", "last": "取最后一次的成绩。"}[rule.keep]
        if rule.attempts != 1
        else {"best": "成绩以这一次为准。", "last": "成绩以最后一次为准，也就是这一次。"}[rule.keep],
        on_leave(rule),
        f"闪退或断网，{span(rule.crash_grace_seconds)}内回来的，不算中途退出，接着考。",
        *_sittings(rule.sittings),
    ]


def _study_first(rule: Exam, study_rule: Study | None) -> str:
    """What has to be learnt before the exam, or the application for a sitting."""
    if not rule.requires_study_complete:
        return "不必学完即可考试。"
    learnt = "学满规定学时" if study_rule and study_rule.class_hours else "学完全部课程"
    return f"{learnt}才能申请考试。" if rule.sittings else f"{learnt}才能考试。"


def on_leave(rule: Exam) -> str:
    """What becomes of an attempt whose person goes away."""
    return {
        "burn_and_zero": "中途退出的，消耗一次机会，本次计 0 分。",
        "hand_in": "中途退出的，按已答内容交卷。",
        "continue": "中途退出的，可以回来继续作答。",
    }[rule.on_leave]


def _sittings(rule: Sittings | None) -> list[str]:
    if rule is None:
        return ["随到随考，不分场次。"]
    return [
        f"按场次考试：每月 {rule.opens_day} 日 {clock(rule.opens_at)} 起申请，"
        f"至考试前 {rule.days_before} 天 {clock(rule.closes_at)} 截止。",
        {
            "absent": "没有申请的（包括学时不满而不能申请的），按缺考处理。",
            "nothing": "没有申请的，不影响以后申请。",
        }[rule.without_application],
    ]


def _centre_exam(rule: CentreExam, rules: Programme) -> list[str]:
    who = "" if "exam" in rules.stages else "继续教育不考试；新取证"
    return [
        f"{who}在考点考试；考前自行打印：{of(_PRINTS, rule.prints)}。",
        yes(rule.result_confirmed, "分数公布后经成绩确认才算数。", "分数公布即为成绩。"),
    ]


def practice(rules: Programme) -> list[str]:
    """Practising with the question bank."""
    if rules.practice is None:
        return ["本项目没有刷题练习。"]
    return [f"{kinds(rules.practice.certificate_kinds, rules.certificate_kinds)}可以刷题练习，不计成绩。"]


def extension(rules: Programme) -> list[str]:
    """More days."""
    rule = rules.extension
    if rule is None:
        return ["学习期限到期后不能延长。"]
    return [
        f"学习期限结束而未学完、未考合格的，可以申请延期；批准后再给 {rule.days} 天。",
        *_asked("延期", rule, rules),
    ]


def make_up(rules: Programme) -> list[str]:
    """More attempts."""
    rule = rules.make_up
    if rule is None:
        return ["本项目不办理补考。"]
    return [
        f"考试次数用完仍未合格的，可以申请补考；批准后再给 {rule.attempts} 次机会，{rule.days} 天内考完。",
        *_asked("补考", rule, rules),
    ]


def _asked(what: str, rule: Extension | MakeUp, rules: Programme) -> list[str]:
    form = {"online": "在线填写申请表", "uploaded": "下载表格，填好后上传"}[rule.form]
    return [
        f"{kinds(rule.certificate_kinds, rules.certificate_kinds)}由{of(WHO, rule.by)}{form}。",
        f"{what}最多 {rule.times} 次。" if rule.times is not None else f"{what}不限次数。",
        yes(rule.reviewed, f"{what}须经审核。", f"{what}申请后立即生效。"),
        f"{what}每次收费 {yuan(rule.fee_fen)} 元。" if rule.fee_fen else f"{what}不收费。",
    ]


def proof(rules: Programme) -> list[str]:
    """What one gets."""
    rule = rules.proof
    if rule is None:
        return ["本项目不出具证明。"]
    parts = of(_PROOF_PARTS, rule.valid_only_with)
    return [
        f"合格后出具“{rule.title}”。",
        f"打印件须有：{parts}，缺少的无效。" if rule.valid_only_with else "打印件没有格式要求。",
        yes(rule.new_one_voids_old, "出具新证明后，旧证明作废。", "出具新证明不影响旧证明。"),
    ]


def renewal(rules: Programme) -> list[str]:
    """Until when, by whom, and what becomes of the old certificate."""
    rule = rules.renewal
    if rule is None:
        return ["换证不在本项目办理。"]
    begins = "随时" if rule.months_before is None else f"证书到期前 {rule.months_before} 个月起"
    ends = {None: "没有截止日", 0: "到期日止，过期作废"}
    closes = ends.get(rule.months_after) or f"到期后 {rule.months_after} 个月止，过期作废"
    return [
        f"{kinds(rule.certificate_kinds, rules.certificate_kinds)}：{begins}可以申请换证，{closes}。"
        + ("" if rule.certificate_kinds is None else "其他类别按通知办理。"),
        {
            "enterprise_ca_lock": "由企业插 CA 锁登录申请。",
            "receipt_upload": "上传证明（回执）申请。",
            "person": "由本人登录申请。",
        }[rule.by],
        f"合格后可以查到并申请的时间：{working_days(rule.listed_after_pass)}。",
        {"certificate": "换发新证书。", "electronic_certificate": "换发电子证书。"}[rule.gives],
        yes(rule.voids_old, "换证后原证书作废。", "原证书不因换证而提前作废。"),
    ]
