"""Events: what subscribers are told of tasks, notes and grades."""

import pytest

from labs.engine.events import Done, Event, Events, Failed, Graded, Noted, Started
from labs.engine.messages import _


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def events(told: list[Event]) -> Events:
    return Events(told.append)


def test_a_task_starts_and_is_done(events: Events, told: list[Event]) -> None:
    with events.task(_("Removing the hosts")):
        assert [type(event) for event in told] == [Started]
    assert [type(event) for event in told] == [Started, Done]


@pytest.mark.parametrize("error", [ValueError("why"), KeyboardInterrupt()])
def test_a_task_that_raises_has_failed(events: Events, told: list[Event], error: BaseException) -> None:
    with pytest.raises(type(error)), events.task(_("Removing the hosts")):
        raise error
    assert [type(event) for event in told] == [Started, Failed]


def test_two_tasks_of_the_same_title_are_two(events: Events, told: list[Event]) -> None:
    with events.task(_("Removing the hosts")), events.task(_("Removing the hosts")):
        pass
    first, second = (event.task for event in told if isinstance(event, Started))
    assert first != second


def test_notes_and_grades_are_passed_on_in_order(events: Events, told: list[Event]) -> None:
    graded = Graded("flannel", "routes", "passed")
    events.note(_("There are no hosts."))
    events.emit(graded)
    assert told == [Noted(_("There are no hosts.")), graded]


def test_every_subscriber_is_told() -> None:
    first: list[Event] = []
    second: list[Event] = []
    Events(first.append, second.append).note(_("There are no hosts."))
    assert first == second == [Noted(_("There are no hosts."))]


def test_events_without_subscriber_are_lost() -> None:
    with Events().task(_("Removing the hosts")):
        pass
