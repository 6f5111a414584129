"""A lab of two objectives, and checks for it in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from labs.engine.course.lab_files import Lab, Needs, Objective, Text
from labs.engine.events import Events
from labs.engine.grading.report import ObjectiveResult, Report
from labs.engine.grading.run import grade

Write = Callable[[str], None]
Grade = Callable[..., Report]

CHECKS = """
import pytest

@pytest.mark.objective("reachable")
def test_the_pod_answers():
    {reachable}

@pytest.mark.objective("address")
def test_the_pod_keeps_its_address():
    {address}
"""


def lab(*objectives: Objective) -> Lab:
    return Lab(
        id="demo",
        title=Text(en="Demo", zh="示范"),
        summary=Text(en="A lab.", zh="一个实验。"),
        minutes=5,
        needs=Needs(components=[]),
        objectives=list(objectives),
        faults=[],
        path=Path("labs/demo"),
    )


def objective(id: str, points: int = 10, after: tuple[str, ...] = (), wait: float = 0) -> Objective:
    return Objective(
        id=id,
        title=Text(en=f"the {id}", zh=f"目标 {id}"),
        points=points,
        after=list(after),
        hints=[Text(en=f"hint for {id}", zh=f"提示 {id}"), Text(en="more", zh="更多")],
        wait=wait,
    )


DEMO = lab(objective("reachable", 40), objective("address", 60, after=("reachable",)))


def results(report: Report) -> dict[str, str]:
    return {each.id: each.result for each in report.objectives}


def evidence(result: ObjectiveResult) -> str:
    return result.evidence.of("en")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "checks" / "demo").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def check(repo: Path) -> Write:
    def write(source: str) -> None:
        (repo / "checks/demo/test_demo.py").write_text(source, encoding="utf-8")

    return write


@pytest.fixture
def run(repo: Path) -> Grade:
    """Grades a lab by the checks that are there."""

    def graded(tested: Lab = DEMO, events: Events | None = None, **options: object) -> Report:
        return grade(tested, repo, repo / "ssh_config", events or Events(), **options)  # type: ignore[arg-type]

    return graded


@pytest.fixture
def graded(run: Grade, check: Write) -> Grade:
    """Grades the demo lab by checks of these bodies."""

    def write_and_run(reachable: str = "pass", address: str = "pass", **options: object) -> Report:
        check(CHECKS.format(reachable=reachable, address=address))
        return run(**options)

    return write_and_run
