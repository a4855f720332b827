"""A programme told in Chinese, as its manual would tell it: chapters in the order in which a person meets the rules.

Pure: `make programme-check` prints it, and screens for staff may show it. Every value of a file stands in a sentence
(tests/policy/test_sentences.py changes each and looks for the change), so what a reader agreed to is the whole file.
"""

from __future__ import annotations

from typing import NamedTuple

from app.policy.schema import Programme
from app.policy.sentences import admission, learning, money, parties


class Chapter(NamedTuple):
    """A heading and the sentences under it."""

    title: str
    sentences: list[str]


def tell(programme: Programme) -> list[Chapter]:
    """The whole programme."""
    return [
        Chapter("项目", parties.programme(programme)),
        Chapter("主管单位与咨询电话", parties.authority(programme)),
        Chapter("账号与首次登录", parties.login(programme)),
        Chapter("证书类别", parties.kinds(programme)),
        Chapter("报名", admission.sign_up(programme)),
        Chapter("新取证", admission.new_certification(programme)),
        Chapter("缴费", money.fee(programme)),
        Chapter("发票", money.invoice(programme)),
        Chapter("头像", learning.photo(programme)),
        Chapter("人脸识别", learning.face(programme)),
        Chapter("学习", learning.study(programme)),
        Chapter("考试", learning.exam(programme)),
        Chapter("刷题练习", learning.practice(programme)),
        Chapter("学习期限延长", learning.extension(programme)),
        Chapter("补考", learning.make_up(programme)),
        Chapter("证明", learning.proof(programme)),
        Chapter("证书换发", learning.renewal(programme)),
        Chapter("短信与订阅消息", parties.messages(programme)),
        Chapter("接口密钥的名称", parties.secrets(programme)),
    ]


def text(programme: Programme) -> str:
    """The same as plain text."""
    chapters = []
    for number, chapter in enumerate(tell(programme), 1):
        lines = [f"{number}. {chapter.title}", *(f"   · {sentence}" for sentence in chapter.sentences)]
        chapters.append("\n".join(lines))
    return "\n\n".join(chapters) + "\n"
