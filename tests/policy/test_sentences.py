"""A programme told in sentences: nothing of the file is left out, and it reads as the manual does."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from app.policy import load, sentences
from app.policy.schema import Programme
from tests.policy.conftest import DELIVERED, FILE
from tests.policy.generated import Document, a_file, places, schema_places

FIVE = {
    path.parent.name: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(DELIVERED.glob("*/*.toml"))
}


def told(document: Document) -> str:
    """The sentences of a document, without the checks of the file as a whole: one value may be changed alone."""
    return sentences.text(msgspec.convert(load.without_none(document), Programme))


# --- nothing is left out -------------------------------------------------------------------------------------------


def changes(info: inspect.Type, holder: Any, key: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Other values for what stands under `key`, each with its place; only values of the type that stands there."""
    value = holder[key]
    if isinstance(info, inspect.Metadata):
        yield from changes(info.type, holder, key, place)
    elif isinstance(info, inspect.UnionType):
        for each in info.types:
            if fits(each, value):
                yield from changes(each, holder, key, place)
    elif isinstance(info, inspect.StructType) and isinstance(value, dict):
        for field in info.fields:
            yield from changes(field.type, value, field.name, f"{place}.{field.name}" if place else field.name)
    elif isinstance(info, inspect.VarTupleType) and isinstance(value, list):
        if value and isinstance(value[0], dict):
            for number in range(len(value)):
                yield from changes(info.item_type, value, number, f"{place}[]")
        elif value:
            for other in (value[:-1], value[1:]):
                if len(other) >= (info.min_length or 0):
                    yield place, (holder, key, other)
            if isinstance(info.item_type, inspect.LiteralType):
                absent = [word for word in sorted(map(str, info.item_type.values)) if word not in value]
                yield from ((place, (holder, key, [*value, word])) for word in absent)
    elif isinstance(info, inspect.LiteralType):
        yield from ((place, (holder, key, word)) for word in sorted(map(str, info.values)) if word != value)
    elif isinstance(value, bool):
        yield place, (holder, key, not value)
    elif isinstance(value, int | float):
        yield from ((place, (holder, key, other)) for other in (value + 1, value - 1, value / 2))
    elif isinstance(value, str):
        digit = "1" if value.endswith("0") else "0"
        yield from ((place, (holder, key, other)) for other in (value + "x", value + "0", value[:-1] + digit))
    elif hasattr(value, "replace"):
        unit = {"hour": (value.hour + 1) % 24} if hasattr(value, "hour") else {"day": value.day % 28 + 1}
        yield place, (holder, key, value.replace(**unit))


def fits(info: inspect.Type, value: Any) -> bool:
    """Whether a value of a document is of this member of a union."""
    if isinstance(info, inspect.NoneType):
        return False
    if isinstance(info, inspect.StructType):
        return isinstance(value, dict) and (not info.tag_field or value.get(info.tag_field) == info.tag)
    return not isinstance(value, dict) and value != "none"


def test_each_value_of_a_file_stands_in_a_sentence() -> None:
    """Each value of the five files, and in generated ones what these do not have, is changed alone; the text must
    change with it. A new key without a sentence ends here. Sums cannot change alone: see the next test."""
    schema = inspect.type_info(Programme)
    silent: set[str] = set()
    heard: set[str] = set()
    for number, document in enumerate((*FIVE.values(), *map(a_file, range(40)))):
        draft = {"": copy.deepcopy(document)}
        text = told(draft[""])
        known = set() if number < len(FIVE) else set(heard)
        for place, (holder, key, other) in changes(schema, draft, "", ""):
            if place in known:
                continue
            kept, holder[key] = holder[key], other
            try:
                changed = told(draft[""])
            except msgspec.ValidationError:
                continue
            finally:
                holder[key] = kept
            heard.add(place)
            if changed == text:
                silent.add(place)
    assert silent == set()
    sums = {"study.class_hours.total", "study.class_hours.general", "study.class_hours.professional",
            "exam.total_score", "exam.paper[].count", "exam.paper[].score"}  # fmt: skip
    one_value_only = {"invoice.kind"}
    assert schema_places() - heard == sums | one_value_only


def test_sums_are_told_with_their_parts() -> None:
    document = copy.deepcopy(FIVE["mohurd"])
    document["study"]["class_hours"] |= {"total": 33, "professional": 23}
    assert "须学满 33 学时，其中通用 10 学时、专业 23 学时" in told(document)
    document["exam"] |= {"total_score": 50, "pass_score": 30, "paper": [{"type": "judge", "count": 25, "score": 2}]}
    assert "满分 50 分，30 分及格；判断题 25 道、每道 2 分。" in told(document)


def test_the_places_of_the_schema_are_found() -> None:
    found = set(places(inspect.type_info(Programme)))
    assert {"fee.amount_fen", "exam.paper[].count", "login.person.first_passwords[].rule.characters"} <= found
    assert len(found) > 180


