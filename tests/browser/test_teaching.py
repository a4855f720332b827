"""A teacher's day at the desk: a film whose upload is cut off twice, a lesson, a question bank, an announcement."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from app.core.sheet import write_rows
from app.exam.bank.rows import COLUMNS
from ops.demo.load import course
from tests.browser.tabs import Watched, field, press
from tests.browser.test_console import orderly, sign_in
from tests.study.teaching.studio import a_file

pytestmark = pytest.mark.browser
PIECE = 24 * 1024  # bytes: so that a small film has many pieces
TRANSCODED = 120_000  # milliseconds


class Line:
    """The network of an upload: which pieces went through, when it is cut, which of them arrive damaged."""

    def __init__(self, page: Page):
        self.offsets: list[int] = []
        self.cut: set[int] = set()
        self.damaged: set[int] = set()
        self.dead = False
        self._asked = 0
        page.route("**/films/*/upload", self._piece)

    def _piece(self, route: Route) -> None:
        self._asked += 1
        if self.dead or self._asked in self.cut:
            route.abort("internetdisconnected")
            return
        if self._asked in self.damaged:
            data = route.request.post_data_buffer or b""
            route.continue_(post_data=bytes([data[0] ^ 1]) + data[1:])
            return
        self.offsets.append(int(route.request.headers["upload-offset"]))
        route.continue_()


def choose(page: Page, film: Path) -> None:
    """Choose a file, with pieces that are small."""
    page.evaluate(f"document.querySelector('#upload').dataset.chunk = {PIECE}")
    page.set_input_files("#files", film)


def until(page: Page, expression: str) -> None:
    """Wait for it, without the page having to evaluate text: its policy forbids that."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def test_a_teachers_day(watched: Watched, tmp_path: Path) -> None:
    page = sign_in(watched, "jiaowu")
    base = f"{watched.stack.base_url}/console"

    # a film: the second piece is lost on the way, the fourth is damaged, later the page is closed in the middle
    film = a_file(tmp_path / "起重吊装 新规范.mp4", seconds=6, size="640x360")
    assert film.stat().st_size > 6 * PIECE
    page.get_by_role("link", name="教务").click()
    page.get_by_role("link", name="视频", exact=True).click()
    orderly(page)
    paper = tmp_path / "说明.docx"
    paper.write_bytes(b"PK")
    choose(page, paper)
    expect(page.locator("#sending li").get_by_text("这不是视频文件")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("视频 0 个")
    line = Line(page)
    line.cut, line.damaged = {2}, {4}
    choose(page, film)
    expect(page.get_by_text("网络不通，正在等待重连")).to_be_visible()
    expect(page.get_by_text("这一段在传输中损坏，正在重传")).to_be_visible()
    until(page, "document.querySelector('#sending progress').value > 30")
    line.dead = True
    expect(page.get_by_text("网络不通，正在等待重连")).to_be_visible()
    assert line.offsets == sorted(set(line.offsets)), "no piece was acknowledged twice"
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(f"{base}/films")
    expect(page.get_by_text("再次选择同一个文件，会从断处接着传")).to_be_visible()
    orderly(page)
    line.dead, before = False, len(line.offsets)
    choose(page, film)
    expect(page.locator("#sending li").get_by_text("上传完成，")).to_be_visible(timeout=TRANSCODED)
    expect(page.get_by_role("heading", level=1)).to_have_text("视频 1 个")
    assert line.offsets[before] > 0, "what had come before the reload was not sent again"
    expect(page.locator("#films").get_by_text("就绪", exact=True)).to_be_visible(timeout=TRANSCODED)
    expect(page.locator("#sending li").get_by_text("上传完成，就绪")).to_be_visible()
    orderly(page)
    page.get_by_role("link", name="观看").first.click()
    until(page, "document.querySelector('video').readyState > 0")
    assert round(page.evaluate("document.querySelector('video').duration")) == 6
    orderly(page)

    # a lesson of it, at the front of a course, for those who pay from now on
    page.goto(f"{base}/courses")
    orderly(page)
    page.get_by_role("row").filter(has_text="塔机司机").get_by_role("link", name="打开").click()
    field(page, "视频").select_option(label="起重吊装 新规范（0:06）")
    press(page, "添加")
    row = page.get_by_role("row").filter(has_text="起重吊装 新规范")
    expect(row.get_by_text("待发布")).to_be_visible()
    row.get_by_role("button", name="发布").click()
    expect(row.get_by_text("已发布")).to_be_visible()
    row.get_by_role("button", name="↑").click()
    titles = page.locator("tbody tr td.name")
    expect(titles.nth(1)).to_have_text("起重吊装 新规范")
    expect(titles.first).to_have_text(course()["lessons"][0]["title"])
    orderly(page)

    # questions: the template as it is, then one that is filled in
    page.get_by_role("link", name="题库", exact=True).click()
    orderly(page)
    with page.expect_download() as given:
        page.get_by_role("link", name="下载模板").click()
    template = tmp_path / "template.xlsx"
    given.value.save_as(template)
    page.set_input_files("#file", template)
    press(page, "预览")
    expect(page.get_by_text("这是模板里的示例，请删掉这一行。").first).to_be_visible()
    orderly(page)
    page.get_by_role("link", name="改好了，重新上传").click()
    filled = tmp_path / "filled.xlsx"
    question = [
        "塔机司机",
        "单选",
        "塔机顶升时风力不应大于几级？",
        "四级",
        "六级",
        "",
        "",
        "",
        "",
        "A",
        "",
        "",
        "顶升",
    ]
    write_rows(filled, [list(COLUMNS), question])
    page.set_input_files("#file", filled)
    press(page, "预览")
    expect(page.get_by_text("预览：还没有写入")).to_be_visible()
    orderly(page)
    press(page, "写入题库")
    expect(page.get_by_text("导入完成：新增 1 题")).to_be_visible()

    # an announcement
    page.get_by_role("link", name="通知", exact=True).click()
    orderly(page)
    page.get_by_role("link", name="写通知").click()
    field(page, "标题（不超过 60 字）").fill("考试安排 <b>七月</b>")
    field(page, "正文（纯文字，按原样换行，不超过 5000 字）").fill("7 月 18 日考试。\n<script>alert(1)</script>")
    orderly(page)
    press(page, "保存草稿")
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    orderly(page)
    press(page, "发布")
    expect(page.get_by_text("显示中")).to_be_visible()
    orderly(page)

    # the rules
    page.get_by_role("link", name="项目规则").click()
    orderly(page)
    page.get_by_role("link", name="看规则").first.click()
    expect(page.get_by_role("heading", name="是否开放")).to_be_visible()
    orderly(page)


def test_an_administrator_enters_a_day_of_the_calendar(watched: Watched) -> None:
    page = sign_in(watched, "guanli")
    page.get_by_role("link", name="基础数据").click()
    orderly(page)
    page.get_by_role("link", name="法定节假日与调休").click()
    orderly(page)
    page.get_by_role("link", name="录入").click()
    field(page, "日期").fill("2031-05-07")
    field(page, "依据（例如通知的文号）").fill("国办发明电〔2030〕7 号")
    orderly(page)
    press(page, "保存")
    expect(page.get_by_role("row").filter(has_text="2031-05-07").get_by_text("放假")).to_be_visible()
    orderly(page)
