"""Reports: what people see on a terminal and programs read as JSON."""

import io
import json

import pytest
from rich.console import Console

from labs.engine.grading.report import ObjectiveResult, Report, Result
from labs.engine.messages import verbatim
from labs.engine.terminal.report import render, to_json


def objective(id: str, result: Result, evidence: str = "") -> ObjectiveResult:
    points = 10 if result == "passed" else 0
    hint = verbatim(f"hint for {id}")
    return ObjectiveResult(id, verbatim(f"The {id}"), result, points, 10, verbatim(evidence), hint, 0.5)


PASSED = objective("config", "passed")
FAILED = objective("routes", "failed", "There is [no] route.")
BLOCKED = objective("pods", "blocked", "First: The routes")
ERROR = objective("routes", "error", "f0-14 does not answer.")


def shown(*objectives: ObjectiveResult, lang: str = "en") -> str:
    console = Console(file=io.StringIO(), width=80)
    render([Report("demo", objectives, 3.21)], console, lang)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("graded", "line"),
    [(PASSED, "✔ The config"), (FAILED, "✘ The routes"), (BLOCKED, "• The pods"), (ERROR, "! The routes")],
)
def test_every_result_has_its_mark(graded: ObjectiveResult, line: str) -> None:
    assert shown(graded).startswith(line)


def test_evidence_stands_under_its_objective_to_the_letter() -> None:
    lines = shown(PASSED, FAILED).splitlines()
    assert lines[0].split() == ["✔", "The", "config", "10/10"]
    assert lines[1].split() == ["✘", "The", "routes", "0/10"]
    assert lines[2].strip() == "There is [no] route."


def test_points_and_seconds_are_summed_up() -> None:
    assert "10 of 30 points, 3.2 s" in shown(PASSED, FAILED, BLOCKED)


def test_only_the_first_objective_not_passed_gets_its_hint() -> None:
    text = shown(PASSED, FAILED, BLOCKED)
    assert "What to look at next: The routes\n  hint for routes\n" in text
    assert "invoke lab.hint demo" in text
    assert "hint for pods" not in text


def test_an_error_costs_no_points_and_gives_no_hint() -> None:
    text = shown(PASSED, ERROR)
    assert "Could not be graded; no points lost." in text
    assert "hint for" not in text


def test_a_full_score_is_announced() -> None:
    assert "All objectives passed." in shown(PASSED)


def test_chinese_learners_read_chinese() -> None:
    text = shown(PASSED, FAILED, lang="zh")
    assert "10 / 20 分，用时 3.2 秒" in text
    assert "接下来看这里：The routes" in text


def test_json_is_the_report_as_data() -> None:
    report = Report("demo", (PASSED, FAILED), 3.217)
    data = json.loads(to_json(report))
    assert (data["lab"], data["points"], data["max_points"], data["seconds"]) == ("demo", 10, 20, 3.22)
    assert data["schema"] == 2
    assert data["objectives"][1]["evidence"] == {"en": "There is [no] route.", "zh": "There is [no] route."}
    assert [each["result"] for each in data["objectives"]] == ["passed", "failed"]


@pytest.mark.parametrize(
    ("objectives", "code"),
    [((PASSED,), 0), ((PASSED, FAILED), 1), ((FAILED, BLOCKED), 1), ((FAILED, ERROR), 2), ((), 1)],
)
def test_exit_codes(objectives: tuple[ObjectiveResult, ...], code: int) -> None:
    assert Report("demo", objectives, 0).exit_code == code


def test_several_labs_are_shown_one_after_the_other_with_all_points_at_the_end() -> None:
    console = Console(file=io.StringIO(), width=80)
    render([Report("first", (PASSED,), 1.0), Report("second", (FAILED,), 2.0)], console, "en")
    assert isinstance(console.file, io.StringIO)
    output = console.file.getvalue()
    assert output.index("first ─") < output.index("The config") < output.index("second ─") < output.index("The routes")
    assert output.splitlines()[-1] == "10 of 20 points, 3.0 s"


def test_several_reports_are_a_list_of_json_objects() -> None:
    assert [each["lab"] for each in json.loads(to_json([Report("a", (PASSED,), 1), Report("b", (FAILED,), 1)]))] == [
        "a",
        "b",
    ]
