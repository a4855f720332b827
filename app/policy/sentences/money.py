"""What is paid, how, and the invoice."""

from __future__ import annotations

from app.core.money import yuan
from app.policy.schema import Fee, Programme
from app.policy.sentences.words import CHANNELS, CLIENTS, of, working_days, yes

_PAYERS = {"person": "个人", "enterprise": "企业"}
_INVOICES = {"electronic_ordinary_vat": "增值税电子普通发票"}


def fee(rules: Programme) -> list[str]:
    """The price, the order, the ways to pay."""
    rule = rules.fee
    if rule is None:
        return ["本项目不收费。"]
    per = {"certificate": "每人每本证书", "order": "每张订单"}[rule.per]
    told = [
        f"{per} {yuan(rule.amount_fen)} 元。",
        f"下单后 {rule.order_minutes} 分钟内付款，超时订单作废，须重新下单。",
        *_bank_transfer(rule),
        yes(rule.payer_retype, "付款前再次填写付款人名称和号码，一致才能付款。", "付款前不用再次填写付款人信息。"),
        yes(rule.refundable_after_success, "付款成功后可以申请退款。", "付款成功后不予退款；多付、迟付的照退。"),
        f"已扣款而订单未更新的，{rule.late_confirmation_working_days} 个工作日内恢复，请勿重复付款。",
    ]
    for client, name in CLIENTS.items():
        told.append(f"{name}的付款方式：{of(CHANNELS, getattr(rule.channels, client), none='不能付款')}。")
    told.append(yes(rule.channels.jsapi_on_ios, "苹果手机可以在微信内直接支付。", "苹果手机不提供微信内直接支付。"))
    return told


def _bank_transfer(rule: Fee) -> list[str]:
    transfer = rule.bank_transfer
    if transfer is None:
        return ["不接受对公转账。"]
    return [
        f"{of(_PAYERS, transfer.by)}可以对公转账，订单保留 {transfer.days} 天，过期作废。",
        f"收款账户：户名“{transfer.account_name}”，开户行“{transfer.bank}”，账号 {transfer.account_number}。",
    ]


def invoice(rules: Programme) -> list[str]:
    """When it comes, and on whose name."""
    rule = rules.invoice
    if rule is None:
        return ["本项目不开发票。"]
    when = working_days(rule.after_payment)
    return [
        {
            "automatic": f"付款后 {when}自动开具{_INVOICES[rule.kind]}，自行下载打印。",
            "on_request": f"由付款人申请，申请后 {when}开具{_INVOICES[rule.kind]}。",
        }[rule.issued],
        yes(rule.held_until_settlement_checked, "财务结算待核实的，发票延后开具。", "开票前不等财务核实结算。"),
        yes(rule.details_fixed_once_paid, "付款成功后开票信息不能再改。", "付款成功后仍可修改开票信息。"),
        f"品名“{rule.goods_name}”（税收分类编码 {rule.goods_code}），税率 {rule.tax_rate_permille / 10:g}%。",
    ]
