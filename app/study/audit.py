"""The invariant of study over the whole database (faults, heartbeats): nobody was credited more than the server's
clock allows, nor more than was watched."""

from __future__ import annotations

from app.study import bitmap
from app.study.models import Learner, LessonProgress


def audit_progress() -> list[str]:
    """One line per violation, empty when all is well: per learner, credited seconds ≤ elapsed server time × rate +
    one interval (all lessons and enrolments together); per row, what is counted is what the bitmap holds, within the
    lesson, and a lesson is done exactly when enough is credited."""
    faults: list[str] = []
    spent: dict[str, float] = {}  # milliseconds of the bucket that the credited chunks have cost
    interval: dict[str, int] = {}
    for row in LessonProgress.select().iterator():
        chunks = bitmap.chunks(bytes(row.bitmap))
        if len(chunks) != row.credited_chunks:
            faults.append(f"progress {row.id}: {row.credited_chunks} chunks counted, {len(chunks)} watched")
        if chunks and chunks[-1] >= row.chunks:
            faults.append(f"progress {row.id}: chunk {chunks[-1]} of a lesson of {row.chunks}")
        if (row.completed_at is not None) != (row.credited_chunks >= row.needed_chunks):
            faults.append(f"progress {row.id}: done and {row.credited_chunks} of {row.needed_chunks} do not agree")
        spent[row.person_id] = spent.get(row.person_id, 0.0) + credited_seconds(row) * 1000 * 100 / row.rate_percent
        interval[row.person_id] = max(interval.get(row.person_id, 0), row.chunk_seconds * 1000)
    learners = {row.id: row for row in Learner.select().iterator()}
    for person_id, used in spent.items():
        learner = learners.get(person_id)
        if learner is None:
            faults.append(f"learner {person_id}: credited without a session")
            continue
        elapsed = learner.bucket_at_ms - int(learner.started_at.timestamp() * 1000)
        if used > max(elapsed, 0) + interval[person_id]:
            faults.append(f"learner {person_id}: credited {used / 1000:.0f} s in {elapsed / 1000:.0f} s")
    return faults


def credited_seconds(row: LessonProgress) -> int:
    """The playing time of a row's credited chunks, in seconds; the last chunk of a lesson may be short."""
    whole: int = row.credited_chunks * row.chunk_seconds
    short: int = row.chunks * row.chunk_seconds - row.seconds
    return whole - short if short and bitmap.has(bytes(row.bitmap), row.chunks - 1) else whole
