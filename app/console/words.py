"""The console's words for what the code calls otherwise."""

from __future__ import annotations

from datetime import datetime

from app.account import person_pages
from app.cases import kinds
from app.core.clock import shanghai, utcnow
from app.core.crypto import mask_name
from app.core.staff import EVERYWHERE, Right
from app.policy import load as policy

RIGHTS = {
    Right.REVIEWER: "审核",
    Right.SUPPORT: "客服",
    Right.FINANCE: "财务",
    Right.TEACHING: "教务",
    Right.ADMINISTRATOR: "管理员",
}
ACTIONS = {
    "case.claimed": "开始处理",
    "case.released": "放回队列",
    "case.proposed": "提出决定，等待复核",
    "case.sent_back": "复核未同意，退回重办",
    "case.decided": "作出决定",
    "person.unmasked": "查看完整信息",
    "photo.uploaded": "上传照片",
    "photo.confirmed": "确认照片",
    "photo.returned": "退回照片",
    "photo.released": "同意更换照片",
    "face.tries_given_again": "重新给予核验次数",
    "payment.given_back": "原路退回",
    "payment.dismissed": "结束争议",
    "payment.asked_again": "再次查询支付平台",
    "refund.retried": "重新发起退款",
    "refund.left": "不再退款，已用其他方式退回",
    "invoice.held": "暂缓开票",
    "invoice.released": "放行开票",
    "invoice.retried": "重新提交开票",
    "invoice.accepted": "接受开出的发票",
    "invoice.correction_asked": "申请更正发票",
    "invoice.correction_refused": "不更正发票",
    "invoice.reversed": "红冲发票",
    "invoice.rest_issued": "按余款开票",
    "invoice.red_letter_retried": "重新申请红冲",
    "invoice.red_letter_withdrawn": "不再红冲",
    "invoice.not_issued": "不再开具",
    "invoice.red_entered": "登记自行开具的红字发票",
    "invoice.red_taken": "确认自行开具的红字发票",
    "invoice.red_turned_down": "退回登记的红字发票",
    "case.paper": "下载证据文件",
    "invoice.red_letter_accepted": "接受开出的红字发票",
    "invoice.organisation_saved": "登记单位开票信息",
    "invoice.mailed": "发送发票到邮箱",
    "invoice.viewed": "查看发票",
    "invoices.held": "暂停项目开票",
    "invoices.released": "恢复项目开票",
    "invoices.bundled": "打包发票",
    "invoices.downloaded": "下载发票包",
    "reconciliation.downloaded": "下载对账明细",
    "difference.asked": "再次查询支付平台",
    "difference.explained": "说明对账差异",
    "statement.uploaded": "上传对账单",
    "statement.taken": "导入对账单",
    "statement.discarded": "删除未导入的对账单",
    "transfer.new": "导入来款",
    "transfer.repeated": "以前导入过",
    "transfer.open": "交人工处理",
    "transfer.settled": "来款入账",
    "transfer.held": "等付款方补足",
    "transfer.returned": "来款退回",
    "transfer.aside": "与本系统无关",
    "transfer.payer_named": "修改付款户名",
    "outgoing.matched": "转出对上退款",
    "outgoing.open": "转出交人工处理",
    "outgoing.repeated": "以前导入过",
    "outgoing.aside": "转出与退款无关",
    "payout.sent": "已转账退回",
    "outbox.revived": "重新投递",
    "ticket.written": "写来问题",
    "ticket.replied": "补充问题",
    "ticket.answer": "答复学员",
    "ticket.ask": "请学员补充",
    "ticket.close": "结束问题",
    "export.asked": "申请导出",
    "export.made": "生成导出文件",
    "export.fetched": "下载导出文件",
    "course.created": "新建课程",
    "course.renamed": "修改课程名称",
    "course.opened": "开放课程",
    "course.copied": "从其他课程复制",
    "lesson.added": "添加一节课",
    "lesson.renamed": "修改课名",
    "lesson.film_changed": "更换视频",
    "lesson.publish": "发布一节课",
    "lesson.retire": "停用一节课",
    "lesson.removed": "删除一节课",
    "lesson.moved": "调整顺序",
    "film.begun": "开始上传视频",
    "film.uploaded": "视频上传完成",
    "film.retried": "重新转码",
    "film.renamed": "修改视频名称",
    "film.discarded": "删除视频",
    "questions.imported": "导入题库",
    "announcement.written": "写通知",
    "announcement.change": "修改通知",
    "announcement.publish": "发布通知",
    "announcement.withdraw": "撤回通知",
    "announcement.removed": "删除通知草稿",
    "calendar_day.entered": "录入日期",
    "calendar_day.changed": "修改日期",
    "calendar_day.removed": "删除日期",
    "staff.created": "建立账号",
    "staff.agreed": "确认账号为本人所有",
    "staff.right_given": "授予权限",
    "staff.right_taken": "收回权限",
    "staff.disabled": "停用账号",
    "staff.enabled": "启用账号",
    "staff.invited": "生成设密链接",
    "staff.password_set": "设置密码",
    "staff.factor_enrolled": "绑定验证器",
    "staff.factor_reset_asked": "申请重置二次验证",
    "staff.factor_reset": "重置二次验证",
    "staff.signed_in": "登录",
    "staff.signed_out": "退出",
    "staff.login_failed": "密码错误",
    "staff.code_wrong": "二次验证失败",
}
PERSONS_NAME = 4  # characters: longer names are firms'
STATES = {
    "invited": "待本人设密",
    "enrolling": "待绑定验证器",
    "active": "正常",
    "disabled": "已停用",
}


