"""What a trainee's hands and eyes do in the front end, screen by screen. Each step ends where the next one begins."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, expect

from app.core.crypto import mask_name
from ops.demo import load as demo
from ops.trainee import OWN_PASSWORD, Journey, right_texts
from sandbox.faces import make_face, person_of
from tests.browser.film import film
from tests.browser.tabs import Watched, field, pleasant, press

START = "/?programme=yunnan"
TICK = "我已阅读并同意用户协议和隐私政策"
SOON = 30_000  # milliseconds for what other processes do, or a camera's prompts take


class Walk:
    """One person on one device. `someone`: a demonstration trainee who is not activated yet."""

    def __init__(self, watched: Watched, camera: Path, someone: Journey, device: BrowserContext):
        self.watched = watched
        self.camera = camera
        self.someone = someone
        self.page = device.new_page()

    def on(self, device: BrowserContext) -> Walk:
        """The same person on another device."""
        return Walk(self.watched, self.camera, self.someone, device)

    def open(self, path: str = START) -> None:
        self.page.goto(self.watched.stack.base_url + path)

    def title(self, text: str) -> None:
        """The page with this title is shown."""
        expect(self.page.get_by_role("heading", level=1, name=text, exact=True)).to_be_visible()

    # --- the first login -----------------------------------------------------------------------------------------

    def log_in(self, password: str = OWN_PASSWORD) -> None:
        field(self.page, "身份证号").fill(self.someone.who.id_number)
        field(self.page, "密码").fill(password)
        self.page.get_by_label(TICK).check()
        press(self.page, "登录")

    def log_in_first(self) -> None:
        """With the first password, which the page tells."""
        first = demo.password_of(self.someone.programme, self.someone.who)
        expect(self.page.get_by_text(f"第一次登录用初始密码 {first}")).to_be_visible()
        self.log_in(first)
        self.title("激活账号")

    def activate(self) -> None:
        """By the code that arrives on the phone."""
        expect(
            self.page.get_by_text(f"{self.someone.who.phone[:3]}****{self.someone.who.phone[-4:]}")
        ).to_be_visible()
        press(self.page, "获取验证码")
        field(self.page, "短信验证码").fill(self._code_on_phone())
        press(self.page, "验证并继续")
        self.title("设置密码")

    def _code_on_phone(self) -> str:
        phone = self.watched.phone()
        message = phone.locator("#sms li").filter(has_text=self.someone.who.phone).first
        expect(message).to_contain_text(re.compile(r"\d{6}"), timeout=SOON)
        found = re.search(r"(?<!\d)\d{6}(?!\d)", message.inner_text())
        phone.close()
        assert found
        return found[0]

    def choose_password(self) -> None:
        field(self.page, "新密码").fill(OWN_PASSWORD)
        field(self.page, "再填一次新密码").fill(OWN_PASSWORD)
        press(self.page, "保存并继续")
        self.title("同意协议")

    def agree(self) -> None:
        """To the agreement, and on its own to the use of the face."""
        for text in ("用户协议", "人脸信息"):
            expect(self.page.get_by_role("heading", name=re.compile(f"请阅读《.*{text}.*》"))).to_be_visible()
            press(self.page, "我已阅读，同意")
        self.title("我的培训")
        name = self.someone.who.name
        expect(self.page.get_by_text(f"{mask_name(name)}，您好")).to_be_visible()

    # --- photo and face ------------------------------------------------------------------------------------------

    def portrait(self) -> bytes:
        """As the sandbox draws the person."""
        return make_face(person_of(self.someone.who.id_number), size=(590, 826))

    def take_photo(self) -> None:
        """With the camera of the page."""
        film(self.portrait(), self.camera)
        press(self.page, "拍一张")
        expect(self.page.get_by_text("很好，看着镜头，可以拍了")).to_be_visible()
        press(self.page, "拍照")
        self._keep_photo()

    def choose_photo(self, album: Path) -> None:
        """A file of the phone's; `album`: where it may lie."""
        picture = album / "me.jpg"
        picture.write_bytes(self.portrait())
        with self.page.expect_file_chooser() as opened:
            press(self.page, "从相册选")
        opened.value.set_files(picture)
        press(self.page, "就用这一块")
        self._keep_photo()

    def _keep_photo(self) -> None:
        expect(self.page.get_by_role("heading", name="照片合格")).to_be_visible(timeout=SOON)
        press(self.page, "用这张照片")
        expect(self.page.get_by_role("heading", name="照片已保存")).to_be_visible()
        press(self.page, "继续")

    def check_face(self) -> None:
        """Before the camera of the page; it goes on by itself."""
        film(self.portrait(), self.camera)
        self.title("人脸核验")
        press(self.page, "开始核验")
        expect(self.page.get_by_text("请慢慢眨一下眼睛")).to_be_visible()
        expect(self.page.get_by_text("看着镜头，不要动")).to_be_visible()
        expect(self.page.get_by_text("确认是您本人，正在继续")).to_be_visible(timeout=SOON)

    def check_face_on_providers_page(self) -> None:
        """Without the page's camera: on the real-name service's page, whose buttons decide."""
        self.title("人脸核验")
        press(self.page, "摄像头用不了？换核验页面")
        press(self.page, "通过")
        expect(self.page.get_by_text("确认是您本人，正在继续")).to_be_visible(timeout=SOON)

    # --- signing up and paying -----------------------------------------------------------------------------------

    def sign_up(self) -> None:
        """For the certificate of the regulator's list, by the first screen's one button."""
        press(self.page, "去报名")
        self.title("报名")
        ticked = self.page.get_by_role("checkbox", name=f"报名：{self.someone.who.kind}，证书编号")
        expect(ticked).to_be_checked()  # there is one only
        press(self.page, "报名，下一步缴费")
        self.title("核对并缴费")

    def check_out(self) -> None:
        """Who pays is typed again, what it costs is seen before."""
        field(self.page, "姓名").fill(self.someone.who.name)
        field(self.page, "身份证号").fill(self.someone.who.id_number)
        expect(self.page.get_by_text("缴费须知")).to_be_visible()
        expect(self.page.get_by_role("status").get_by_text("¥200.00")).to_be_visible()
        press(self.page, "提交订单，去付款")
        self.title("订单")
        expect(self.page.get_by_label("支付剩余时间")).to_be_visible()

    def pay_by_code(self) -> None:
        """A computer: the code is scanned and paid with the phone, the page goes on by itself."""
        press(self.page, "显示微信付款码 ¥200.00")
        code = self.page.get_by_role("img", name="用手机微信“扫一扫”，扫码付款")
        expect(code).to_be_visible()
        self._pay_on_phone(text_of(code))
        self._paid()

    def pay_in_wechat(self) -> None:
        """WeChat's browser: WeChat's page says whose WeChat it is, then its window opens over ours."""
        press(self.page, "微信支付 ¥200.00")
        self.page.wait_for_function("() => window.askedOfWechat?.length", timeout=SOON)
        [(name, call)] = self.page.evaluate("askedOfWechat.map(({ name, given }) => [name, given])")
        assert name == "getBrandWCPayRequest"
        assert call.keys() == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
        self._pay_on_phone(call["package"].removeprefix("prepay_id="))
        self.page.evaluate("askedOfWechat[0].answer({ err_msg: 'get_brand_wcpay_request:ok' })")
        self._paid()

    def _pay_on_phone(self, code: str) -> None:
        """`code`: what was scanned, or what WeChat's window was told."""
        phone = self.watched.phone()
        phone.get_by_label("二维码内容或订单号").fill(code)
        phone.get_by_role("button", name="付款", exact=True).click()
        expect(phone.get_by_text("付款成功")).to_be_visible()
        phone.close()

    def _paid(self) -> None:
        expect(self.page.get_by_text("支付成功")).to_be_visible(timeout=SOON)
        expect(self.page.get_by_role("button", name="上传头像")).to_be_visible(timeout=2 * SOON)

    # --- studying ------------------------------------------------------------------------------------------------

    def next_step(self, text: str) -> None:
        """The one button of the training on the first screen."""
        self.title("我的培训")
        button = self.page.get_by_role("button", name=re.compile(f"^{text}："))
        button.click(timeout=SOON)

    def open_lesson(self, button: str) -> None:
        """From the first screen by the course's page; `button`: 开始学习 or 继续学习, of the lesson that is next."""
        self.next_step("立即学习")
        self.title("我的课程")
        self.page.get_by_role("button", name=re.compile(f"^{button}，第")).click()

    def watches(self, lesson: int, since: int) -> None:
        """The film of this lesson runs, and has come at least to this second."""
        self.title(f"第 {lesson} 课")
        stands = re.compile(f"^00:({'|'.join(f'{second:02}' for second in range(since, 60))})$")
        line = self.page.get_by_role("progressbar", name="播放位置")
        expect(line).to_have_attribute("aria-valuetext", stands, timeout=SOON + 1000 * since)
        expect(self.page.get_by_role("button", name="暂停", exact=True).last).to_be_visible()

    def press_player(self, name: str) -> None:
        """A button that lies over the film, too."""
        self.page.get_by_role("button", name=name, exact=True).last.click()

    def goes_on_after_reload(self, second: int) -> None:
        """Where the film stopped; some browsers want a tap."""
        self.page.reload()
        again = self.page.get_by_role("button", name=f"从 00:{second:02} 继续学习", exact=True).last
        plays = self.page.get_by_role("button", name="暂停", exact=True).last
        expect(again.or_(plays).last).to_be_visible()
        if again.is_visible():
            again.click()

    def loses_network(self, seconds: float) -> None:
        """In the middle of a lesson, and beyond its end."""
        began = time.monotonic()
        self.page.context.set_offline(True)
        expect(self.page.get_by_text("没有网络，连上网后会自动继续")).to_be_visible()
        expect(self.page.get_by_role("heading", name="这一课看完了")).to_be_visible(timeout=60_000)
        expect(self.page.get_by_text("学习记录已存在本机，连上网会自动上传")).to_be_visible()
        self.page.wait_for_timeout(max(0.0, seconds - (time.monotonic() - began)) * 1000)
        expect(self.page.get_by_text("20 秒学习记录已存在本机")).to_be_visible()
        self.page.context.set_offline(False)
        expect(self.page.get_by_role("heading", name="这一课学完了")).to_be_visible(timeout=2 * SOON)
        expect(self.page.get_by_text("没有网络")).to_be_hidden()
        expect(self.page.get_by_text(re.compile(r"✓ 进度已保存，\d\d:\d\d"))).to_be_visible()

    def sees_it_is_studied_elsewhere(self) -> None:
        """On the first device, once the other one has taken over."""
        expect(self.page.get_by_role("heading", name="另一台设备正在学习")).to_be_visible(timeout=2 * SOON)
        expect(self.page.get_by_text("您已在另一台设备或另一个页面上继续学习，这里先停下。")).to_be_visible()

    def takes_over(self) -> None:
        """Here, and not there."""
        expect(self.page.get_by_role("heading", name="另一台设备正在学习")).to_be_visible()
        press(self.page, "在这台设备上继续学习")

    def proves_face_here(self) -> None:
        """A phone checks the face before a lesson, and goes on by itself."""
        expect(self.page.get_by_role("heading", name="先核验本人")).to_be_visible()
        press(self.page, "去核验")
        self.check_face()

    def proves_face_by(self, phone: Walk) -> None:
        """A computer shows a code; the person's phone scans it, asks "is it you?" and checks the face. This page goes
        on by itself."""
        expect(self.page.get_by_role("heading", name="先用手机核验本人")).to_be_visible()
        code = self.page.get_by_role("img", name="用手机微信扫一扫，核验本人")
        expect(code).to_be_visible()
        pleasant(self.page)
        ticket = scanned(code)
        phone.open(f"/?scan={ticket}")
        expect(phone.page.get_by_role("heading", name="是您本人吗？")).to_be_visible()
        pleasant(phone.page)
        expect(self.page.get_by_text("已扫码，请在手机上继续")).to_be_visible()
        press(phone.page, "是我本人，去核验")
        phone.check_face()
        press(phone.page, "是我本人，确认")
        expect(phone.page.get_by_text("电脑会自动继续，这里可以关掉了。")).to_be_visible()

    def has_studied_everything(self) -> None:
        """What the course's page says, and the way on from it."""
        expect(self.page.get_by_role("heading", name="全部学完")).to_be_visible(timeout=2 * SOON)
        press(self.page, "返回课程")
        self.title("我的课程")
        pleasant(self.page)
        total = self.page.get_by_role("progressbar", name="学习总进度")
        expect(total).to_have_attribute("aria-valuenow", "100", timeout=SOON)
        expect(self.page.get_by_text("2 / 2 课").first).to_be_visible()
        press(self.page, "去考试")

    # --- exam and proof ------------------------------------------------------------------------------------------

    def begin_exam(self) -> None:
        self.title("考试须知")
        press(self.page, "开始考试")
        dialog = self.page.get_by_role("dialog", name="现在开始考试？")
        expect(dialog).to_contain_text("一开始就计时 120 分钟，不能暂停。用掉 1 次机会（还有 5 次）。")
        dialog.get_by_role("button", name="开始考试").click()
        self.title("考试")

    def answer(self, first: int, last: int) -> None:
        """These questions, with the right answers of the demonstration's bank; each is shown as saved."""
        for number in range(first, last + 1):
            options = self.page.get_by_label(f"第 {number} 题的选项")
            expect(options).to_be_visible()
            rows = options.get_by_role("radio").or_(options.get_by_role("checkbox"))
            texts = [text.partition("：")[2].strip() for text in rows.all_inner_texts()]
            right = right_texts(self.page.locator(".question-stem").inner_text(), texts)
            for place, text in enumerate(texts):
                if text in right:
                    rows.nth(place).click()
            expect(self.page.get_by_role("status").get_by_text("✓ 已保存")).to_be_visible()
            if number < last:
                press(self.page, "下一题")

    def comes_back_to_exam(self, answered: int) -> None:
        """A reload in the middle: the browser asks first; then the paper, the answers and the clock are there."""
        before = self._seconds_left()
        self.page.once("dialog", lambda question: question.accept())
        self.page.reload()
        self.title("考试")
        expect(self.page.get_by_text(f"已答 {answered} / 50")).to_be_visible()
        assert 0 <= before - self._seconds_left() <= 60
        press(self.page, "下一题")

    def _seconds_left(self) -> int:
        clock = self.page.get_by_role("timer").inner_text()
        hours, minutes, seconds = map(int, clock.split(":"))
        return hours * 3600 + minutes * 60 + seconds

    def hand_in(self) -> None:
        """After a look at what is open: nothing."""
        press(self.page, "交卷")
        dialog = self.page.get_by_role("dialog", name="确定交卷？")
        expect(dialog).to_contain_text("50 题全部答完。")
        dialog.get_by_role("button", name="确定交卷").click()
        self.title("考试成绩")
        expect(self.page.get_by_role("heading", name="合格了")).to_be_visible()
        expect(self.page.get_by_role("img", name="本次成绩 100 分，满分 100 分，60 分合格")).to_be_visible()
        press(self.page, "查看资格证明")

    def proof(self) -> None:
        """With number, code and file; whoever scans the code sees that it is good."""
        self.title("资格证明")
        expect(self.page.get_by_role("heading", name="资格证明", level=2)).to_be_visible(timeout=2 * SOON)
        expect(self.page.get_by_text("有效", exact=True)).to_be_visible()
        number = self.page.get_by_text(re.compile(r"^ZK\d{17}$"))
        expect(number).to_be_visible()
        checked = self.page.context.new_page()
        checked.goto(text_of(self.page.get_by_role("img", name="核验二维码，扫码可查这份证明的真假")))
        expect(checked.get_by_role("heading", name="证明有效")).to_be_visible()
        expect(checked.get_by_text(number.inner_text())).to_be_visible()
        checked.close()
        with (
            self.page.context.expect_page() as opened,
            self.page.context.expect_event("response", lambda answer: ".pdf?" in answer.url) as file,
        ):
            press(self.page, "打开并保存证明（PDF）")
        assert file.value.headers["content-type"] == "application/pdf"
        opened.value.close()


def text_of(code: Locator) -> str:
    """What somebody reads who scans this code from the screen."""
    [read] = zxingcpp.read_barcodes(Image.open(io.BytesIO(code.screenshot())))
    return str(read.text)


def scanned(code: Locator) -> str:
    """The ticket in a code of the mini-program's page, of which the sandbox writes what WeChat would draw round."""
    return text_of(code).partition("scene=")[2]
