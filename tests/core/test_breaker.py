"""A provider in trouble is left alone: told at once, tried again after a pause, by one call at a time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from app.core import breaker, outgoing
from app.core.breaker import FAILURES, PAUSE, Breaker
from app.core.outgoing import Line


class Trouble(Exception):
    """No answer."""


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breaker, "time", clock)
    return clock


def fail(one: Breaker, times: int) -> None:
    for _ in range(times):
        with suppress(Trouble), one:
            raise Trouble("silent")


def calls_through(one: Breaker) -> bool:
    """Whether a call is let through; it is answered."""
    try:
        with one:
            return True
    except Trouble:
        return False


def test_it_opens_after_failures_in_a_row_and_not_one_earlier(clock: Clock) -> None:
    one = Breaker("one", Trouble)
    fail(one, FAILURES - 1)
    assert not one.open
    assert calls_through(one)  # an answer: the row begins anew
    fail(one, FAILURES - 1)
    assert calls_through(one)
    fail(one, FAILURES)
    assert one.open
    with pytest.raises(Trouble, match="one is out of order"), one:
        raise AssertionError("the call went out")


def test_after_the_pause_one_call_tries_and_the_others_are_still_refused(clock: Clock) -> None:
    one = Breaker("one", Trouble)
    fail(one, FAILURES)
    clock.now += PAUSE
    with one:
        assert not calls_through(one)
        assert not calls_through(one)
    assert calls_through(one)
    assert not one.open


def test_a_try_that_fails_opens_it_for_another_pause(clock: Clock) -> None:
    one = Breaker("one", Trouble)
    fail(one, FAILURES)
    clock.now += PAUSE
    fail(one, 1)
    clock.now += PAUSE - 0.1
    assert not calls_through(one)
    clock.now += 0.1
    assert calls_through(one)


def test_a_try_that_never_came_back_does_not_keep_it_open_for_ever(clock: Clock) -> None:
    one = Breaker("one", Trouble)
    fail(one, FAILURES)
    clock.now += PAUSE
    one.__enter__()  # its thread was killed
    assert not calls_through(one)
    clock.now += PAUSE
    assert calls_through(one)


def test_what_is_no_trouble_counts_neither_way(clock: Clock) -> None:
    one = Breaker("one", Trouble)
    fail(one, FAILURES - 1)
    with suppress(KeyError), one:
        raise KeyError("a bug")
    fail(one, 1)
    assert one.open


def test_not_asked_may_be_told_from_not_answered(clock: Clock) -> None:
    one = Breaker("one", Trouble, lambda why: LookupError(why))
    fail(one, FAILURES)
    with pytest.raises(LookupError, match="out of order"), one:
        raise AssertionError("the call went out")


# --- the line ----------------------------------------------------------------------------------------------------


class Peer:
    """A server that treats its first connections as told: 'reset' hangs up, 'answer' answers."""

    def __init__(self, *script: str):
        self.script, self.seen = list(script), 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.recv(65536)
                    self.seen += 1
                    if self.script.pop(0) == "answer":
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    made = Peer(*request.param)
    yield made
    made.close()


@pytest.mark.parametrize("peer", [("reset", "answer")], indirect=True)
def test_a_line_that_breaks_once_is_tried_once_more(peer: Peer) -> None:
    assert Line("peer", Trouble).send("GET", peer.url, headers={}).body == b"ok"
    assert peer.seen == 2


@pytest.mark.parametrize("peer", [("reset", "reset", "answer")], indirect=True)
def test_a_line_that_breaks_twice_is_trouble_and_not_tried_again(peer: Peer) -> None:
    with pytest.raises(Trouble):
        Line("peer", Trouble).send("GET", peer.url, headers={})
    assert peer.seen == 2


def test_a_silent_line_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT", (0.3, 0.3))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        began = time.monotonic()
        with pytest.raises(Trouble, match="Timeout"):
            Line("peer", Trouble).send("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/", headers={})
        assert time.monotonic() - began < 0.55


def test_a_line_out_of_order_answers_at_once_and_calls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    line = Line("peer", Trouble)
    for _ in range(FAILURES):
        with pytest.raises(Trouble):
            line.send("GET", url, headers={})
    monkeypatch.setattr(line, "_send", lambda *_: pytest.fail("the call went out"))
    with pytest.raises(Trouble, match="out of order"):
        line.send("GET", url, headers={})


def test_the_text_of_a_broken_line_stays_out_of_the_log(clock: Clock) -> None:
    one = Breaker("secretive", Trouble)
    with capture_logs() as logs:
        for _ in range(FAILURES):
            with suppress(Trouble), one:
                raise Trouble("GET https://provider.cn/token?secret=Geheim-1")
    (line,) = [log for log in logs if log["event"] == "provider_out_of_order"]
    assert line["why"] == "Trouble"
    assert "Geheim" not in str(logs)
