"""Fault F7: fifty uploads at once, over real HTTP, leave the rest of the product quick."""

from __future__ import annotations

import threading
import time

import pytest
import requests
from PIL import Image

from tests.face.conftest import People
from tests.face.pictures import jpeg, opened
from tests.factories import an_id_number
from tests.world import World

UPLOADS = 50


@pytest.mark.slow
def test_fifty_uploads_at_once_leave_the_rest_under_a_second(people: People, world: World) -> None:
    crowd = [people(an_id_number()) for _ in range(5)]  # nobody may upload fifty times in a minute
    camera = jpeg(opened(crowd[0].face).resize((2400, 3360), Image.Resampling.BICUBIC))  # 8 megapixels
    url, headers = world.settings.public_url, [{"Authorization": f"Bearer {one.token}"} for one in crowd]
    statuses: list[int] = []
    begin = threading.Barrier(UPLOADS + 1)

    def upload(number: int) -> None:
        begin.wait()
        files = {"photo": ("me.jpg", camera, "image/jpeg")}
        answer = requests.post(f"{url}/api/v1/photo/check", files=files, headers=headers[number % 5], timeout=30)
        if answer.status_code == 503:
            assert answer.json()["code"] == "pictures_busy"
            assert answer.headers["Retry-After"] == "3"
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(UPLOADS)]
    for thread in threads:
        thread.start()
    begin.wait()
    waits: list[float] = []
    while any(thread.is_alive() for thread in threads):
        started = time.perf_counter()
        reader = headers[len(waits) % 5]
        assert requests.get(f"{url}/api/v1/photo", headers=reader, timeout=30).status_code == 404
        waits.append(time.perf_counter() - started)
    for thread in threads:
        thread.join()

    assert len(statuses) == UPLOADS
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 2
    assert sorted(waits)[int(len(waits) * 0.99)] < 1.0
