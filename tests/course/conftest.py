"""Real hosts for the course's own tests: in a workspace and a network of their own, so that a learner's lab stays."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.engine.course.course import load_course
from labs.engine.course.lab_files import Lab
from labs.engine.docker_client import connect
from labs.engine.grading.report import Report
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.remote import Remote
from labs.engine.session import Session
from labs.engine.settings import Settings, read_settings
from labs.engine.terminal.progress import progress
from labs.engine.workspace import Workspace
from tests.course.watch import OutsideWatch

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
NETWORK = "192.168.157.0/24"
COURSE = load_course(REPO)
LABS = list(COURSE.catalog.labs.values())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("course")
    names = {"test_labs.py", "test_sessions.py", *(f"test_{lab.id}.py" for lab in LABS)}
    places = [place for place, item in enumerate(items) if item.path.parent == HERE and item.path.name in names]
    for place, item in zip(places, sorted((items[place] for place in places), key=_lab_and_place), strict=True):
        items[place] = item


def _lab_and_place(item: pytest.Item) -> tuple[int, bool, bool, int]:
    """All tests of one lab after each other, those of its own file last but for the reset: other hosts cost time."""
    lab: Lab = vars(item)["callspec"].params["lab"]
    return LABS.index(lab), item.name.startswith("test_reset_"), item.path.name != "test_labs.py", item.location[1] or 0


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A workspace and a network of these tests, for this process and for the commands that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("F0_WORKSPACE", str(tmp_path_factory.mktemp("workspace") / "labs"))
        patch.setenv("F0_NETWORK", NETWORK)
        yield read_settings()


@pytest.fixture(scope="session")
def outside() -> Iterator[OutsideWatch]:
    """A watch on this machine's way out, from before the first host is made."""
    with OutsideWatch() as watch:
        yield watch


@pytest.fixture(scope="session")
def session(settings: Settings, outside: OutsideWatch) -> Iterator[Session]:
    """The hosts that these tests share."""
    with progress(settings.language) as events:
        session = Session(COURSE, Workspace.of(REPO, settings), settings, events)
        try:
            yield session
        finally:
            session.down()


@pytest.fixture(scope="session")
def engine(session: Session) -> Engine:
    """What the workspace of these tests has in the Docker engine."""
    return Engine(connect(), session.workspace.name)


class Stage:
    """What the hosts are at, so that tests which leave them as they got them can share them."""

    def __init__(self, session: Session, engine: Engine) -> None:
        self._session, self._engine = session, engine
        self._known: tuple[object, ...] = ()

    def bring(self, lab: Lab, *, solved: bool = False) -> Session:
        """Bring the hosts to the lab's starting state, or its end; a test may then do anything to them."""
        if self._now(lab, solved=solved) != self._known:
            if not solved or self._now(lab, solved=False) != self._known:
                self._start(lab)
            if solved:
                self._session.solve(lab.id)
        self._known = ()
        return self._session

    def any(self, lab: Lab) -> Session:
        """Have hosts that are up for the lab, in whatever state the last test left them."""
        if self._session.running != lab.id:
            self._start(lab)
        self._known = ()
        return self._session

    def left(self, lab: Lab, *, solved: bool = False) -> None:
        """Say at the end of a test that the hosts are at the lab's starting state, or its end."""
        self._known = self._now(lab, solved=solved)

    def leave(self) -> None:
        """Say that a test makes hosts of its own."""
        self._known = ()

    def _now(self, lab: Lab, *, solved: bool) -> tuple[object, ...]:
        return (lab.id, solved, *sorted(str(container.id) for container in self._engine.containers().values()))

    def _start(self, lab: Lab) -> None:
        if self._session.running == lab.id:
            self._session.reset(lab.id)
        else:
            self._session.up(lab.id, switch=True)


@pytest.fixture(scope="session")
def stage(session: Session, engine: Engine) -> Stage:
    """What the hosts are at."""
    return Stage(session, engine)


@pytest.fixture
def fresh(stage: Stage, lab: Lab) -> Session:
    """A session with hosts at the lab's starting state."""
    return stage.bring(lab)


@pytest.fixture
def solved(stage: Stage, lab: Lab) -> Session:
    """A session with the lab solved by its documented steps."""
    return stage.bring(lab, solved=True)


@pytest.fixture
def used(stage: Stage, lab: Lab) -> Session:
    """A session with hosts in whatever state the last test left them."""
    return stage.any(lab)


@pytest.fixture
def kept(solved: Session, lab: Lab, stage: Stage) -> Iterator[Session]:
    """The same, for tests that leave it so."""
    yield solved
    stage.left(lab, solved=True)


@pytest.fixture
def run(session: Session) -> Iterator[Callable[[str, str], str]]:
    """Run a script on a host as the learner would, and return what it printed, without surrounding blanks."""
    with Remote(session.workspace.ssh_config) as remote:

        def on(host: str, script: str) -> str:
            result = remote.run(host, script, seconds=60)
            assert result.status == 0, f"{host}: {script}\n{result.output}"
            return result.output.strip()

        yield on


def results(report: Report) -> dict[str, str]:
    return {objective.id: objective.result for objective in report.objectives}
