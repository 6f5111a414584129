"""Solving: documented steps run in order, and stop at the first that fails, with all that is needed to see why."""

from typing import cast

import pytest

from labs.engine.course.steps import Step
from labs.engine.errors import LabError
from labs.engine.events import Done, Event, Events
from labs.engine.hosts.remote import CommandResult, Remote
from labs.engine.solving import run_steps, title
from tests.engine.fake_provider import FakeRemote, World

NODES = ("f0-13", "f0-14")
CONFIGURE = Step(1, "The network", ("f0-13",), None, "etcdctl put /config x\n", 20)
WRITE = Step(2, "A unit", NODES, "/etc/systemd/system/flanneld.service", "[Unit]\n", 40)
START = Step(3, "A unit", NODES, None, "sudo systemctl daemon-reload\nsudo systemctl start flanneld\n", 50)


@pytest.fixture
def world() -> World:
    return World()


def run(world: World, *steps: Step, events: Events | None = None) -> None:
    run_steps(steps, cast(Remote, FakeRemote(world)), events or Events())


def refusal(world: World, *steps: Step) -> LabError:
    with pytest.raises(LabError) as raised:
        run(world, *steps)
    assert raised.value.code == "step-failed"
    return raised.value


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (CONFIGURE, "1. f0-13: etcdctl put /config x"),
        (WRITE, "2. f0-13, f0-14: writes /etc/systemd/system/flanneld.service"),
        (START, "3. f0-13, f0-14: sudo systemctl daemon-reload"),
    ],
)
def test_a_step_has_a_title_of_one_line(step: Step, expected: str) -> None:
    assert title(step).of("en") == expected


def test_steps_run_in_order_on_all_their_hosts(world: World) -> None:
    run(world, CONFIGURE, WRITE, START)
    assert world.ran == [
        ("f0-13", CONFIGURE.body),
        *((host, f"write {WRITE.path}") for host in NODES),
        *((host, START.body) for host in NODES),
    ]


def test_subscribers_hear_of_each_step(world: World) -> None:
    events: list[Event] = []
    run(world, CONFIGURE, WRITE, events=Events(events.append))
    assert [event.task.title for event in events if isinstance(event, Done)] == [title(CONFIGURE), title(WRITE)]


def test_the_first_failure_is_reported_with_host_command_and_output(world: World) -> None:
    output = "Failed to start flanneld.service: Unit not found.\n"
    world.answers[("f0-14", START.body)] = CommandResult("f0-14", 5, output)
    error = refusal(world, CONFIGURE, START)
    assert str(error) == (
        "Step 3 (line 50 of the page) failed on f0-14 with exit status 5.\n"
        "It ran:\nsudo systemctl daemon-reload\nsudo systemctl start flanneld\n"
        "It printed:\nFailed to start flanneld.service: Unit not found."
    )
    assert str(error.hint) == "Look at the host: invoke host.ssh f0-14"


def test_nothing_runs_after_a_failure(world: World) -> None:
    world.answers[("f0-13", CONFIGURE.body)] = CommandResult("f0-13", 1, "")
    assert str(refusal(world, CONFIGURE, WRITE, START)).endswith("It printed:\nnothing")
    assert world.ran == [("f0-13", CONFIGURE.body)]


def test_a_file_that_can_not_be_written_is_a_failure(world: World) -> None:
    world.answers[("f0-13", f"write {WRITE.path}")] = CommandResult("f0-13", 1, "Read-only file system")
    assert str(refusal(world, WRITE)).startswith("Step 2 (line 40 of the page) failed on f0-13 with exit status 1.")
