"""Signing up, and getting a certificate for the first time."""

from __future__ import annotations

from typing import assert_never

from app.policy.admission import AlwaysOpen, Materials, MonthlyWindow, YearWindow
from app.policy.rooms import STAGES
from app.policy.schema import Programme
from app.policy.sentences.words import WHO, clock, listed, of, size, yes

_SOURCES = {
    "regulator_roster": "主管部门的名单，名单里没有的不能报名",
    "certificate_number": "本人填写的证书编号",
    "registered_enterprise": "本人所在的已登记单位",
    "national_register": "从全国管理系统取得的本人证书",
}
_STEPS = {
    "certificate_number": "填写证书编号",
    "commitments": "阅读并同意告知承诺书",
    "employment": "选择就业状态",
    "city": "选择所在地市",
    "institution": "选择培训机构并填写信息",
    "post": "确定岗位与专业",
    "resume": "填写工作简历",
    "promise": "填写个人承诺",
    "id_card_front": "上传身份证正面",
    "id_card_back": "上传身份证反面",
    "diploma": "上传学历证",
    "confirm": "确认报名",
    "submit_and_print": "提交并打印报名表",
}

_PAPERS = {"id_card_front", "id_card_back", "diploma"}
_SCANS = {True: "上传的证件不要求彩色。", False: "不用上传证件的扫描件。"}


def sign_up(rules: Programme) -> list[str]:
    """Who may, when, with what."""
    rule = rules.sign_up
    told = [
        f"由{of(WHO, rule.by)}报名；能报什么，依据{_SOURCES[rule.source]}。",
        f"业务类型填“{rule.business_type}”。" if rule.business_type else "不用选业务类型。",
        yes(rule.captcha, "查询时要填验证码。", "查询时不用填验证码。"),
        _window(rule.window),
    ]
    if rule.steps:
        told.append(f"报名时依次：{of(_STEPS, rule.steps)}。")
    elif rule.steps is None:
        told.append("报名时只需勾选，不用再填资料。")
    else:
        told.append("报名时没有要填的步骤。")
    told.append(
        "证书过期的也可以报名，不限时间。"
        if rule.expired_refuse_after_days is None
        else f"证书到期超过 {rule.expired_refuse_after_days} 天的，不能网上报名缴费。"
    )
    told.append(
        "证书快到期时不另行提醒。"
        if rule.warn_before_expiry_days is None
        else f"证书到期前 {rule.warn_before_expiry_days} 天内报名的，缴费前提醒时间紧。"
    )
    told.append(_materials(rule.materials))
    ends = {"paid": "缴费之前，本人可以撤回报名。", "confirmed": "培训机构确认之前，本人可以删除报名。"}
    stays = "报名后不能自行撤回；不想参加的，不缴费即可。" if rules.fee else "报名后不能自行撤回。"
    told.append(ends[rule.withdrawable_until] if rule.withdrawable_until else stays)
    return told


def _window(window: AlwaysOpen | MonthlyWindow | YearWindow) -> str:
    match window:
        case AlwaysOpen():
            return "全年随时可以报名。"
        case MonthlyWindow():
            months = of({"this": "当月", "next": "次月"}, window.exam_months)
            return (
                f"每月 {window.opens_day} 日 {clock(window.opens_at)} 至 {window.closes_day} 日 "
                f"{clock(window.closes_at)} 报名缴费，可选{months}的考试。"
            )
        case YearWindow():
            before = {0: "", 1: "和上一年度"}.get(window.years_back, f"和前 {window.years_back} 个年度")
            order = yes(window.this_year_first, "先学本年度，主管部门要求时再选以前年度", "先列以前年度")
            return f"按自然年度报名，可选本年度{before}；{order}。"
        case _:
            assert_never(window)


def _materials(materials: Materials | None) -> str:
    if materials is None:
        return "不用提交资料。"
    formats = listed(word.upper() for word in materials.formats)
    papers = f"{listed(materials.documents)}；格式 {formats}，每份不超过 {size(materials.max_bytes)}"
    return f"缴费前按证书类别提交并等待审核：{papers}。"


def new_certification(rules: Programme) -> list[str]:
    """How a certificate is got for the first time."""
    rule = rules.new_certification
    if rule is None:
        return ["本项目不办理新取证。"]
    return [
        f"新取证按以下顺序办理：{' → '.join(STAGES[stage] for stage in rule.stages)}。",
        "报名填写的内容与继续教育相同。" if rule.steps is None else f"报名时依次：{of(_STEPS, rule.steps)}。",
        yes(rule.scans_in_colour, "上传的证件须为彩色扫描件或照片。", _SCANS[bool(set(rule.steps or ()) & _PAPERS)]),
    ]
