"""Real hosts for the course's own tests: in a workspace and a network of their own, so that a learner's lab stays."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.engine.course.catalog import Lab, load_catalog
from labs.engine.grading.run import Report
from labs.engine.hosts.remote import Remote
from labs.engine.session import Course
from labs.engine.terminal.progress import progress
from tests.course.watch import OutsideWatch

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
LABS = list(load_catalog(REPO).labs.values())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("course")
    names = {"test_labs.py", *(f"test_{lab.id}.py" for lab in LABS)}
    places = [place for place, item in enumerate(items) if item.path.parent == HERE and item.path.name in names]
    for place, item in zip(places, sorted((items[place] for place in places), key=_lab_and_place), strict=True):
        items[place] = item


def _lab_and_place(item: pytest.Item) -> tuple[int, bool, bool, int]:
    """All tests of one lab after each other, those of its own file last but for the reset: other hosts cost time."""
    lab: Lab = vars(item)["callspec"].params["lab"]
    return LABS.index(lab), item.name.startswith("test_reset_"), item.path.name != "test_labs.py", item.location[1] or 0


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


class Stage:
    """What the hosts are at, so that tests which leave them as they got them can share them."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._known: tuple[object, ...] = ()

    def bring(self, lab: Lab, *, solved: bool = False) -> Course:
        """Bring the hosts to the lab's starting state, or its end; a test may then do anything to them."""
        if self._now(lab, solved=solved) != self._known:
            if not solved or self._now(lab, solved=False) != self._known:
                self._start(lab)
            if solved:
                self._course.solve(lab.id)
        self._known = ()
        return self._course

    def left(self, lab: Lab, *, solved: bool = False) -> None:
        """Say at the end of a test that the hosts are at the lab's starting state, or its end."""
        self._known = self._now(lab, solved=solved)

    def _now(self, lab: Lab, *, solved: bool) -> tuple[object, ...]:
        return (lab.id, solved, *sorted(str(one.id) for one in self._course.engine.containers()))

    def _start(self, lab: Lab) -> None:
        if self._course.running == lab.id:
            self._course.reset(lab.id)
        else:
            self._course.up(lab.id, switch=True)


@pytest.fixture(scope="session")
def stage(course: Course) -> Stage:
    """What the hosts are at."""
    return Stage(course)


@pytest.fixture
def fresh(stage: Stage, lab: Lab) -> Course:
    """The course with hosts at the lab's starting state."""
    return stage.bring(lab)


@pytest.fixture
def solved(stage: Stage, lab: Lab) -> Course:
    """The course with the lab solved by its documented steps."""
    return stage.bring(lab, solved=True)


@pytest.fixture
def kept(solved: Course, lab: Lab, stage: Stage) -> Iterator[Course]:
    """The same, for tests that leave it so."""
    yield solved
    stage.left(lab, solved=True)


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
