"""Hints: each call goes one step further."""

import pytest

from labs.engine.errors import LabError
from labs.engine.session import Session
from tests.engine.story import Stage, refused


def test_hints_go_one_step_further_each_time_and_end_with_the_last(session: Session, stage: Stage) -> None:
    stage.up("first")
    hints = [session.hint("first", "routes") for _ in range(3)]
    assert [(hint.step, hint.of, hint.text.of("en")) for hint in hints] == [
        (1, 2, "Look."),
        (2, 2, "Look closer."),
        (2, 2, "Look closer."),
    ]


def test_hints_need_no_hosts(session: Session, stage: Stage) -> None:
    assert session.hint("first", "routes").text.of("zh") == "看。"
    assert not stage.workspace.root.exists()


def test_objectives_of_the_same_name_have_hints_of_their_own(session: Session, stage: Stage) -> None:
    stage.up("second")
    session.hint("first", "routes")
    assert session.hint("second", "routes").step == 1


def test_an_unknown_objective_suggests_the_nearest(session: Session) -> None:
    with pytest.raises(LabError) as raised:
        session.hint("first", "route")
    assert refused(raised) == (
        "unknown-name",
        "There is no objective 'route' in the lab 'first'. Did you mean 'routes'?",
    )


def test_hints_that_were_taken_are_in_the_grade_record(session: Session) -> None:
    session.hint("first", "routes")
    assert session.status().progress["first"].hints == 1
