"""`lab.check`: which requests make sense, and what is shown of gradings that follow each other."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from labs.engine.errors import LabError
from labs.engine.grading.report import ObjectiveResult, Report, Result
from labs.engine.messages import verbatim
from labs.engine.terminal.check import Request, show, show_json
from labs.engine.terminal.progress import progress


def report(result: Result, evidence: str = "", seconds: float = 1) -> list[Report]:
    points = 10 if result == "passed" else 0
    objective = ObjectiveResult(
        "routes", verbatim("Routes"), result, points, 10, verbatim(evidence), verbatim("Look."), seconds
    )
    return [Report("flannel", (objective,), seconds)]


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


def shown(output: io.StringIO, *gradings: list[Report]) -> int:
    with progress("en", Console(file=io.StringIO())) as display:
        return show(Request(), iter(gradings), display, Console(file=output, width=80), "en")


@pytest.mark.parametrize(
    "wrong",
    [
        {"all": True, "lab": "flannel"},
        {"all": True, "only": ["routes"]},
        {"all": True, "junit": Path("r.xml")},
        {"watch": True, "junit": Path("r.xml")},
    ],
    ids=lambda wrong: " ".join(wrong),
)
def test_options_that_exclude_each_other_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(LabError) as raised:
        Request(**wrong)
    assert raised.value.code == "usage"


def test_the_last_grading_decides_on_the_exit_status(output: io.StringIO) -> None:
    assert shown(output, report("error"), report("failed"), report("passed")) == 0


@pytest.mark.parametrize(
    ("second", "times"),
    [
        (report("failed", "No route.", seconds=2), 1),
        (report("failed", "Another route."), 2),
        (report("passed"), 2),
    ],
    ids=["same", "other evidence", "other result"],
)
def test_a_report_is_shown_again_when_it_differs(output: io.StringIO, second: list[Report], times: int) -> None:
    shown(output, report("failed", "No route."), second)
    assert output.getvalue().count(" of 10 points") == times


@pytest.mark.parametrize(("everything", "kind"), [(False, dict), (True, list)])
def test_json_is_a_report_or_a_list_of_reports(
    capsys: pytest.CaptureFixture[str], everything: bool, kind: type[object]
) -> None:
    assert show_json(Request(all=everything), iter([report("failed")])) == 1
    assert isinstance(json.loads(capsys.readouterr().out), kind)
