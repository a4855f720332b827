"""The server itself: secrets made once, loopback only, keep-alive, a clean stop, the phone's page."""

from __future__ import annotations

import ast
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from config.settings import Secrets
from sandbox import keys, server
from tests.sandbox.test_wechatpay import Control, make, number

ROOT = Path(__file__).resolve().parents[2]


def test_secrets_are_made_once_private_and_readable_by_the_product(data_dir: Path) -> None:
    folder = data_dir / "secrets"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    keys.ensure(data_dir)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in folder.iterdir())
    read = Secrets(folder, {})
    assert list(read.keyring("app.index_key")) == list(read.keyring("app.secret_key")) == ["k1"]
    assert list(read.keyring("app.field_keys")) == ["k1"]
    assert read.keyring("app.field_keys") != read.keyring("app.photo_keys")
    assert len(read.get("yunnan.wechatpay.api_v3_key")) == 32
    assert read.get("yunnan.wechatpay.merchant_private_key").startswith("-----BEGIN PRIVATE KEY-----")
    assert re.fullmatch(r"PUB_KEY_ID_01\d{26}", read.get("yunnan.wechatpay.platform_public_key_id"))
    assert read.get("yunnan.wechat.appid") == read.get("yunnan.wechatpay.appid")
    assert "yunnan.wechatpay.platform_private_key" not in before


def test_it_imports_nothing_of_the_product() -> None:
    for file in (ROOT / "sandbox").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"app", "config", "jobs", "ops"}, file.name


def test_it_does_not_start_under_live_providers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS", "live")
    with pytest.raises(SystemExit, match="PROVIDERS=live"):
        server.start(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_process_starts_answers_and_stops_on_term(data_dir: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if name != "PROVIDERS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--data-dir", str(data_dir), "--port", str(port)],
        cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        assert requests.get(f"http://127.0.0.1:{port}/_health", timeout=5).json() == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_connections_are_kept_and_packets_not_held_back(sandbox: server.Running) -> None:
    with requests.Session() as session:
        session.get(sandbox.url + "/_health", timeout=5)
        begin = time.monotonic()
        for _ in range(20):
            assert session.get(sandbox.url + "/_health", timeout=5).headers.get("Connection") != "close"
        assert (time.monotonic() - begin) / 20 < 0.03


def test_a_body_that_is_too_large_is_refused_unread(sandbox: server.Running) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port)) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n")
        assert b" 413 " in raw.recv(200).splitlines()[0]


def test_a_stopped_sandbox_hangs_up_on_kept_connections(data_dir: Path, tmp_path: Path) -> None:
    for folder in ("secrets", "sandbox"):
        (tmp_path / folder).mkdir()
        for file in (data_dir / folder).iterdir():
            if file.name.startswith(("app.", "yunnan.")):
                (tmp_path / folder / file.name).write_bytes(file.read_bytes())
    running = server.start(tmp_path)
    with requests.Session() as session:
        assert session.get(running.url + "/_health", timeout=5).status_code == 200
        running.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(running.url + "/_health", timeout=5)


def test_the_phone_shows_orders_messages_and_checks_and_loads_nothing_from_outside(
    sandbox: server.Running, pay_client: Any, control: Control
) -> None:
    no = number()
    make(pay_client, no)
    page = requests.get(sandbox.url + "/", timeout=5).text
    assert "扫一扫付款" in page
    assert "不识别人脸" in page
    style = requests.get(sandbox.url + "/_static/phone.css", timeout=5)
    script = requests.get(sandbox.url + "/_static/phone.js", timeout=5)
    assert (style.status_code, script.status_code) == (200, 200)
    for text in (page, style.text, script.text):
        assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?https?:", text)
    assert "style=" not in page
    assert "onclick=" not in page
    orders = requests.get(sandbox.url + "/_phone/state", timeout=5).json()["orders"]
    (shown,) = [order for order in orders if order["out_trade_no"] == no]
    assert (shown["state"], shown["total"]) == ("NOTPAY", 20000)


def test_an_unknown_address_is_a_404_in_json(sandbox: server.Running) -> None:
    answer = requests.get(sandbox.url + "/nothing", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
