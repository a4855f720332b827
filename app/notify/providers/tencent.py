"""Tencent Cloud SMS, API 2021-01-11, through tencentcloud-sdk-python-sms. Wire facts: docs/providers.md, Tencent SMS.

The SDK raises one class for everything: what carries a request id was answered by Tencent, the rest was not.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from tencentcloud.common.abstract_client import LOGGER_NAME
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

from app.core.breaker import Breaker
from app.notify.providers.protocol import Outgoing, Refused, Report, Unknown

LIVE = "https://sms.tencentcloudapi.com"
REGION = "ap-guangzhou"
TIMEOUT = 4  # seconds, to connect and between two packets of the answer
PAGE = 100  # reports in one answer, at most

# nothing was sent, and the next minute may be better (product/382/59177)
_AGAIN = ("RequestLimitExceeded", "LimitExceeded.PhoneNumberThirtySecondLimit")
_NOBODY_KNOWS = ("InternalError",)

logging.getLogger(LOGGER_NAME).setLevel(logging.WARNING)  # its DEBUG lines hold phones and codes in the clear


def _refusal(code: str) -> Exception:
    if code.startswith(_NOBODY_KNOWS):
        return Unknown(code)
    return Refused(code, again=code.startswith(_AGAIN), number="PhoneNumber" in code)


class TencentSms:
    """The SMS account whose secrets were given; `base` is where it answers."""

    def __init__(self, *, secret_id: str, secret_key: str, sdk_app_id: str, base: str = LIVE):
        address = urlsplit(base)
        http = HttpProfile(protocol=address.scheme, endpoint=address.netloc, reqTimeout=TIMEOUT, keepAlive=True)
        # no retryer: a message that may have gone out is never sent again
        profile = ClientProfile(httpProfile=http)
        self._client = SmsClient(Credential(secret_id, secret_key), REGION, profile)
        self._sdk_app_id = sdk_app_id
        # what is not asked for was not sent: it may be tried again
        self._breaker = Breaker("tencent_sms", Unknown, lambda why: Refused(why, again=True, asked=False))

    def _call(self, method: str, request: Any) -> Any:
        with self._breaker:  # an answer, also a "no", says that the provider is there
            try:
                return getattr(self._client, method)(request)
            except TencentCloudSDKException as error:
                said = _refusal(str(error.get_code())) if error.get_request_id() else Unknown(str(error.get_code()))
                if isinstance(said, Unknown):
                    raise said from error
        raise said

    def send(self, message: Outgoing) -> str:
        request = models.SendSmsRequest()
        request.SmsSdkAppId = self._sdk_app_id
        request.SignName = message.sign
        request.TemplateId = message.template_id
        request.TemplateParamSet = list(message.params)
        request.PhoneNumberSet = [f"+86{message.phone}"]
        request.SessionContext = message.context
        answer = self._call("SendSms", request).SendStatusSet
        if not answer or len(answer) != 1 or not answer[0].Code:
            raise Unknown("no status of the number")
        if answer[0].Code != "Ok":
            raise _refusal(str(answer[0].Code))
        return str(answer[0].SerialNo)

    def pull(self, limit: int) -> list[Report]:
        request = models.PullSmsSendStatusRequest()
        request.SmsSdkAppId = self._sdk_app_id
        request.Limit = min(limit, PAGE)
        return _reports(self._call("PullSmsSendStatus", request))

    def reports_of(self, phone: str, since: datetime, until: datetime) -> list[Report]:
        request = models.PullSmsSendStatusByPhoneNumberRequest()
        request.SmsSdkAppId = self._sdk_app_id
        request.PhoneNumber = f"+86{phone}"
        request.BeginTime = int(since.timestamp())
        request.EndTime = int(until.timestamp())
        request.Offset = 0
        request.Limit = PAGE
        return _reports(self._call("PullSmsSendStatusByPhoneNumber", request))


def _reports(answer: Any) -> list[Report]:
    return [
        Report(
            serial_no=str(row.SerialNo),
            phone=str(row.SubscriberNumber),
            delivered=row.ReportStatus == "SUCCESS",
            description=str(row.Description or ""),
            at=datetime.fromtimestamp(int(row.UserReceiveTime), UTC),
        )
        for row in answer.PullSmsSendStatusSet or []
    ]
