"""Baidu's client over the real SDK and real HTTP to the sandbox: scores, refusals, and every sort of trouble (F2)."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from app.face.providers import baidu
from app.face.providers.baidu import BaiduFace, CheckedSession
from app.face.providers.protocol import FaceRefused, ProviderUnavailable
from config.settings import Settings
from sandbox import server
from sandbox.faces import make_face, person_of, read_face

ID_NUMBER = "530102199003071234"
ME = make_face(person_of(ID_NUMBER))
OTHER = make_face(person_of(ID_NUMBER) + 1)


def test_the_scores_come_through(provider: BaiduFace) -> None:
    assert provider.liveness(ME) == pytest.approx(0.98)
    assert provider.liveness(make_face(1, live=False)) == pytest.approx(0.01)
    assert provider.match(ME, ME, reference_is_photo=True) == 95.0
    assert provider.match(ME, OTHER, reference_is_photo=False) == 20.0
    assert provider.verify_person(ME, name="张三", id_number=ID_NUMBER) == 95.0
    assert provider.verify_person(OTHER, name="张三", id_number=ID_NUMBER) == 20.0


@pytest.mark.parametrize(
    ("picture", "name", "reason"),
    [
        (make_face(1, face=False), "张三", "no_face"),
        (make_face(person_of(ID_NUMBER), live=False), "张三", "not_live"),
        (ME, " ", "identity_mismatch"),
    ],
)
def test_a_refusal_has_its_reason(provider: BaiduFace, picture: bytes, name: str, reason: str) -> None:
    with pytest.raises(FaceRefused) as caught:
        provider.verify_person(picture, name=name, id_number=ID_NUMBER)
    assert caught.value.reason == reason


def test_another_name_for_the_number_is_refused(provider: BaiduFace, sandbox: server.Running) -> None:
    number = "530102198801011119"
    requests.post(f"{sandbox.url}/_control/baidu/identity", json={"id_number": number, "name": "李四"}, timeout=5)
    with pytest.raises(FaceRefused) as caught:
        provider.verify_person(make_face(person_of(number)), name="张三", id_number=number)
    assert (caught.value.reason, caught.value.code) == ("identity_mismatch", "222351")


TROUBLE: list[tuple[str, Any]] = [
    ("error", 500),
    ("error", "18"),
    ("error", "222901"),
    ("garbage", None),
    ("reset", None),
    ("reset_after", None),
    ("hang", 1),
    ("delay_after", 1),
]


@pytest.mark.parametrize(("kind", "value"), TROUBLE)
def test_no_answer_that_means_anything_is_unavailable(
    provider: BaiduFace, sandbox: server.Running, kind: str, value: Any
) -> None:
    sandbox.box.knobs.add("baidu", "liveness", kind, value)
    with pytest.raises(ProviderUnavailable):
        provider.liveness(ME)
    assert provider.liveness(ME) > 0.9  # and it recovers


@pytest.mark.parametrize(("kind", "value"), TROUBLE)
def test_a_page_without_an_answer_is_unavailable(
    provider: BaiduFace, sandbox: server.Running, kind: str, value: Any
) -> None:
    page = provider.open_page(name="张三", id_number=ID_NUMBER, success_url="http://x/1", failed_url="http://x/2")
    requests.post(
        f"{sandbox.url}/_control/baidu/faceprint", json={"token": page.reference, "outcome": "pass"}, timeout=5
    )
    sandbox.box.knobs.add("baidu", "faceprint_detail", kind, value)
    with pytest.raises(ProviderUnavailable):
        provider.page_result(page.reference)


@pytest.mark.parametrize("kind", ["garbage", "error", "reset"])
def test_no_access_token_is_unavailable_and_never_another_signing(
    provider: BaiduFace, sandbox: server.Running, kind: str
) -> None:
    sandbox.box.knobs.add("baidu", "token", kind, 500 if kind == "error" else None)
    with pytest.raises(ProviderUnavailable):
        provider.liveness(ME)
    assert sandbox.box.journal.count("baidu", "liveness") == 0


def test_wrong_keys_are_unavailable(settings: Settings, sandbox: server.Running) -> None:
    sandbox.reset()
    stranger = BaiduFace(app_id="1", api_key="no", secret_key="no", plan_id="1", base=sandbox.url)
    with pytest.raises(ProviderUnavailable):
        stranger.liveness(ME)


@pytest.mark.parametrize("code", ["110", "111", "100"])
def test_a_token_that_is_no_longer_good_is_fetched_again_once(
    provider: BaiduFace, sandbox: server.Running, code: str
) -> None:
    provider.liveness(ME)
    provider._sdk._authObj["time"] -= 60  # not fetched just now
    sandbox.box.knobs.add("baidu", "liveness", "error", code)
    assert provider.liveness(ME) > 0.9
    assert sandbox.box.journal.count("baidu", "token") == 2


def test_eight_threads_fetch_one_token(provider: BaiduFace, sandbox: server.Running) -> None:
    scores: list[float] = []
    threads = [threading.Thread(target=lambda: scores.append(provider.liveness(ME))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(scores) == 8
    assert sandbox.box.journal.count("baidu", "token") == 1


def test_the_session_checks_certificates_and_keeps_to_the_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def spy(self: requests.Session, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        seen.update(kwargs)
        answer = requests.Response()
        answer.status_code = 200
        return answer

    monkeypatch.setattr(requests.Session, "request", spy)
    CheckedSession().post("https://aip.baidubce.com/x", verify=False, timeout=(60, 60))
    assert seen["verify"] is True
    assert seen["timeout"] == baidu.TIMEOUT


def opened(provider: BaiduFace) -> tuple[str, str]:
    page = provider.open_page(
        name="张三",
        id_number=ID_NUMBER,
        success_url="http://127.0.0.1:1/a?b=1&c=2",
        failed_url="http://127.0.0.1:1/f",
    )
    return page.reference, page.url


def press(sandbox: server.Running, token: str, outcome: str) -> None:
    answer = requests.post(
        f"{sandbox.url}/_control/baidu/faceprint", json={"token": token, "outcome": outcome}, timeout=5
    )
    assert answer.status_code == 200


def test_the_page_carries_both_ways_back_whole(provider: BaiduFace, sandbox: server.Running) -> None:
    token, url = opened(provider)
    assert url.startswith(f"{sandbox.url}/face/print/?")
    assert parse_qs(urlsplit(url).query) == {
        "token": [token],
        "successUrl": ["http://127.0.0.1:1/a?b=1&c=2"],
        "failedUrl": ["http://127.0.0.1:1/f"],
    }


def test_the_live_page_is_on_baidus_own_host() -> None:
    client = BaiduFace(app_id="1", api_key="k", secret_key="s", plan_id="p")
    client._page_call = lambda what, body: {"verify_token": "T"}  # type: ignore[method-assign]
    page = client.open_page(name="张三", id_number=ID_NUMBER, success_url="https://x/", failed_url="https://x/")
    assert page.url.startswith("https://brain.baidu.com/face/print/?token=T&successUrl=")


def test_a_page_not_yet_finished_has_no_result(provider: BaiduFace) -> None:
    token, _ = opened(provider)
    assert provider.page_result(token) is None


def test_a_passed_page_names_the_person_and_has_a_picture(provider: BaiduFace, sandbox: server.Running) -> None:
    token, _ = opened(provider)
    press(sandbox, token, "pass")
    result = provider.page_result(token)
    assert result is not None
    assert (result.name, result.id_number, result.match) == ("张三", ID_NUMBER, 95.0)
    marker = read_face(provider.page_picture(token))
    assert marker is not None
    assert marker.person == person_of(ID_NUMBER)


@pytest.mark.parametrize(("outcome", "reason"), [("fail", "not_live"), ("other", "low_score")])
def test_a_failed_page_is_a_refusal(provider: BaiduFace, sandbox: server.Running, outcome: str, reason: str) -> None:
    token, _ = opened(provider)
    press(sandbox, token, outcome)
    with pytest.raises(FaceRefused) as caught:
        provider.page_result(token)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "address",
    [
        "http://brain.baidu.com/solution/x",
        "https://brain.baidu.com.evil.example/x",
        "https://evilbcebos.com/x",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:6379/",
    ],
)
def test_a_picture_at_another_address_is_not_fetched(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = BaiduFace(app_id="1", api_key="k", secret_key="s", plan_id="p")
    monkeypatch.setattr(client, "_page_call", lambda what, body: {"image": address})
    with pytest.raises(ProviderUnavailable, match="elsewhere"):
        client.page_picture("T")
