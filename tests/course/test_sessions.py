"""Sessions on real hosts: side by side, with gradings that are killed or overtaken, stopped hosts, moved folders."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from labs.engine.course.lab_files import Lab
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.hosts.provider import HostState
from labs.engine.session import Session
from labs.engine.settings import Settings
from labs.engine.waiting import wait_until
from labs.engine.workspace import Workspace
from tests.course.conftest import COURSE, LABS, REPO, Stage, results

FLANNEL = LABS[0]
INVOKE = Path(sys.executable).with_name("invoke")
pytestmark = pytest.mark.parametrize("lab", [FLANNEL], ids=[FLANNEL.id], scope="module")


@pytest.fixture
def other(settings: Settings, tmp_path: Path) -> Iterator[Session]:
    """A second session of this process: a workspace, settings and a network of its own."""
    own = settings.model_copy(update={"workspace": tmp_path / "other", "network": "192.168.158.0/24"})
    session = Session(COURSE, Workspace.of(REPO, own), own, Events())
    yield session
    session.down()


def test_two_sessions_are_up_and_graded_at_the_same_time(
    stage: Stage, session: Session, other: Session, lab: Lab
) -> None:
    stage.leave()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: each.up(lab.id), (session, other)))
        session.solve(lab.id)
        first, second = pool.map(lambda each: each.check(lab.id), (session, other))
    assert set(results(first).values()) == {"passed"}
    assert (second.points, set(results(second).values()) <= {"failed", "blocked"}) == (0, True)
    other.down()
    assert session.check(lab.id).exit_code == 0
    stage.left(lab, solved=True)


def test_a_grading_that_is_killed_in_the_middle_is_an_error(kept: Session, lab: Lab) -> None:
    def grader() -> psutil.Process | None:
        return next((each for each in _graders() if each.ppid() == os.getpid()), None)

    with ThreadPoolExecutor(1) as pool:
        report = pool.submit(kept.check, lab.id)
        assert wait_until(lambda: grader() or report.done(), 30, pause=0.01)
        process = grader()
        assert process, "The grading was over before it could be killed."
        process.kill()
        assert report.result().exit_code == 2
    assert "failed" not in results(report.result()).values()


def test_a_reset_during_a_check_leaves_no_result_of_the_old_hosts(solved: Session, lab: Lab) -> None:
    begun, over = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        begun.set()
        over.wait(120)

    watched = Session(COURSE, solved.workspace, solved.settings, Events(hold))
    with ThreadPoolExecutor(1) as pool:
        report = pool.submit(watched.check, lab.id)
        assert begun.wait(60)
        solved.reset()
        over.set()
        assert set(results(report.result()).values()) == {"error"}


def test_optimised_python_gives_no_points(fresh: Session, lab: Lab, stage: Stage) -> None:
    environment = {**os.environ, "PYTHONOPTIMIZE": "2"}
    command = [str(INVOKE), "lab.check", lab.id, "--json"]
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True)
    assert done.returncode in (1, 2), done.stdout
    assert '"result": "passed"' not in done.stdout
    stage.left(lab)


def test_stopped_hosts_are_started_together_with_the_learners_work(
    solved: Session, lab: Lab, stage: Stage, run: Callable[[str, str], str]
) -> None:
    run("f0-13", "echo mine | sudo tee /root/notes")
    provider = solved.provider
    provider.stop(solved.topology.names)
    assert set(provider.states().values()) == {HostState.STOPPED}
    with pytest.raises(LabError, match="these hosts are stopped"):
        solved.up(lab.id)
    solved.start()
    assert set(results(solved.check(lab.id)).values()) == {"passed"}
    assert run("f0-13", "sudo cat /root/notes") == "mine"


def test_a_checkout_that_was_moved_finds_its_hosts(solved: Session, lab: Lab, settings: Settings, stage: Stage) -> None:
    stage.leave()
    place = solved.workspace.root
    moved = settings.model_copy(update={"workspace": place.with_name("moved")})
    shutil.move(place, place.with_name("moved"))
    shutil.move(solved.workspace.record, place.with_name("moved-record"))
    session = Session(COURSE, Workspace.of(REPO, moved), moved, Events())
    try:
        assert {host.state for host in session.status().hosts} == {HostState.RUNNING}
        assert session.check(lab.id).exit_code == 0
    finally:
        session.down()
    assert set(solved.provider.states().values()) == {HostState.ABSENT}


def test_ctrl_c_in_a_grading_leaves_no_process(kept: Session, lab: Lab) -> None:
    process = subprocess.Popen([INVOKE, "lab.check", lab.id, "--watch"], cwd=REPO, stderr=subprocess.DEVNULL)
    children = psutil.Process(process.pid).children
    assert wait_until(lambda: process.poll() is not None or children(recursive=True), 30)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert wait_until(lambda: not _graders(), 10)


def _graders() -> list[psutil.Process]:
    """Return the grader processes that run on this machine; one that is dead but not buried counts no more."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "labs.engine.grading" in process.cmdline():
                found.append(process)
    return found
