"""The job faults of `make faults`, small; and each of their twins."""

from __future__ import annotations

from tests.faults import jobs
from tests.world import World


def test_j1_a_worker_killed_after_sending_does_not_make_it_send_again(world: World) -> None:
    assert jobs.j1(world, 1) == 0


def test_j1_twin_without_the_claim_the_message_goes_out_twice(world: World) -> None:
    assert jobs.j1_twin(world)


def test_j2_a_poison_message_is_tried_three_times_and_stops_nobody(world: World) -> None:
    assert jobs.j2(world, 5) == 0


def test_j2_twin_without_counting_it_comes_for_ever(world: World) -> None:
    assert jobs.j2_twin(world)


def test_j3_finished_jobs_run_again_change_nothing(world: World) -> None:
    assert jobs.j3(world, 2) == 0


def test_j3_twin_without_the_mark_the_phone_rings_twice(world: World) -> None:
    assert jobs.j3_twin(world)


def test_j4_a_flushed_redis_loses_nothing(world: World) -> None:
    assert jobs.j4(world, 1) == 0


def test_j4_twin_without_sweepers_it_does(world: World) -> None:
    assert jobs.j4_twin(world)
