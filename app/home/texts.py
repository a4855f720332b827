"""The texts that a person agrees to or may read, as data: the web page, the mini-program and the app show the same.

Whoever changes a text raises its version in `app/account/consents.py`: then everybody is asked again. Agreeing to the
user agreement is agreeing to the privacy policy, so the two have one version.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.account.service import CONSENT_VERSIONS
from app.face.models import EVIDENCE_DAYS


@dataclass(frozen=True)
class Section:
    """Paragraphs, under a heading or none."""

    heading: str | None
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """One text in the version in force."""

    name: str
    title: str
    version: str
    sections: tuple[Section, ...]


AGREEMENT = Text(
    "agreement",
    "用户协议",
    CONSENT_VERSIONS["agreement"],
    (
        Section(None, ("您在这里办理建筑施工从业人员继续教育：报名、缴费、学习、考试、领取证明。",)),
        Section(
            "我们用您的哪些信息",
            (
                "姓名、身份证号、手机号、证书编号和有效期来自主管部门的名单；学习记录、答卷、成绩和订单在您使用时产生。"
                "只用于办理继续教育，并按规定把是否合格报给主管部门。详见《隐私政策》，同意本协议即同意该政策。",
            ),
        ),
        Section(
            "请您做到",
            (
                "账号只由本人使用，密码和验证码不要告诉别人；由本人学习和考试，不用软件代刷。"
                "学时以服务器的记录为准，考试到时间自动交卷。",
            ),
        ),
        Section(
            "缴费",
            (
                "订单要在页面写明的时间内支付。支付成功后不予退费；订单关闭后才到账的款项、重复支付的款项，"
                "会自动原路退回。",
            ),
        ),
        Section("有疑问", ("请拨打“联系我们”页面上的客服电话。",)),
    ),
)

PRIVACY = Text(
    "privacy",
    "隐私政策",
    CONSENT_VERSIONS["agreement"],
    (
        Section(
            "我们存放您的哪些信息，用来做什么",
            (
                "姓名、身份证号、证书编号和有效期：确认您是谁、能报什么。",
                "手机号：发验证码和办事提醒。",
                "学习记录、答卷和成绩：计算学时、出具证明。",
                "订单、付款结果和开票信息：收费、退款、开发票。",
                "微信标识（绑定微信，或在微信里付款时才有）：免密登录、微信支付、发送您同意接收的消息。",
                "人脸照片：另行征求您的同意，见《人脸信息说明》。",
            ),
        ),
        Section(
            "手机权限",
            ("相机：只在您上传头像、人脸核验、扫码时使用，用到时才请求。不读取位置、通讯录和相册里的其他内容。",),
        ),
        Section(
            "交给谁",
            (
                "主管部门：是否合格。微信支付、支付宝：订单号和金额。短信服务商：手机号和短信内容。"
                "人脸核验服务：姓名、身份证号和现场照片。开票服务商：开票信息。除此之外不给任何人。",
            ),
        ),
        Section(
            "怎样保管，保管多久",
            (
                "身份证号、姓名、手机号等逐项加密存放，页面上只显示一部分；工作人员查看要有理由并留记录。",
                f"人脸核验时拍下的照片 {EVIDENCE_DAYS} 天后删除。学习、考试、证明和缴费记录是继续教育和财务的凭据，"
                "按主管部门和财务的规定保存。",
            ),
        ),
        Section(
            "您的权利",
            (
                "在“设置”里可以查看自己的信息、更换手机号、解除微信绑定、撤回对人脸信息的同意、退出所有设备。",
                "姓名或身份证号有误、要删除信息或注销账号，请拨打“联系我们”页面上的客服电话。",
            ),
        ),
    ),
)

FACE = Text(
    "face",
    "人脸信息说明",
    CONSENT_VERSIONS["face"],
    (
        Section(
            None,
            (
                "首次核验时，把您的姓名、身份证号和现场照片交给人脸核验服务，与官方登记的照片比对；以后学习前，"
                "把现场照片与您的头像比对。只为确认学习和考试的是您本人。",
                f"核验时拍下的照片加密保存 {EVIDENCE_DAYS} 天后删除；您的一寸头像用在证明上，随证明保存。",
                "您可以不同意。不同意也能登录、报名和缴费；但按规定必须核验本人，上传头像、学习和考试前需要您同意，"
                "或联系客服走人工核验。同意以后也可以在“设置”里撤回。",
            ),
        ),
    ),
)

TEXTS = {text.name: text for text in (AGREEMENT, PRIVACY, FACE)}
