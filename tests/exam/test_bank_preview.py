"""An import is looked at before it is done: nothing is written until then, and a paper that is sat never changes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from app import wiring
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import Right
from app.exam import queries as exams
from app.exam.bank import files, template
from app.exam.bank.rows import COLUMNS
from app.exam.bank.service import Preview, import_questions, preview
from app.exam.models import Attempt, Question, QuestionImport, QuestionVersion
from app.policy import load
from ops import manage
from tests.exam.rooms import a_bank, a_candidate
from tests.staffroom import Browser, a_member, at_desk
from tests.world import World

ONE = ["塔机司机", "单选", "题干一", "甲", "乙", "丙", "", "", "", "A", "解析一", "", "高处作业"]
TWO = ["塔机司机", "判断", "题干二", "", "", "", "", "", "", "错误", "", "", ""]


def sheet(*rows: list[str]) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in (list(COLUMNS), *rows):
        page.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


Look = Callable[..., Preview]


@pytest.fixture
def look(world: World, tmp_path: Path) -> Look:
    def run(*rows: list[str], replace: bool = False) -> Preview:
        path = tmp_path / "bank.xlsx"
        path.write_bytes(sheet(*rows))
        return preview(path, "yunnan", now=utcnow(), replace=replace)

    return run


def take(tmp_path: Path, *rows: list[str]) -> None:
    path = tmp_path / "taken.xlsx"
    path.write_bytes(sheet(*rows))
    assert import_questions(path, "yunnan", actor="system", now=utcnow()).errors == ()


def enough(*, single: int = 25, multiple: int = 10, judge: int = 15) -> list[list[str]]:
    """New questions of one subject: unless told otherwise, just as many as a paper takes."""
    rows = [["TJ", "单选", f"新单选{number}", *ONE[3:]] for number in range(single)]
    rows += [["TJ", "多选", f"新多选{number}", *ONE[3:9], "AB", *ONE[10:]] for number in range(multiple)]
    return rows + [["TJ", "判断", f"新判断{number}", *TWO[3:]] for number in range(judge)]


def nothing_written() -> bool:
    return not any(model.select().exists() for model in (Question, QuestionVersion, QuestionImport))


def test_a_preview_counts_each_type_and_writes_nothing(look: Look) -> None:
    found = look(ONE, TWO)
    assert found.counts == {"TJ": {"single": 1, "judge": 1}}
    assert (found.added, found.unchanged, found.changes, found.errors) == (2, 0, (), ())
    assert nothing_written()


def test_it_tells_new_questions_from_changed_and_from_those_that_are_there(look: Look, tmp_path: Path) -> None:
    take(tmp_path, ONE, TWO)
    other = [*ONE[:9], "B", "另一种解释", "", "高处作业"]
    found = look(other, TWO, [*TWO[:2], "题干三", *TWO[3:]])
    assert (found.added, found.unchanged) == (1, 1)
    (change,) = found.changes
    assert (change.number, change.columns) == (2, ("答案", "解析"))
    assert look(ONE, TWO).empty


def test_the_same_stem_as_another_type_is_pointed_at(look: Look, tmp_path: Path) -> None:
    take(tmp_path, ONE)
    (alike,) = look(["塔机司机", "判断", "题干一", *TWO[3:]]).alike
    assert (alike.number, alike.other) == (2, "single")


def test_every_fault_is_named_by_row_and_column(look: Look) -> None:
    found = look(ONE, [*ONE[:2], "题干九", "甲", "甲", *ONE[5:]], ["没有", *TWO[1:]], [*TWO[:9], "也许", *TWO[10:]])
    assert [(error.row, error.column) for error in found.errors] == [(3, "选项B"), (4, "科目"), (5, "答案")]
    assert all(error.message for error in found.errors)


def test_points_that_are_not_the_programmes_are_a_fault(look: Look) -> None:
    exam = load.in_force("yunnan", utcnow()).exam
    assert exam is not None
    points = next(part.score for part in exam.paper if part.type == "single")
    right, wrong = [*ONE], [*ONE]
    right[11], wrong[11] = f"{points} 分", str(points + 1)
    assert look(right).errors == ()
    (fault,) = look(wrong).errors
    assert (fault.column, str(points) in fault.message) == ("分值", True)


def test_the_knowledge_point_is_kept_with_the_version(tmp_path: Path, world: World) -> None:
    take(tmp_path, ONE, TWO)
    found = {row.stem: row.knowledge_point for row in QuestionVersion.select()}
    assert found == {"题干一": "高处作业", "题干二": None}


def test_what_the_questions_are_about_is_shown_before_and_after_they_are_taken(world: World) -> None:
    desk = a_desk(world)
    assert "知识点（题数）" not in desk.get("/console/questions").text
    hostile = [*ONE[:2], "题干三", *ONE[3:12], "<svg onload=alert(1)>"]
    page = upload(desk, sheet(ONE, TWO, hostile))
    desk.post("/console/questions/import", {"token": token_of(page)})
    for shown in (page, desk.get("/console/questions").text):
        for told in ("高处作业 1<", "未填写 1<", "&lt;svg onload=alert(1)&gt; 1<"):
            assert told in shown
        assert "<svg onload" not in shown
    Question.update(active=False).execute()
    assert "高处作业 1<" not in desk.get("/console/questions").text, "what is not drawn any more is not counted"


def test_the_template_is_refused_until_its_examples_are_gone(world: World, tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    template.write(path, load.in_force("yunnan", utcnow()))
    found = preview(path, "yunnan", now=utcnow())
    assert [error.row for error in found.errors] == [2, 3, 4]
    assert all("示例" in error.message for error in found.errors)


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found, page[:400]
    return found[1]


def a_desk(world: World, *rights: tuple[Right, str]) -> Browser:
    desk = at_desk(world, a_member(*(rights or ((Right.TEACHING, "yunnan"),))))
    desk.get("/console/questions")
    return desk


def upload(desk: Browser, data: bytes, **more: str) -> str:
    form = {"csrf": desk.csrf, "programme": "yunnan", "file": (io.BytesIO(data), "题库.xlsx"), **more}
    answer = desk.client.post("/console/questions", data=form, content_type="multipart/form-data")
    return answer.text


def test_a_teacher_previews_confirms_and_the_second_time_nothing_is_to_do(world: World) -> None:
    desk = a_desk(world)
    page = upload(desk, sheet(ONE, TWO))
    assert "还没有写入" in page
    assert nothing_written()
    done = desk.post("/console/questions/import", {"token": token_of(page)})
    assert "新增 2 题" in done.text
    assert QuestionImport.get().actor.startswith("staff:")
    again = desk.post("/console/questions/import", {"token": token_of(page)})
    assert again.status_code == 409, "it was taken away when it was imported"
    assert "不需要导入" in upload(desk, sheet(ONE, TWO))
    assert QuestionImport.select().count() == 1


def test_what_a_colleague_uploaded_is_not_confirmed_by_another(world: World) -> None:
    page = upload(a_desk(world), sheet(ONE))
    other = a_desk(world)
    assert other.post("/console/questions/import", {"token": token_of(page)}).status_code == 409
    assert nothing_written()


def test_faults_come_as_a_page_and_as_a_file_to_mend(world: World) -> None:
    desk = a_desk(world)
    page = upload(desk, sheet(["没有", *ONE[1:]]))
    assert "没有“没有”这个科目" in page
    assert "写入题库" not in page
    report = desk.post("/console/questions/report", {"token": token_of(page)})
    rows = list(openpyxl.load_workbook(io.BytesIO(report.data)).worksheets[0].values)
    assert rows[1][0] == 2
    assert "科目" in str(rows[1][-1])


def test_a_report_that_cannot_be_made_says_why(world: World) -> None:
    member = a_member((Right.TEACHING, "yunnan"))
    desk = at_desk(world, member)
    _, token = files.keep(b"not a table", "yunnan", actor=f"staff:{member.id}", replace=False, now=utcnow())
    answer = desk.post("/console/questions/report", {"token": token})
    assert (answer.status_code, 'role="alert"' in answer.text, "xlsx" in answer.text) == (422, True, True)


@pytest.mark.parametrize("data", [b"", b"not a table", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_table_is_refused_in_a_sentence(world: World, data: bytes) -> None:
    page = upload(a_desk(world), data)
    assert "xlsx" in page
    assert 'role="alert"' in page
    assert nothing_written()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(world: World) -> None:
    desk = a_desk(world)
    form = {"csrf": desk.csrf, "file": (io.BytesIO(bytes(21 * 1024 * 1024)), "a.xlsx")}
    answer = desk.client.post("/console/questions", data=form, content_type="multipart/form-data")
    assert answer.status_code == 413


def test_who_does_not_teach_here_imports_nothing(world: World) -> None:
    desk = at_desk(world, a_member((Right.TEACHING, "henan")))
    desk.get("/console/questions")
    form = {"csrf": desk.csrf, "programme": "yunnan", "file": (io.BytesIO(sheet(ONE)), "a.xlsx")}
    assert desk.client.post("/console/questions", data=form, content_type="multipart/form-data").status_code == 404


def test_a_paper_that_is_being_sat_stays_as_it_was_drawn(world: World, tmp_path: Path) -> None:
    a_bank()
    candidate = a_candidate()
    attempt = candidate.start()
    before = exams.shown_paper(Attempt.get_by_id(attempt.id))
    desk = a_desk(world)
    changed = [
        ["TJ", "单选", question.stem, "改一", "改二", "改三", "", "", "", "B", "改", "", ""]
        for question in before
        if question.type == "single"
    ]
    page = upload(desk, sheet(*changed, *enough(single=0)), replace="yes")
    assert "停用" in page
    assert desk.post("/console/questions/import", {"token": token_of(page)}).status_code == 200
    assert exams.shown_paper(Attempt.get_by_id(attempt.id)) == before


def active() -> int:
    return int(Question.select().where(Question.active).count())


def test_an_import_that_would_end_a_subjects_exam_is_refused_whole(world: World, tmp_path: Path) -> None:
    a_bank()
    path = tmp_path / "small.xlsx"
    path.write_bytes(sheet(ONE))
    with pytest.raises(Problem) as refused:
        import_questions(path, "yunnan", actor="system", now=utcnow(), replace=True)
    assert (refused.value.kind.code, refused.value.kind.status) == ("questions_too_few", 409)
    assert "“塔机司机”的单选题现有 30 题，导入后只有 1 题，一份试卷需要 25 题" in refused.value.detail
    assert "多选题现有 14 题，导入后只有 0 题" in refused.value.detail
    assert (active(), QuestionImport.select().count()) == (64, 0)
    assert import_questions(path, "yunnan", actor="system", now=utcnow()).added == 1, "without retiring it only adds"


def test_one_question_too_few_is_refused_and_just_enough_is_taken(world: World, tmp_path: Path) -> None:
    a_bank()
    path = tmp_path / "bank.xlsx"
    path.write_bytes(sheet(*enough(judge=14)))
    with pytest.raises(Problem) as refused:
        import_questions(path, "yunnan", actor="system", now=utcnow(), replace=True)
    assert "判断题现有 20 题，导入后只有 14 题" in refused.value.detail
    assert "单选" not in refused.value.detail
    path.write_bytes(sheet(*enough()))
    assert import_questions(path, "yunnan", actor="system", now=utcnow(), replace=True).retired == 64


def test_a_bank_that_is_still_too_small_for_a_paper_may_be_replaced(world: World, tmp_path: Path) -> None:
    take(tmp_path, ONE, TWO)
    path = tmp_path / "bank.xlsx"
    path.write_bytes(sheet(ONE))
    assert import_questions(path, "yunnan", actor="system", now=utcnow(), replace=True).retired == 1


def test_the_preview_says_in_red_which_exam_would_end_and_offers_no_import(world: World) -> None:
    a_bank()
    desk = a_desk(world)
    page = upload(desk, sheet(ONE), replace="yes")
    assert re.search(r'role="alert">不能导入', page)
    assert re.findall(r'<td class="number bad">(.*?)</td><td class="number">(.*?)</td>', page) == [
        ("30 → 1", "25"),
        ("14 → 0", "10"),
        ("20 → 0", "15"),
    ]
    assert "/console/questions/import" not in page
    assert "不能导入" not in upload(desk, sheet(ONE)), "without retiring it only adds"


def test_what_was_enough_at_the_preview_is_counted_again_when_it_is_confirmed(world: World) -> None:
    desk = a_desk(world)
    page = upload(desk, sheet(ONE), replace="yes")
    a_bank()  # a colleague's import meanwhile
    answer = desk.post("/console/questions/import", {"token": token_of(page)})
    assert (answer.status_code, active()) == (409, 64)
    assert "“塔机司机”的单选题现有 30 题，导入后只有 1 题" in answer.text


def test_the_command_line_refuses_it_with_the_same_sentence(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wiring, "start", lambda _settings: None)
    a_bank()
    path = tmp_path / "small.xlsx"
    path.write_bytes(sheet(ONE))
    command = ["import-questions", str(path), "--programme", "yunnan", "--by", "王芳", "--replace"]
    assert manage.main(command) == 1
    assert "没有导入：“塔机司机”的单选题现有 30 题，导入后只有 1 题" in capsys.readouterr().err
    assert active() == 64
