"""Solving: documented steps run in order, and stop at the first that fails, with all that is needed to see why."""

import io

import pytest

from labs.engine.course.steps import Step
from labs.engine.errors import LabError
from labs.engine.hosts.remote import Outcome
from labs.engine.solving import run_steps, title
from labs.engine.terminal.progress import Tasks
from tests.engine.fakes import FakeRemote

NODES = ("f0-13", "f0-14")
CONFIGURE = Step(1, "The network", ("f0-13",), None, "etcdctl put /config x\n", 20)
WRITE = Step(2, "A unit", NODES, "/etc/systemd/system/flanneld.service", "[Unit]\n", 40)
START = Step(3, "A unit", NODES, None, "sudo systemctl daemon-reload\nsudo systemctl start flanneld\n", 50)


def refusal(remote: FakeRemote, tasks: Tasks) -> LabError:
    with pytest.raises(LabError) as raised:
        run_steps([CONFIGURE, WRITE, START], remote, tasks)  # type: ignore[arg-type]
    return raised.value


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (CONFIGURE, "1. f0-13: etcdctl put /config x"),
        (WRITE, "2. f0-13, f0-14: writes /etc/systemd/system/flanneld.service"),
        (START, "3. f0-13, f0-14: sudo systemctl daemon-reload"),
    ],
)
def test_a_step_is_told_in_a_line(step: Step, expected: str) -> None:
    assert title(step) == expected


def test_steps_run_in_order_on_all_their_hosts(tasks: Tasks) -> None:
    remote = FakeRemote()
    run_steps([CONFIGURE, WRITE, START], remote, tasks)  # type: ignore[arg-type]
    assert remote.ran == [("f0-13", CONFIGURE.body), ("f0-13", START.body), ("f0-14", START.body)]
    assert remote.wrote == [(host, WRITE.path, "[Unit]\n") for host in NODES]


def test_each_step_is_shown_when_it_is_done(tasks: Tasks, said: io.StringIO) -> None:
    run_steps([CONFIGURE, WRITE], FakeRemote(), tasks)  # type: ignore[arg-type]
    assert [line.split(" 0.")[0] for line in said.getvalue().splitlines()] == [
        "✔ 1. f0-13: etcdctl put /config x",
        "✔ 2. f0-13, f0-14: writes /etc/systemd/system/flanneld.service",
    ]


def test_the_first_failure_is_told_with_host_command_and_output(tasks: Tasks) -> None:
    failed = Outcome("f0-14", 5, "Failed to start flanneld.service: Unit not found.\n")
    error = refusal(FakeRemote({("f0-14", START.body): failed}), tasks)
    assert error.message == (
        "Step 3 (line 50 of the page) failed on f0-14: exit status 5.\n"
        "It ran:\nsudo systemctl daemon-reload\nsudo systemctl start flanneld\n"
        "It said:\nFailed to start flanneld.service: Unit not found."
    )
    assert error.hint == "Look at the host: invoke host.ssh f0-14"


def test_nothing_runs_after_a_failure(tasks: Tasks) -> None:
    remote = FakeRemote({("f0-13", CONFIGURE.body): Outcome("f0-13", 1, "")})
    error = refusal(remote, tasks)
    assert error.message.endswith("It said:\nnothing")
    assert (remote.ran, remote.wrote) == ([("f0-13", CONFIGURE.body)], [])


def test_a_file_that_cannot_be_written_is_a_failure(tasks: Tasks) -> None:
    remote = FakeRemote({("f0-13", str(WRITE.path)): Outcome("f0-13", 1, "Read-only file system")})
    assert refusal(remote, tasks).message.startswith("Step 2 (line 40 of the page) failed on f0-13: exit status 1.")
