"""Baidu's face API, spoken to by its SDK, and the H5 real-name check."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from aip import AipFace

from sandbox import server
from sandbox.faces import make_face, person_of, read_face
from tests.sandbox.test_wechatpay import Control

Secret = Callable[[str], str]
HOST = "https://aip.baidubce.com"
ID_NUMBER = "530102199003071234"


class Face(AipFace):
    """The stock SDK with its host exchanged."""

    def __init__(self, url: str, app_id: str, key: str, secret_key: str) -> None:
        super().__init__(app_id, key, secret_key)
        self._url = url
        self._AipBase__accessTokenUrl = url + "/oauth/2.0/token"

    def _request(self, url: str, data: Any, headers: Any = None) -> Any:
        return super()._request(url.replace(HOST, self._url), data, headers)

    def faceprint(self, path: str, **data: Any) -> dict[str, Any]:
        url = f"{HOST}/rpc/2.0/brain/solution/faceprint/{path}"
        return self.post(url, json.dumps(data), {"Content-Type": "application/json"})


@pytest.fixture
def face(sandbox: server.Running, secret: Secret) -> Face:
    return Face(sandbox.url, secret("baidu.app_id"), secret("baidu.api_key"), secret("baidu.secret_key"))


def image(person: int, *, live: bool = True, face: bool = True) -> str:
    return base64.b64encode(make_face(person, live=live, face=face)).decode()


def item(person: int, control: str = "NONE", *, live: bool = True, face: bool = True) -> dict[str, str]:
    return {"image": image(person, live=live, face=face), "image_type": "BASE64", "liveness_control": control}


def test_the_same_person_matches_and_another_does_not(face: Face) -> None:
    assert face.match([item(7), item(7)])["result"]["score"] == 95
    assert face.match([item(7), item(8)])["result"]["score"] == 20


def test_no_face_no_liveness_and_no_picture_are_baidus_errors(face: Face) -> None:
    assert face.match([item(7), item(7, face=False)])["error_code"] == 222202
    assert face.match([item(7, "NORMAL", live=False), item(7)])["error_code"] == 223120
    assert face.match([item(7, live=False), item(7)])["error_code"] == 0
    assert face.match([item(7), {**item(7), "image": "no base64!"}])["error_code"] == 222013
    assert face.match([item(7)])["error_code"] == 222001


def test_liveness_of_a_picture(face: Face) -> None:
    assert face.faceverify([item(7)])["result"]["face_liveness"] > 0.9
    assert face.faceverify([item(7, live=False)])["result"]["face_liveness"] < 0.05


def test_name_number_and_picture_against_the_source(face: Face, control: Control) -> None:
    me, other = image(person_of(ID_NUMBER)), image(person_of(ID_NUMBER) + 1)
    assert face.personVerify(me, "BASE64", ID_NUMBER, "张三")["result"]["score"] == 95
    assert face.personVerify(other, "BASE64", ID_NUMBER, "张三")["result"]["score"] == 20
    assert face.faceMingJingVerify(ID_NUMBER, "张三", me, {"image_type": "BASE64"})["result"]["score"] == 95
    assert face.personVerify(me, "BASE64", "123", "张三")["error_code"] == 222353
    control("/_control/baidu/identity", id_number=ID_NUMBER, name="李四")
    assert face.personVerify(me, "BASE64", ID_NUMBER, "张三")["error_code"] == 222351
    assert face.personVerify(me, "BASE64", ID_NUMBER, "李四")["error_code"] == 0
    control("/_control/baidu/identity", id_number=ID_NUMBER, name="张三")


def test_a_wrong_secret_gets_no_token_and_a_wrong_token_is_error_110(sandbox: server.Running, secret: Secret) -> None:
    query = {"grant_type": "client_credentials", "client_id": secret("baidu.api_key"), "client_secret": "wrong"}
    answer = requests.get(sandbox.url + "/oauth/2.0/token", params=query, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    call = sandbox.url + "/rest/2.0/face/v3/match"
    assert requests.post(call, params={"access_token": "x"}, json=[], timeout=5).json()["error_code"] == 110


def test_the_sdk_fetches_a_new_token_where_the_old_one_is_gone(sandbox: server.Running, face: Face) -> None:
    face.match([item(7), item(7)])
    sandbox.box.store.clear("baidu", "token")
    assert face.match([item(7), item(7)])["error_code"] == 0
    assert sandbox.box.journal.count("baidu", "token") == 2


@pytest.fixture
def token(face: Face, secret: Secret) -> str:
    """A check that waits for the person in front of the phone."""
    made = face.faceprint("verifyToken/generate", plan_id=secret("baidu.plan_id"))
    verify_token = made["result"]["verify_token"]
    submitted = face.faceprint(
        "idcard/submit", verify_token=verify_token, id_name="张三", id_no=ID_NUMBER, certificate_type=0
    )
    assert submitted["success"] is True
    return verify_token


def press(sandbox: server.Running, token: str, outcome: str) -> requests.Response:
    query = urlencode({"token": token, "successUrl": "https://me.test/ok?n=1", "failedUrl": "https://me.test/no"})
    url = f"{sandbox.url}/face/print/?{query}"
    assert "不识别任何人脸" in requests.get(url, timeout=5).text
    return requests.post(url, data={"outcome": outcome}, allow_redirects=False, timeout=5)


def test_the_page_passes_and_the_results_say_who(sandbox: server.Running, face: Face, token: str) -> None:
    assert face.faceprint("result/detail", verify_token=token)["success"] is False
    assert press(sandbox, token, "pass").headers["Location"] == "https://me.test/ok?n=1"
    detail = face.faceprint("result/detail", verify_token=token)["result"]
    assert detail["idcard_confirm"] == {"name": "张三", "idcard_number": ID_NUMBER}
    assert detail["verify_result"]["score"] == 95
    simple = face.faceprint("result/simple", verify_token=token)["result"]
    seen = read_face(requests.get(simple["image"], timeout=5).content)
    assert seen is not None
    assert seen.person == person_of(ID_NUMBER)
    (one,) = face.faceprint("result/getall", verify_token=token)["result"]["verify_result"]
    assert one["is_verify_passed"] is True


@pytest.mark.parametrize(("outcome", "score"), [("fail", None), ("other", 20)])
def test_the_page_fails_and_the_results_say_why(
    sandbox: server.Running, face: Face, token: str, outcome: str, score: int | None
) -> None:
    assert press(sandbox, token, outcome).headers["Location"] == "https://me.test/no"
    assert face.faceprint("result/detail", verify_token=token)["success"] is False
    assert face.faceprint("result/simple", verify_token=token)["success"] is False
    (one,) = face.faceprint("result/getall", verify_token=token)["result"]["verify_result"]
    assert (one["is_verify_passed"], one["verify_detail"]["score"]) == (False, score)


def test_a_check_is_answered_once_and_not_after_two_hours(
    sandbox: server.Running, face: Face, token: str, control: Control
) -> None:
    press(sandbox, token, "fail")
    assert control("/_control/baidu/faceprint", token=token, outcome="pass").status_code == 409
    control("/_control/clock", offset=3 * 86400 + 1)
    assert face.faceprint("result/getall", verify_token=token)["message"] == "Token无效或者已过期"


def test_a_check_expires_unanswered(face: Face, token: str, control: Control) -> None:
    control("/_control/clock", offset=7201)
    assert control("/_control/baidu/faceprint", token=token, outcome="pass").status_code == 409


def test_a_name_that_is_not_the_numbers_does_not_pass(face: Face, token: str, control: Control) -> None:
    control("/_control/baidu/identity", id_number=ID_NUMBER, name="李四")
    answer = control("/_control/baidu/faceprint", token=token, outcome="pass").json()
    control("/_control/baidu/identity", id_number=ID_NUMBER, name="张三")
    assert answer == {"outcome": "fail", "message": "身份证姓名不匹配"}


def test_the_page_redirects_to_web_addresses_only(sandbox: server.Running, token: str) -> None:
    query = urlencode({"token": token, "successUrl": "javascript:alert(1)"})
    answer = requests.post(
        f"{sandbox.url}/face/print/?{query}", data={"outcome": "pass"}, allow_redirects=False, timeout=5
    )
    assert "Location" not in answer.headers


def test_knobs_speak_baidus_error_codes(sandbox: server.Running, face: Face) -> None:
    sandbox.box.knobs.add("baidu", "match", "error", "18")
    assert face.match([item(7), item(7)])["error_code"] == 18
    sandbox.box.knobs.add("baidu", "match", "garbage")
    with pytest.raises(ValueError, match="Expecting"):
        face.match([item(7), item(7)])
