"""What the findings and the suggestions are called on screens and in sheets."""

from __future__ import annotations

FINDINGS = {
    "match": "一致",
    "missing_here": "平台有、我方没有",
    "missing_there": "我方有、平台没有",
    "amount": "金额不一致",
    "status": "状态不一致",
    "duplicate": "平台重复",
}
KINDS = {"payment": "收款", "refund": "退款"}
SUGGESTIONS = {
    "ask": "再向平台查询一次；查到的结果按正常流程入账或退款",
    "give_back_there": "不是本系统发起的：请在平台商户后台查明来源，不应收的在那里退回，再写明原因",
    "retry": "退款失败过：请按原退款单号重发，到账后自动一致",
    "look": "请核对这笔单的争议或退款记录，处理后写明原因",
}
DECIDED = {"open": "待处理", "settled": "已自动一致", "explained": "已说明"}
CHANNELS = {"wechatpay": "微信支付", "alipay": "支付宝", "unionpay": "银联"}
