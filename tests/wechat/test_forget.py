from __future__ import annotations

from datetime import timedelta

from app.core.clock import utcnow
from app.wechat import service
from app.wechat.models import LoginCode
from tests.wechat.phones import a_code, log_in
from tests.world import World


def test_codes_are_forgotten_only_when_no_ticket_can_name_them(world: World) -> None:
    code = a_code(world.sandbox, "oPhone")
    assert log_in(world, code).status_code == 200
    assert service.forget(now=utcnow() + timedelta(hours=1)) == 0
    assert log_in(world, code).status_code == 409
    assert service.forget(now=utcnow() + timedelta(days=3)) == 1
    assert LoginCode.select().count() == 0
