"""The grade record: what passed when for the first time, and what happened in between."""

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from labs.engine.course.course import Course, load_course
from labs.engine.grading.report import ObjectiveResult, Report, Result
from labs.engine.messages import _, verbatim
from labs.engine.record import Record, checks_digest
from tests.engine.conftest import REPO


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "labs-record/grades.db")


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(REPO)


def report(result: Result, points: int = 10) -> Report:
    evidence = _("There is no {what}.", what="route")
    objective = ObjectiveResult("routes", verbatim("Routes"), result, points, 10, evidence, None, 0.5)
    return Report("flannel", (objective,), 1.5)


def rows(record: Record, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(record.file) as database:
        return list(database.execute(query))


def test_nothing_is_recorded_at_first(record: Record) -> None:
    assert record.progress() == {}
    assert not record.file.exists()


def test_points_once_reached_stay(record: Record, course: Course) -> None:
    record.graded(report("passed"), "g", course)
    record.graded(report("failed", 0), "g", course)
    assert record.progress()["flannel"].points == 10


def test_the_first_time_counts(record: Record, course: Course) -> None:
    record.graded(report("passed"), "g", course)
    first = record.progress()["flannel"].passed["routes"]
    record.graded(report("passed"), "g", course)
    assert record.progress()["flannel"].passed == {"routes": first}


def test_a_mark_carries_what_was_observed_and_by_which_check(record: Record, course: Course) -> None:
    record.graded(report("failed", 0), "generation", course)
    assert rows(record, "select lab, generation, checks from grading") == [
        ("flannel", "generation", checks_digest(REPO, "flannel"))
    ]
    ((evidence,),) = rows(record, "select evidence from result")
    assert '"en": "There is no route."' in str(evidence)


def test_a_changed_check_has_another_digest(tmp_path: Path) -> None:
    (tmp_path / "checks/flannel").mkdir(parents=True)
    check = tmp_path / "checks/flannel/test_flannel.py"
    check.write_text("assert True")
    before = checks_digest(tmp_path, "flannel")
    check.write_text("assert False")
    assert checks_digest(tmp_path, "flannel") != before


def test_what_happened_is_counted(record: Record) -> None:
    for kind in ("hint", "hint", "planted", "repaired", "reset", "started"):
        record.event(kind, "flannel", "x")
    progress = record.progress()["flannel"]
    assert (progress.hints, progress.faults, progress.resets) == (2, 1, 1)


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be taken for one" * 20])
def test_a_damaged_record_is_set_aside_and_stops_nothing(record: Record, content: bytes) -> None:
    record.file.parent.mkdir()
    record.file.write_bytes(content)
    record.event("hint", "flannel")
    assert record.progress()["flannel"].hints == 1
    kept = [file.read_bytes() for file in record.file.parent.glob("*.damaged-*")]
    assert kept == ([content] if content else [])


def test_several_writers_wait_for_each_other(record: Record) -> None:
    threads = [threading.Thread(target=record.event, args=["hint", "flannel"]) for __ in range(8)]
    list(map(threading.Thread.start, threads))
    list(map(threading.Thread.join, threads))
    assert record.progress()["flannel"].hints == 8


def test_only_this_user_can_read_it(record: Record) -> None:
    record.event("hint", "flannel")
    assert record.file.parent.stat().st_mode & 0o077 == 0


def test_a_record_that_is_in_use_is_not_taken_for_damaged(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    record.event("hint", "flannel")
    connect = sqlite3.connect
    monkeypatch.setattr("sqlite3.connect", lambda file, timeout=0.0: connect(file, timeout=0.1))
    with contextlib.closing(connect(record.file)) as database:
        database.execute("begin exclusive")
        with pytest.raises(sqlite3.OperationalError):
            record.event("hint", "flannel")
    assert list(record.file.parent.glob("*.damaged-*")) == []
