"""Grading the hosts of a session: what counts, what is recorded, and what a reset overtakes."""

from pathlib import Path

import pytest

from labs.engine.events import Graded
from labs.engine.session import Session
from tests.engine.story import Stage

PASSES = """\
import pytest
from pathlib import Path

@pytest.mark.objective("routes")
def test_routes() -> None:
    assert Path({file!r}).exists(), "There is no route."
"""
RESETS = """\
import json
import pytest
from pathlib import Path

@pytest.mark.objective("routes")
def test_routes() -> None:
    file = Path({state!r})
    file.write_text(json.dumps(json.loads(file.read_text()) | {{"generation": "another"}}))
"""


@pytest.fixture
def route(stage: Stage, tmp_path: Path) -> Path:
    """The file that the check of this lab looks for: there is a route when it exists."""
    file = tmp_path / "route"
    (stage.repo / "checks/first/test_first.py").write_text(PASSES.format(file=str(file)))
    stage.up("first")
    return file


def test_a_lab_is_graded_objective_by_objective(session: Session, stage: Stage, route: Path) -> None:
    report = session.check("first")
    assert [(each.id, each.result) for each in report.objectives] == [("routes", "failed")]
    assert Graded("first", "routes", "failed") in stage.events


def test_a_lab_that_the_running_one_builds_on_is_graded(session: Session, stage: Stage, route: Path) -> None:
    stage.up("second")
    route.touch()
    assert session.check("first").exit_code == 0


def test_an_objective_without_a_check_is_an_error(session: Session, stage: Stage) -> None:
    stage.up("first")
    assert session.check("first").exit_code == 2


def test_points_once_reached_stay_in_the_grade_record(session: Session, route: Path) -> None:
    route.touch()
    session.check("first")
    route.unlink()
    session.check("first")
    assert session.status().progress["first"].points == 100


def test_a_grading_that_a_reset_overtakes_is_an_error_and_not_recorded(
    session: Session, stage: Stage, route: Path
) -> None:
    state = stage.workspace.state_file
    (stage.repo / "checks/first/test_first.py").write_text(RESETS.format(state=str(state)))
    report = session.check("first")
    assert [(each.result, each.points) for each in report.objectives] == [("error", 0)]
    assert str(report.objectives[0].evidence).startswith("The hosts were reset")
    assert session.status().progress.get("first") is None


def test_several_labs_are_graded_at_once(session: Session, stage: Stage, route: Path) -> None:
    stage.up("second")
    assert [report.lab for report in session.check_all(["first", "second"])] == ["first", "second"]


def test_watching_ends_when_everything_has_passed(session: Session, route: Path) -> None:
    rounds = session.watch(["first"])
    next(rounds)
    route.touch()
    assert [report.exit_code for report in next(rounds)] == [0]
    assert next(rounds, None) is None
