"""Real hosts for the course's own tests: in a workspace and a network of their own, so that a learner's lab stays."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.engine.catalog import Lab
from labs.engine.grading import Report
from labs.engine.lab import Course
from labs.engine.progress import progress
from labs.engine.remote import Remote
from tests.course.watch import OutsideWatch

REPO = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("course")


@pytest.fixture(scope="session")
def workspace_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("F0_WORKSPACE", str(tmp_path_factory.mktemp("workspace") / "labs"))
        patch.setenv("F0_NETWORK", "192.168.157.0/24")
        yield


@pytest.fixture(scope="session")
def outside() -> Iterator[OutsideWatch]:
    """A watch on this machine's way out, from before the first host is made."""
    with OutsideWatch() as watch:
        yield watch


@pytest.fixture(scope="session")
def course(workspace_environment: None, outside: OutsideWatch) -> Iterator[Course]:
    with progress() as tasks:
        course = Course(REPO, tasks)
        try:
            yield course
        finally:
            course.down()


@pytest.fixture
def fresh(course: Course, lab: Lab) -> Course:
    """The course with hosts at the lab's starting state."""
    if course.running == lab.id:
        course.reset(lab.id)
    else:
        course.up(lab.id, switch=True)
    return course


@pytest.fixture
def solved(fresh: Course, lab: Lab) -> Course:
    """The course with the lab solved by its documented steps."""
    fresh.solve(lab.id)
    return fresh


@pytest.fixture
def run(course: Course) -> Iterator[Callable[[str, str], str]]:
    """Run a script on a host as the learner would, and return what it printed, without surrounding blanks."""
    with Remote(course.workspace) as remote:

        def on(host: str, script: str) -> str:
            outcome = remote.run(host, script, seconds=60)
            assert outcome.status == 0, f"{host}: {script}\n{outcome.output}"
            return outcome.output.strip()

        yield on


def results(report: Report) -> dict[str, str]:
    return {one.id: one.result for one in report.objectives}
