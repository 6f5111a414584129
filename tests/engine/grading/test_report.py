"""The report: ids and both languages, as data."""

from labs.engine.grading.report import SCHEMA
from tests.engine.grading.conftest import Grade


def test_it_has_the_documented_keys(graded: Grade) -> None:
    data = graded().to_dict()
    assert list(data) == ["schema", "lab", "points", "max_points", "seconds", "objectives"]
    assert list(data["objectives"][0]) == [
        *("id", "title", "result", "points", "max_points", "evidence", "hint", "seconds"),
    ]
    assert data["schema"] == SCHEMA


def test_texts_are_in_both_languages(graded: Grade) -> None:
    first, second = graded(reachable="assert False, 'No answer.'").to_dict()["objectives"]
    assert first["title"] == {"en": "the reachable", "zh": "目标 reachable"}
    assert first["hint"] == {"en": "hint for reachable", "zh": "提示 reachable"}
    assert second["evidence"] == {"en": "First: the reachable", "zh": "请先完成：目标 reachable"}


def test_a_passed_objective_has_no_hint(graded: Grade) -> None:
    assert graded().to_dict()["objectives"][0]["hint"] is None


def test_a_newer_report_replaces_what_it_graded_again(graded: Grade) -> None:
    first = graded(address="assert False, 'not yet'")
    assert first.open == ("address",)
    assert first.updated(graded(only=first.open)).exit_code == 0
