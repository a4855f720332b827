"""The exam faults of `tests/faults/exams.py`, small; `make faults` runs them long. Each twin must fail."""

from __future__ import annotations

import pytest

from tests.faults import exams
from tests.world import World


def test_a_killed_server_loses_no_acknowledged_answer(world: World) -> None:
    assert exams.e1(world, 1) == 0


@pytest.mark.slow
def test_a_server_that_acknowledges_first_would_lose_answers(world: World) -> None:
    assert exams.e1_twin(world)


def test_two_tabs_overwrite_nothing_in_silence(world: World) -> None:
    assert exams.e2(world, 5) == 0


def test_two_tabs_would_overwrite_without_the_version(world: World) -> None:
    assert exams.e2_twin(world)


def test_two_tabs_saving_at_the_same_moment_lose_nothing(world: World) -> None:
    assert exams.e2_parallel(world, 5) == 0


def test_two_tabs_at_the_same_moment_would_lose_without_the_revision(world: World) -> None:
    assert exams.e2_parallel_twin(world)


def test_hand_ins_count_until_the_deadline_and_its_grace(world: World) -> None:
    assert exams.e3(world, 1) == 0


def test_hand_ins_would_count_for_ever_without_the_deadline(world: World) -> None:
    assert exams.e3_twin(world)


def test_parallel_hand_ins_score_once(world: World) -> None:
    assert exams.e4(world, 3) == 0


def test_parallel_hand_ins_would_score_twice_without_the_guard(world: World) -> None:
    assert exams.e4_twin(world)


def test_an_exam_nobody_closed_at_its_deadline_is_closed_by_the_next_read_or_the_job(world: World) -> None:
    assert exams.e6(world, 1) == 0


def test_a_crowd_hands_in_without_an_error(world: World) -> None:
    assert exams.e7(world, 20) == 0


def test_no_key_is_seen_before_the_hand_in(world: World) -> None:
    assert exams.e8(world) == 0


def test_a_solution_in_a_payload_would_be_noticed(world: World) -> None:
    assert exams.e8_twin(world)


def test_a_crash_within_the_grace_loses_nothing(world: World) -> None:
    assert exams.e9(world, 1) == 0


def test_a_late_return_would_go_unnoticed_without_the_leave_rule(world: World) -> None:
    assert exams.e9_twin(world)
