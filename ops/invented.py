"""A programme that nobody has: yunnan's rules, paid by bank transfer too, and on a phone by a code. It is put beside
the real ones in a copy of their folder, for a journey and for tests, and never stands in config/."""

from __future__ import annotations

import shutil
from pathlib import Path

KEY = "jianxun"
TITLE = "建训省建筑从业人员继续教育（虚构）"
FROM = "yunnan/2021-02-01.toml"
ACCOUNT = "53001234567890"
# a province that is none has no authority of a real one, and none of its telephones
NAMES = {
    "云南省": "建训省",
    "昆明": "建训",
    "0871-": "0000-",
    "www.ynjspx.cn": "jianxun.example",
    "www.ynjzjgcx.com": "jianxun.example",
}
RULE = (
    '{ days = 7, by = ["person", "enterprise"], account_name = "云南省建设注册考试中心", bank = "某银行昆明某支行", '
    f'account_number = "{ACCOUNT}" }}'
)


def with_transfers(text: str) -> str:
    """The text of yunnan's file, with bank transfers on the web page. Raises `ValueError` if it says them already."""
    changed = text.replace('bank_transfer = "none"', f"bank_transfer = {RULE}", 1)
    changed = changed.replace('"unionpay_b2c"]', '"unionpay_b2c", "bank_transfer"]', 1)
    if changed.count("bank_transfer") != text.count("bank_transfer") + 1:
        raise ValueError(f"{FROM} is not as it was")
    return changed


def with_code_on_a_phone(text: str) -> str:
    """The text of yunnan's file, with WeChat's code in a phone's browser, which another phone has to scan. Raises
    `ValueError` if it is not as it was."""
    changed = text.replace(
        'phone_web = ["alipay_wap", "wechat_jsapi"]', 'phone_web = ["alipay_wap", "wechat_native"]', 1
    )
    if changed == text:
        raise ValueError(f"{FROM} is not as it was")
    return changed


def programmes(target: Path, source: Path) -> Path:
    """A copy of the folder `source` as `target`, with the invented programme in it."""
    shutil.copytree(source, target)
    text = with_code_on_a_phone(with_transfers((source / FROM).read_text(encoding="utf-8")))
    first, rest = text.split('key = "yunnan"\n', 1)
    _, rest = rest.split("\n", 1)
    path = target / KEY / Path(FROM).name
    path.parent.mkdir()
    text = f'{first}key = "{KEY}"\ntitle = "{TITLE}"\n{rest}'
    for real, made_up in NAMES.items():
        text = text.replace(real, made_up)
    path.write_text(text, encoding="utf-8")
    return target