# --- it reads as the manual does -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("yunnan", "每人每本证书 200.00 元。"),
        ("yunnan", "下单后 30 分钟内付款，超时订单作废，须重新下单。"),
        ("yunnan", "证书到期超过 60 天的，不能网上报名缴费。"),
        ("yunnan", "学习期限：自缴费成功之日起 30 天，或 1 个月后的同一天，以较晚的一天结束为止。"),
        ("yunnan", "中途退出的，消耗一次机会，本次计 0 分。"),
        ("yunnan", "每个科目 5 次机会。"),
        ("yunnan", "各类证书：证书到期前 3 个月起可以申请换证，到期日止，过期作废。"),
        ("yunnan-legacy", "学习期限：自缴费成功之日起 30 天，到最后一天结束为止。"),
        ("yunnan-legacy", "到期后 3 个月止，过期作废。其他类别按通知办理。"),
        ("henan", "培训机构确认之前，本人可以删除报名。"),
        ("henan", "照片经审核确认后才算数。"),
        ("henan", "确认后不能自行更换，只有退回的由本人重新上传。"),
        ("henan", "本项目不收费。"),
        ("henan", "登记的收款单位（本项目不收费）：河南省住房和城乡建设厅。"),
        ("henan", "咨询途径（各类问题）：平台客服。"),
        ("henan", "密码不能单独打开账号，首次登录还须通过：实名核验（姓名、身份证号与本人人脸比对）。"),
        ("henan", "学习期限：报名当年的 12 月 31 日止。"),
        ("henan", "证书过期的也可以报名，不限时间。"),
        ("henan", "继续教育不考试；新取证在考点考试；考前自行打印：报名表、个人承诺书、准考证。"),
        ("qiannan", "每月 1 日 09:00 至 22 日 17:00 报名缴费，可选当月、次月的考试。"),
        ("qiannan", "按场次考试：每月 20 日 09:00 起申请，至考试前 1 天 12:00 截止。"),
        ("qiannan", "没有申请的（包括学时不满而不能申请的），按缺考处理。"),
        ("qiannan", "学满规定学时才能申请考试。"),
        ("qiannan", "须学满 40 学时，每学时 45 分钟；每本证书分别学满。"),
        ("qiannan", "成绩以这一次为准。"),
        ("qiannan", "收款单位：黔南州建筑业协会。"),
        ("qiannan", "报名填写的内容与继续教育相同。"),
        ("qiannan", "不用上传证件的扫描件。"),
        ("qiannan", "报名后不能自行撤回；不想参加的，不缴费即可。"),
        ("qiannan", "特种作业人员：建筑施工特种作业人员（TZ）；可办理刷题练习；练习科目：与证书同名。"),
        ("qiannan", "建筑施工特种作业人员可以刷题练习，不计成绩。"),
        (
            "mohurd",
            "须学满 32 学时，其中通用 10 学时、专业 22 学时，每学时 45 分钟；同一年度第二本证书起免学通用学时。",
        ),
        ("mohurd", "继续教育按以下顺序办理：报名 → 缴费 → 学习 → 考试 → 学时审核 → 证明。"),
        ("mohurd", "有下列情形的清除学时，须重新学习：非本人学习、挂机代刷、没有本人抓拍照片。"),
        ("mohurd", "次数不限，直至合格。"),
        ("mohurd", "按自然年度报名，可选本年度和上一年度；先学本年度，主管部门要求时再选以前年度。"),
        ("mohurd", "主办单位：中国建筑工业出版社（网站：http://zyk.etledu.com）。"),
        ("mohurd", "咨询电话（各类问题）：400-999-9355。"),
        ("mohurd", "由付款人申请，申请后 5 个工作日内开具增值税电子普通发票。"),
        ("mohurd", "品名“培训费”（税收分类编码 3070201020000000000），税率 3%。"),
        ("mohurd", "学满规定学时才能考试。"),
        ("mohurd", "中途退出的，可以回来继续作答。"),
        ("mohurd", "闪退或断网，2 分钟内回来的，不算中途退出，接着考。"),
        ("mohurd", "初始密码不能单独打开账号，首次登录还须通过：实名核验（姓名、身份证号与本人人脸比对）。"),
        ("yunnan", "每 10 秒记一次进度；以服务器时间为准，每秒最多计 1 秒；断网期间最多补记 30 分钟。"),
    ],
)
def test_a_manuals_rule_is_a_sentence(key: str, sentence: str) -> None:
    assert sentence in told(FIVE[key])


def test_every_chapter_says_something_and_ends_its_sentences() -> None:
    for document in FIVE.values():
        for chapter in sentences.tell(load.parse(document, FILE)):
            assert chapter.sentences, chapter.title
            assert all(sentence.endswith("。") for sentence in chapter.sentences)
            assert not any("none" in sentence.lower() for sentence in chapter.sentences)