def moment(at: datetime | None) -> str:
    """'11-25 14:03' on a Shanghai clock."""
    return f"{shanghai(at):%m-%d %H:%M}" if at is not None else ""


def full_moment(at: datetime) -> str:
    """'2026-11-25 14:03:21' on a Shanghai clock."""
    return f"{shanghai(at):%Y-%m-%d %H:%M:%S}"


def age(at: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    minutes = max(int((utcnow() - at).total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} 分钟"
    return f"{minutes // 60} 小时" if minutes < 48 * 60 else f"{minutes // 1440} 天"


def right(name: str) -> str:
    """A role's name."""
    return RIGHTS[Right(name)]


def payer(name: str) -> str:
    """Who paid: a firm's name as it is, a person's masked."""
    return (mask_name(name) or "") if len(name) <= PERSONS_NAME else name


def place(programme: str | None) -> str:
    """A programme's name."""
    if programme in (None, EVERYWHERE):
        return "全部项目"
    titles = [one.title for one in policy.all_programmes() if one.key == programme]
    return titles[-1] if titles else str(programme)


def actor(name: str, names: dict[str, str]) -> str:
    """Who did it, as staff call them."""
    if name in names:
        return names[name]
    if name.startswith("person:"):
        return "学员"
    return {"system": "系统", "system:cli": "命令行"}.get(name, name.removeprefix("staff:"))


def action(name: str) -> str:
    """What was done: in the console's words, or in its domain's."""
    told = {key: text for page in person_pages.every() for key, text in page.words.items()}
    return ACTIONS.get(name) or told.get(name, name)


def why(data: dict[str, str | int | bool | None]) -> str:
    """The reason that a line of the audit log gives: a decision by its label, else what was written."""
    kind = kinds.of(str(data.get("kind", "")))
    if kind is not None and "decision" in data:
        chosen = next((one for one in kind.decisions if one.key == data["decision"]), None)
        reason = chosen.reason(str(data.get("reason"))) if chosen is not None else None
        return "：".join([chosen.label if chosen else str(data["decision"])] + ([reason.text] if reason else []))
    return str(data.get("reason") or data.get("note") or "")
