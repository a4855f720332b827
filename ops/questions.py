"""A demonstration question bank: `python -m ops.manage make-questions FILE --programme yunnan`.

The questions stand in `ops/demo/questions.txt`; those that ask the same of another number are made here from
the table that the rule stands in. They are common to the trades: every subject gets them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.core.sheet import write_rows
from app.exam.bank.rows import COLUMNS, OPTIONS
from app.policy.schema import Programme

TEXTS = Path(__file__).parent / "demo" / "questions.txt"
_KINDS = ("单选", "多选", "判断")


@dataclass(frozen=True)
class DemoQuestion:
    """One question as the bank's file has it, without its subject."""

    type: str
    stem: str
    options: tuple[str, ...]
    answer: str
    explanation: str

    def cells(self, subject: str) -> list[str]:
        padded = [*self.options, *[""] * (len(OPTIONS) - len(self.options))]
        return [subject, self.type, self.stem, *padded, self.answer, self.explanation]


def written() -> Iterator[DemoQuestion]:
    """The questions of the text file."""
    for line in TEXTS.read_text(encoding="utf-8").splitlines():
        if line.startswith(_KINDS):
            kind, stem, options, answer, explanation = line.split("|")
            yield DemoQuestion(kind, stem, tuple(filter(None, options.split("#"))), answer, explanation)


def _choose(stem: str, right: str, among: tuple[str, ...], source: str) -> DemoQuestion:
    """A single-choice question whose options are the values of a table, in a fixed mixed order."""
    options = sorted(among, key=lambda text: random.Random(stem + text).random())  # noqa: S311 an order, no secret
    return DemoQuestion("单选", stem, tuple(options), "ABCDEF"[options.index(right)], source)


_GRADES = ("一级（Ⅰ级）", "二级（Ⅱ级）", "三级（Ⅲ级）", "四级（Ⅳ级）")
_LINES = {"1 kV 以下": "4 m", "1～10 kV": "6 m", "35～110 kV": "8 m", "220 kV": "10 m", "330～500 kV": "15 m"}
_LEVELS = ("一般事故", "较大事故", "重大事故", "特别重大事故")
_COLOURS = {"禁止、停止": "红色", "注意、警告": "黄色", "必须遵守的指令": "蓝色", "提示、安全状态": "绿色"}


def made() -> Iterator[DemoQuestion]:
    """The questions made from tables."""
    # GB/T 3608-2008, 4: 2–5 m, over 5–15 m, over 15–30 m, over 30 m
    for metres, grade in ((3, 0), (5, 0), (8, 1), (12, 1), (18, 2), (26, 2), (35, 3), (60, 3)):
        stem = f"不计直接引起坠落的客观危险因素时，作业高度为 {metres} m 的高处作业属于（ ）高处作业。"
        yield _choose(stem, _GRADES[grade], _GRADES, "GB/T 3608-2008：2～5 m、5～15 m、15～30 m、30 m 以上分为四级。")
    # JGJ 46-2005, table 4.1.2
    for voltage, distance in _LINES.items():
        stem = f"外脚手架外侧边缘与 {voltage} 外电架空线路边线之间的最小安全操作距离为（ ）。"
        yield _choose(stem, distance, tuple(_LINES.values()), "JGJ 46-2005 表 4.1.2。")
    # State Council order 493, article 3: deaths from 3, 10, 30
    for deaths, level in ((1, 0), (2, 0), (3, 1), (9, 1), (10, 2), (29, 2), (30, 3), (45, 3)):
        stem = f"一次造成 {deaths} 人死亡的生产安全事故属于（ ）。"
        yield _choose(stem, _LEVELS[level], _LEVELS, "《生产安全事故报告和调查处理条例》第三条，“以上”包括本数。")
    # GB 2894-2008, 4
    for meaning, colour in _COLOURS.items():
        stem = f"安全标志中表示“{meaning}”的安全色是（ ）。"
        yield _choose(stem, colour, tuple(_COLOURS.values()), "GB 2894-2008《安全标志及其使用导则》。")
    # JGJ 46-2005, 10.2.2
    for place, volts in (
        ("隧道、人防工程", "36 V"),
        ("潮湿和易触及带电体场所", "24 V"),
        ("锅炉或金属容器内", "12 V"),
    ):
        stem = f"{place}的照明，电源电压不得大于（ ）。"
        yield _choose(stem, volts, ("36 V", "24 V", "12 V", "220 V"), "JGJ 46-2005 第 10.2.2 条。")
    # 建质〔2008〕91 号, article 13: safety officers of a general contractor, by floor area
    for area, count in (("8,000 m²", "1 人"), ("30,000 m²", "2 人"), ("60,000 m²", "3 人")):
        stem = f"总承包单位对建筑面积 {area} 的建筑工程，配备项目专职安全生产管理人员不得少于（ ）。"
        yield _choose(stem, count, ("1 人", "2 人", "3 人", "5 人"), "建质〔2008〕91 号第十三条。")


def questions() -> list[DemoQuestion]:
    """All of them, each once."""
    return [*written(), *made()]


def write(path: Path, programme: Programme) -> int:
    """A bank file for every subject of the programme; gives the number of rows."""
    subjects = {subject.code: subject.title for kind in programme.certificate_kinds for subject in kind.subjects}
    rows = [question.cells(title) for title in subjects.values() for question in questions()]
    write_rows(path, [list(COLUMNS), *rows], title="题库")
    return len(rows)
