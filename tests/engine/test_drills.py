"""Drills: a documented fault is planted in a solved lab, and repaired again."""

import pytest

from labs.engine.errors import LabError
from labs.engine.hosts.remote import CommandResult
from labs.engine.session import Session
from tests.engine.story import Stage, refused


@pytest.fixture(autouse=True)
def hosts(stage: Stage) -> None:
    stage.up("first")


def test_the_first_fault_is_planted_by_default(session: Session, stage: Stage) -> None:
    assert session.plant("first").title.en == "A route is lost"
    assert stage.world.ran == [("f0-13", "ip route flush"), ("f0-14", "ip route flush")]


def test_an_unknown_fault_suggests_the_nearest(session: Session) -> None:
    with pytest.raises(LabError) as raised:
        session.plant("first", "lost-rout")
    message = "There is no fault 'lost-rout' in the lab 'first'. Did you mean 'lost-route'?"
    assert refused(raised) == ("unknown-name", message)


def test_a_lab_without_faults_can_not_be_broken(session: Session, stage: Stage) -> None:
    stage.up("apart")
    with pytest.raises(LabError) as raised:
        session.plant("apart")
    assert refused(raised) == ("nothing-to-do", "The lab 'apart' has no faults to plant.")


def test_a_fault_that_a_host_refuses_is_reported(session: Session, stage: Stage) -> None:
    stage.world.answers[("f0-14", "ip route flush")] = CommandResult("f0-14", 1, "Operation not permitted\n")
    with pytest.raises(LabError) as raised:
        session.plant("first")
    message = "The fault 'lost-route' could not be planted on f0-14:\nOperation not permitted"
    assert refused(raised) == ("fault-failed", message)


def test_the_fault_planted_last_is_repaired_by_default(session: Session, stage: Stage) -> None:
    session.plant("first")
    assert session.repair("first").id == "lost-route"
    assert stage.world.ran[2:] == [("f0-13", "ip route add")]
    with pytest.raises(LabError) as raised:
        session.repair("first")
    assert refused(raised) == ("nothing-to-do", "No fault is planted in the lab 'first'.")


def test_a_fault_that_was_not_planted_here_is_repaired_when_it_is_named(session: Session, stage: Stage) -> None:
    session.repair("first", "lost-route")
    assert stage.world.ran == [("f0-13", "ip route add")]


def test_a_fault_whose_repair_fails_stays_planted(session: Session, stage: Stage) -> None:
    session.plant("first")
    stage.world.answers[("f0-13", "ip route add")] = CommandResult("f0-13", 1, "Operation not permitted\n")
    with pytest.raises(LabError) as raised:
        session.repair("first")
    assert str(raised.value).startswith("The fault 'lost-route' could not be repaired on f0-13")
    stage.world.answers.clear()
    assert session.repair("first").id == "lost-route"
