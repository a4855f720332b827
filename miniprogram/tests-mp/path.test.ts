/** A trainee's whole path through the BUILT mini-program, against a running copy and its sandbox. */

import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { Phone, type Copy } from "./phone";

const copy = JSON.parse(readFileSync(process.env.COPY ?? "", "utf8")) as Copy;
let phone: Phone;

beforeAll(() => {
  phone = new Phone(copy);
});
afterEach(() => expect(phone.net.strangers).toEqual([]));
afterAll(() => phone?.off());

describe("somebody new", () => {
  it("signs in with the first password and is led on to the activation", async () => {
    phone.open("/pages/home/home"); // not for strangers: it leads to the login
    await phone.until(() => phone.route === "pages/login/login");
    await phone.press(copy.programme_title);
    await phone.until("身份证号");
    await phone.press("登录");
    await phone.until("请填写身份证号。");
    await phone.fill("身份证号", copy.id_number);
    await phone.fill("密码", copy.password);
    await phone.press("我已阅读并同意用户协议和隐私政策");
    await phone.press("登录");
    await phone.until(() => phone.route === "pkg-account/activation/activation");
  });

  it("activates by SMS, chooses a password, agrees, and is at home", async () => {
    const before = (await phone.smsCodes()).length;
    await phone.press("获取验证码");
    await phone.fill("短信验证码", await phone.smsCode(before));
    await phone.press("验证并继续");
    await phone.until(() => phone.route === "pkg-account/own-password/own-password");
    await phone.fill("新密码", copy.own_password);
    await phone.fill("再填一次新密码", copy.own_password);
    await phone.press("保存并继续");
    await phone.until("请阅读《用户协议》");
    await phone.press("我已阅读，同意");
    await phone.until("人脸");
    await phone.press("我已阅读，同意");
    await phone.until(() => phone.route === "pages/home/home");
    await phone.until("还没有报名");
    expect(phone.text()).toContain(`${"*".repeat(11)}${copy.id_number.slice(-4)}`); // never the whole number
    expect(phone.text()).not.toContain(copy.id_number);
  });

  it("takes a photo of their own", async () => {
    phone.wx.navigateTo({ url: "/pkg-account/photo/photo" });
    await phone.press("拍一张");
    await phone.press("拍照");
    await phone.until("照片合格");
    await phone.press("用这张照片");
    await phone.until("照片已保存");
    await phone.press("继续");
    await phone.until(() => phone.route === "pages/home/home");
  });

  it("shows their face to the camera", async () => {
    phone.wx.navigateTo({ url: "/pkg-account/face/face?purpose=login" });
    await phone.press("开始核验");
    await phone.until("核验通过", 40);
    await phone.until(() => phone.route === "pages/home/home");
  });

  it("signs up, checks who pays, and pays in WeChat, which believes the merchant's signature only", async () => {
    await phone.press("去报名");
    await phone.press("报名，下一步缴费");
    await phone.until(() => phone.route === "pkg-orders/checkout/checkout");
    await phone.fill("姓名", copy.name);
    await phone.fill("身份证号", copy.id_number);
    await phone.press("提交订单，去付款");
    await phone.until(() => phone.route === "pkg-orders/order/order");
    await phone.press("微信支付");
    await phone.press("去绑定微信");
    await phone.fill("登录密码", copy.own_password);
    await phone.press("绑定这个微信");
    await phone.until("已绑定微信");
    phone.wx.navigateBack({});
    await phone.press("微信支付");
    await phone.until("支付成功", 40);
    expect(phone.paid).toHaveLength(1);
    expect(Object.keys(phone.paid[0] ?? {}).sort()).toEqual(["nonceStr", "package", "paySign", "signType", "timeStamp"]);
    await phone.press("立即学习", 60);
    await phone.until(() => phone.route === "pkg-study/training/training");
  });

  it("studies every lesson to its end, after a face check, at the pace of the film", async () => {
    await phone.press("开始学习");
    await phone.press("去核验");
    await phone.press("开始核验");
    await phone.until(() => phone.route === "pkg-study/player/player", 60);
    await phone.until("课程都学完了", 180);
  });

  it("sits the exam with the right answers, and passes", async () => {
    const open = () => phone.has("开始考试") || phone.has("去学完课程");
    await phone.press("去考试");
    await phone.until(open);
    while (phone.has("去学完课程")) {
      await phone.press("去学完课程"); // the last chunks are known to the first screen before the exam knows them
      await phone.press("去考试");
      await phone.until(open);
    }
    await phone.press("开始考试");
    await phone.until("现在开始考试？");
    await phone.press("开始考试"); // the dialog's, which lies above
    await phone.until(() => phone.route === "pkg-exam/exam/exam");
    await phone.until("剩余时间");
    const count = Number(/第 1 \/ (\d+) 题/.exec(phone.text())?.[1]);
    expect(count).toBeGreaterThan(0);
    for (let number = 1; number <= count; number++) {
      await phone.until(`第 ${number} / ${count} 题`);
      for (const name of phone.rightOptions()) await phone.press(name);
      await phone.press(number < count ? "下一题" : "交卷");
    }
    await phone.until("题全部答完");
    await phone.press("确定交卷");
    await phone.until("合格了", 40);
    expect(phone.text()).toContain("100 分");
  });

  it("opens the proof as a PDF", async () => {
    phone.wx.reLaunch({ url: "/pages/home/home" });
    await phone.press("查看", 60);
    await phone.until(() => phone.route === "pkg-exam/proof/proof");
    await phone.press("打开并保存证明（PDF）");
    await phone.until(() => phone.opened.length === 1);
    expect(phone.opened[0]?.fileType).toBe("pdf");
    expect(phone.opened[0]?.bytes.subarray(0, 5).toString()).toBe("%PDF-");
  });
});
