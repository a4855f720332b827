"""Carries notifications to the product: in the background, again until they are taken, and with trouble."""

from __future__ import annotations

import heapq
import itertools
import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass

import requests

from sandbox.box import Box
from sandbox.knobs import Knob, kinds_for
from sandbox.store import Record

DEFAULT_RETRIES = (1.0, 2.0, 5.0, 15.0, 30.0)
ANSWER_WITHIN = 5.0
Letter = tuple[dict[str, str], bytes]
Writer = Callable[[Record, dict[str, Knob]], Letter | None]


def _complain(done: Future[None]) -> None:
    try:
        error = done.exception()
    except CancelledError:
        return  # the sandbox stops; the delivery waits in the store
    if error is not None:
        logging.getLogger("sandbox").error("a delivery failed", exc_info=error)


@dataclass(frozen=True)
class Route:
    """How deliveries of one operation are written. `write` returns None where there is nothing to tell. `taken`: what
    the receiver has to answer."""

    provider: str
    operation: str
    write: Writer
    taken: Callable[[int, bytes], bool] = lambda status, _: status in (200, 204)


class Postman:
    """Deliveries wait in the store, so that a restart goes on with them."""

    def __init__(self, box: Box, retries: tuple[float, ...] = DEFAULT_RETRIES) -> None:
        self._box = box
        self._retries = retries
        self._routes: dict[str, Route] = {}
        self._queue: list[tuple[float, int, str]] = []
        self._held: list[str] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="notify")
        self._thread = threading.Thread(target=self._run, name="postman", daemon=True)

    def route(self, name: str, route: Route) -> None:
        """Register how deliveries called `name` are written."""
        self._routes[name] = route

    def start(self) -> None:
        """Take up what was left of the last run, and go on."""
        for key, _ in self._box.store.all("postman", "delivery"):
            self._enqueue(key, time.time())
        self._thread.start()

    def send(self, route: str, event: str, key: str, url: str, mchid: str, after: float = 0.0) -> None:
        """Deliver `event` about `key` to `url`, `after` seconds from now, until it is taken."""
        delivery = secrets.token_hex(16)
        record = {
            "id": delivery, "route": route, "event": event, "key": key, "url": url, "mchid": mchid,
            "attempt": 0, "made": self._box.clock.now(),
        }  # fmt: skip
        self._box.store.put("postman", "delivery", delivery, record)
        self._enqueue(delivery, time.time() + after)

    def clear(self) -> None:
        """Forget every delivery that is waiting."""
        with self._wake:
            self._queue.clear()
            self._held.clear()
            self._box.store.clear("postman", "delivery")

    def stop(self) -> None:
        """End the background threads; what waits stays in the store."""
        with self._wake:
            self._wake.notify_all()
        self._thread.join(timeout=5)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _enqueue(self, delivery: str, due: float) -> None:
        with self._wake:
            heapq.heappush(self._queue, (due, next(self._order), delivery))
            self._wake.notify_all()

    def _run(self) -> None:
        while not self._box.stopping.is_set():
            with self._wake:
                wait = self._queue[0][0] - time.time() if self._queue else 1.0
                if wait > 0:
                    self._wake.wait(min(wait, 1.0))
                    continue
                delivery = heapq.heappop(self._queue)[2]
                if not self._box.stopping.is_set():
                    self._pool.submit(self._deliver, delivery).add_done_callback(_complain)

    def _deliver(self, delivery: str) -> None:
        record = self._box.store.get("postman", "delivery", delivery)
        if record is None:
            return
        route = self._routes[record["route"]]
        knobs = self._box.knobs.take(route.provider, route.operation, kinds_for(route.provider, route.operation))
        if "lost" in knobs:
            self._box.store.pop("postman", "delivery", delivery)
            self._release()
            return
        if "delay" in knobs and not record.get("delayed"):
            self._box.store.put("postman", "delivery", delivery, {**record, "delayed": True})
            self._enqueue(delivery, time.time() + knobs["delay"].seconds(1))
            return
        if "reorder" in knobs:
            with self._wake:
                self._held.append(delivery)
            return
        letter = route.write(record, knobs)
        if letter is None:
            self._box.store.pop("postman", "delivery", delivery)
            return
        copies = int(knobs["duplicate"].value or 2) if "duplicate" in knobs else 1
        taken = self._post(record, route, letter, copies)
        self._release()
        if taken or record["attempt"] >= len(self._retries):
            self._box.store.pop("postman", "delivery", delivery)
            return
        after = self._retries[record["attempt"]]
        with self._box.store.changing():
            # a clear() in the meantime wins: what was forgotten is not written again
            if self._box.store.get("postman", "delivery", delivery) is None:
                return
            self._box.store.put("postman", "delivery", delivery, {**record, "attempt": record["attempt"] + 1})
        self._enqueue(delivery, time.time() + after)

    def _release(self) -> None:
        with self._wake:
            held, self._held = self._held, []
        for delivery in held:
            self._enqueue(delivery, time.time())

    def _post(self, record: Record, route: Route, letter: Letter, copies: int) -> bool:
        """Post the letter `copies` times at once; True where every copy was taken."""
        headers, body = letter
        taken = []

        def post() -> None:
            status, said = 0, b""
            try:
                answer = requests.post(
                    record["url"], data=body, headers=headers, timeout=ANSWER_WITHIN, allow_redirects=False
                )
                status, said = answer.status_code, answer.content
            except requests.RequestException:
                pass  # the receiver is down or slow: status 0 in the journal, and the next try
            self._box.journal.notification(record["event"], record["key"], record["attempt"], status)
            taken.append(route.taken(status, said))

        if copies == 1:
            post()
        else:
            threads = [threading.Thread(target=post, daemon=True) for _ in range(copies)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return all(taken)
