"""L4 and L6 of `make faults`, small; and their twins."""

from __future__ import annotations

from tests.faults import wechat
from tests.world import World


def test_l4_another_wechat_needs_the_password_tells_the_owner_and_ends_the_other_sessions(world: World) -> None:
    assert wechat.l4(world, 1) == 0


def test_l4_twin_without_password_or_end_of_sessions_it_does_not(world: World) -> None:
    assert wechat.l4_twin(world)


def test_l6_forged_encrypted_data_changes_nothing_and_the_session_key_is_nowhere(world: World) -> None:
    assert wechat.l6(world, 1) == 0


def test_l6_twin_without_watermark_or_with_a_talkative_client_it_is_found(world: World) -> None:
    assert wechat.l6_twin(world)
