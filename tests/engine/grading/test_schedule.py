"""Objectives are graded as soon as they can be, side by side, and tried again while they may wait."""

import pytest

from tests.engine.grading.conftest import CHECKS, Grade, Write, evidence, lab, objective, results

TRIES = """
import pytest
from pathlib import Path
TRIES = Path({folder!r}) / "tries"

@pytest.fixture(scope="session")
def tries():
    TRIES.open("a").write("x")
    return len(TRIES.read_text())

@pytest.mark.objective("reachable")
def test_the_pod_answers(tries):
    assert tries >= {enough}, f"No answer at try {{tries}}."
"""
# Each probe waits until the other one runs as well: one after the other, neither would ever finish.
MEETING = """
import threading
import pytest
MEETING = threading.Barrier(2, timeout=20)

@pytest.fixture(scope="session")
def one(): MEETING.wait()

@pytest.fixture(scope="session")
def other(): MEETING.wait()

@pytest.mark.objective("reachable")
def test_one(one): pass

@pytest.mark.objective("address")
def test_other(other): pass
"""
NEVER = """
import threading
import pytest

@pytest.fixture(scope="session")
def never(): threading.Event().wait()

@pytest.mark.objective("reachable")
def test_one(): assert False, "No answer."

@pytest.mark.objective("address")
def test_other(never): pass
"""
WAITING = """
import pytest
from pathlib import Path
FOLDER = Path({folder!r})

@pytest.fixture(scope="session")
def first_told():
    (FOLDER / "first").touch()
    return (FOLDER / "second").exists()

@pytest.fixture(scope="session")
def second_told():
    (FOLDER / "second").touch()
    return (FOLDER / "first").exists()

@pytest.mark.objective("reachable")
def test_first(first_told): assert first_told, "alone"

@pytest.mark.objective("other")
def test_second(second_told): assert second_told, "alone"
"""


def test_a_failing_check_is_tried_again_with_fresh_probes(check: Write, run: Grade, repo: object) -> None:
    check(TRIES.format(folder=str(repo), enough=3))
    assert results(run(lab(objective("reachable", wait=20)))) == {"reachable": "passed"}


def test_waiting_ends_at_its_limit_with_the_last_evidence(check: Write, run: Grade, repo: object) -> None:
    check(TRIES.format(folder=str(repo), enough=1000))
    report = run(lab(objective("reachable", wait=3)))
    assert results(report) == {"reachable": "failed"}
    assert evidence(report.objectives[0]) != "No answer at try 1."


def test_an_error_is_not_tried_again(check: Write, run: Grade, repo: object) -> None:
    source = TRIES.format(folder=str(repo), enough=2).replace("return len", "raise OSError; return len")
    check(source)
    assert results(run(lab(objective("reachable", wait=60)))) == {"reachable": "error"}


def test_a_blocked_objective_is_not_waited_for(check: Write, run: Grade) -> None:
    check(CHECKS.format(reachable="assert False", address="pass"))
    waiting = lab(objective("reachable"), objective("address", after=("reachable",), wait=300))
    assert results(run(waiting)) == {"reachable": "failed", "address": "blocked"}


def test_probes_run_side_by_side(check: Write, run: Grade) -> None:
    check(MEETING)
    assert results(run(lab(objective("reachable"), objective("address")))) == dict.fromkeys(
        ("reachable", "address"), "passed"
    )


def test_probes_of_dependent_objectives_run_side_by_side_too(check: Write, run: Grade) -> None:
    check(MEETING)
    assert set(results(run()).values()) == {"passed"}


def test_the_probes_of_a_blocked_objective_are_not_waited_for(check: Write, run: Grade) -> None:
    check(NEVER)
    assert results(run(deadline=60)) == {"reachable": "failed", "address": "blocked"}


def test_objectives_that_wait_do_so_together(check: Write, run: Grade, repo: object) -> None:
    check(WAITING.format(folder=str(repo)))
    tested = lab(objective("reachable", wait=20), objective("other", wait=20))
    assert set(results(run(tested)).values()) == {"passed"}


@pytest.mark.parametrize("after", [(), ("reachable",)])
def test_only_grades_what_is_asked_for_whatever_it_comes_after(graded: Grade, after: tuple[str, ...]) -> None:
    report = graded(reachable="assert False", only=["address"])
    assert results(report) == {"address": "passed"}
    assert report.max_points == 60


LATE_PARENT = """
import pytest
from pathlib import Path
TRIES = Path({folder!r}) / "tries"

@pytest.fixture(scope="session")
def tries():
    TRIES.open("a").write("x")
    return len(TRIES.read_text())

@pytest.fixture(scope="session")
def seen(tries): return tries

@pytest.mark.objective("reachable")
def test_parent(tries): assert tries >= 2

@pytest.mark.objective("address")
def test_child(seen): assert seen >= {enough}
"""


@pytest.mark.parametrize(("enough", "wait"), [(2, 0), (4, 20)])
def test_a_child_sees_what_is_true_once_its_parent_has_passed_and_has_its_own_time(
    check: Write, run: Grade, repo: object, enough: int, wait: float
) -> None:
    check(LATE_PARENT.format(folder=str(repo), enough=enough))
    tested = lab(objective("reachable", wait=20), objective("address", after=("reachable",), wait=wait))
    assert results(run(tested)) == {"reachable": "passed", "address": "passed"}


def test_nothing_comes_after_an_objective_without_a_check(check: Write, run: Grade) -> None:
    check("import pytest\n@pytest.mark.objective('address')\ndef test_it(): pass\n")
    assert results(run()) == {"reachable": "error", "address": "blocked"}
