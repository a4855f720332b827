"""Tencent SMS: the stock SDK sends and pulls; a signature with one wrong byte is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models, sms_client

from sandbox import server

Secret = Callable[[str], str]
PHONE = "13800138000"


def client(sandbox: server.Running, secret_id: str, secret_key: str) -> Any:
    profile = HttpProfile(protocol="http", endpoint=f"127.0.0.1:{sandbox.port}", reqTimeout=3, keepAlive=True)
    return sms_client.SmsClient(
        credential.Credential(secret_id, secret_key), "ap-guangzhou", ClientProfile(httpProfile=profile)
    )


@pytest.fixture
def sms(sandbox: server.Running, secret: Secret) -> Any:
    sandbox.box.store.clear("sms", "message")
    sandbox.box.store.clear("sms", "unpulled")
    sandbox.box.store.clear("sms", "report")
    return client(sandbox, secret("tencent_sms.secret_id"), secret("tencent_sms.secret_key"))


@pytest.fixture
def send(sms: Any, secret: Secret) -> Callable[..., list[Any]]:
    def go(*phones: str, **change: Any) -> list[Any]:
        request = models.SendSmsRequest()
        request.SmsSdkAppId = change.get("app", secret("tencent_sms.sdk_app_id"))
        request.SignName = change.get("sign", secret("tencent_sms.sign_name"))
        request.TemplateId = "449001"
        request.TemplateParamSet = ["123456", "5"]
        request.PhoneNumberSet = list(phones) or [f"+86{PHONE}"]
        request.SessionContext = "message-1"
        return sms.SendSms(request).SendStatusSet

    return go


@pytest.fixture
def pull(sms: Any, secret: Secret) -> Callable[[], list[Any]]:
    def go() -> list[Any]:
        request = models.PullSmsSendStatusRequest()
        request.Limit = 100
        request.SmsSdkAppId = secret("tencent_sms.sdk_app_id")
        return sms.PullSmsSendStatus(request).PullSmsSendStatusSet

    return go


def received(sandbox: server.Running, phone: str = PHONE) -> list[dict[str, Any]]:
    return requests.get(sandbox.url + "/_control/sms", params={"phone": phone}, timeout=5).json()


def test_a_message_is_sent_and_received_with_its_params(
    sandbox: server.Running, send: Callable[..., list[Any]]
) -> None:
    requests.post(
        sandbox.url + "/_control/sms/template",
        json={"id": "449001", "text": "验证码{1}，{2}分钟内有效。"},
        timeout=5,
    )
    (status,) = send()
    assert (status.Code, status.Fee, status.SessionContext) == ("Ok", 1, "message-1")
    (message,) = received(sandbox)
    assert message["text"] == "【住考网络】验证码123456，5分钟内有效。"
    assert message["params"] == ["123456", "5"]
    assert message["serial_no"] == status.SerialNo


def test_one_bad_number_fails_alone(sandbox: server.Running, send: Callable[..., list[Any]]) -> None:
    good, bad = send("+8613900139000", "+86123")
    assert good.Code == "Ok"
    assert (bad.Code, bad.SerialNo) == ("InvalidParameterValue.IncorrectPhoneNumber", "")
    assert len(received(sandbox, "13900139000")) == 1


def test_a_wrong_app_or_signature_name_is_a_failure_of_each_number(send: Callable[..., list[Any]]) -> None:
    assert send(app="1400000000")[0].Code == "UnauthorizedOperation.SmsSdkAppIdVerifyFail"
    assert send(sign="别人")[0].Code == "FailedOperation.SignatureIncorrectOrUnapproved"


def test_a_wrong_key_or_an_unknown_id_is_refused(sandbox: server.Running, secret: Secret) -> None:
    request = models.PullSmsSendStatusRequest()
    request.Limit = 1
    request.SmsSdkAppId = secret("tencent_sms.sdk_app_id")
    for secret_id, key, code in (
        (secret("tencent_sms.secret_id"), "x" * 32, "AuthFailure.SignatureFailure"),
        ("AKIDnobody", secret("tencent_sms.secret_key"), "AuthFailure.SecretIdNotFound"),
    ):
        with pytest.raises(TencentCloudSDKException) as refused:
            client(sandbox, secret_id, key).PullSmsSendStatus(request)
        assert refused.value.code == code
    assert sandbox.box.journal.count("sms", "pull") == 0


def test_a_changed_byte_or_an_old_time_breaks_the_signature(
    sandbox: server.Running, sms: Any, send: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[requests.PreparedRequest] = []
    real = requests.Session.send

    def spy(self: requests.Session, prepared: requests.PreparedRequest, **kwargs: Any) -> Any:
        caught.append(prepared.copy())
        return real(self, prepared, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(requests.Session, "send", spy)
        send()
    sent = caught[0]
    assert isinstance(sent.body, str | bytes)
    body = sent.body if isinstance(sent.body, bytes) else sent.body.encode()
    url, headers = str(sent.url), dict(sent.headers)
    for data, change, code in (
        (body, {}, None),
        (body.replace(b"123456", b"123457"), {}, "AuthFailure.SignatureFailure"),
        (body, {"Host": "sms.tencentcloudapi.com"}, "AuthFailure.SignatureFailure"),
        (body, {"X-TC-Timestamp": str(int(time.time()) - 301)}, "AuthFailure.SignatureExpire"),
        (body, {"Authorization": "nothing"}, "AuthFailure.InvalidAuthorization"),
    ):
        answer = requests.post(url, data=data, headers={**headers, **change}, timeout=5).json()["Response"]
        assert answer.get("Error", {}).get("Code") == code


def test_delivery_reports_come_once_from_the_queue_and_again_by_number(
    sms: Any, secret: Secret, send: Callable[..., list[Any]], pull: Callable[[], list[Any]]
) -> None:
    begin = int(time.time())
    serial = send()[0].SerialNo
    (report,) = pull()
    assert (report.ReportStatus, report.SerialNo, report.Description) == ("SUCCESS", serial, "DELIVRD")
    assert report.SessionContext == ""
    assert pull() == []
    request = models.PullSmsSendStatusByPhoneNumberRequest()
    request.BeginTime, request.Offset, request.Limit = begin, 0, 100
    request.PhoneNumber = f"+86{PHONE}"
    request.SmsSdkAppId = secret("tencent_sms.sdk_app_id")
    for _ in range(2):
        assert [r.SerialNo for r in sms.PullSmsSendStatusByPhoneNumber(request).PullSmsSendStatusSet] == [serial]
    request.EndTime = begin - 1
    assert sms.PullSmsSendStatusByPhoneNumber(request).PullSmsSendStatusSet == []


def test_knobs_of_sending(
    sandbox: server.Running, send: Callable[..., list[Any]], pull: Callable[[], list[Any]]
) -> None:
    knobs = sandbox.box.knobs
    knobs.add("sms", "send", "per_number", "LimitExceeded.PhoneNumberDailyLimit")
    assert send()[0].Code == "LimitExceeded.PhoneNumberDailyLimit"
    assert pull() == []
    knobs.add("sms", "send", "silent")
    assert send()[0].Code == "Ok"
    assert pull() == []
    knobs.add("sms", "send", "undelivered", "MBBLACK")
    send()
    assert [(r.ReportStatus, r.Description) for r in pull()] == [("FAIL", "MBBLACK")]
    knobs.add("sms", "send", "error", "RequestLimitExceeded")
    with pytest.raises(TencentCloudSDKException, match="RequestLimitExceeded"):
        send()
    knobs.add("sms", "send", "reset_after")
    with pytest.raises(TencentCloudSDKException):
        send()
    assert len(received(sandbox)) == 3  # silent, undelivered, and the one whose answer was lost
    assert len(pull()) == 1
