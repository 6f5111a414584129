"""The schema and the example on docs/reference/grading.md against what grading gives."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from labs.engine.course.fences import fences
from labs.engine.grading.report import ObjectiveResult, Report
from labs.engine.messages import verbatim
from tests.docs.pages import SUFFIXES, page

REPORT = Report(
    "flannel",
    (
        ObjectiveResult("network-config", verbatim("etcd holds it"), "passed", 10, 10, verbatim(""), None, 0.4211),
        ObjectiveResult(
            "subnets",
            verbatim("Each node has its lease"),
            "failed",
            0,
            20,
            verbatim("There is none."),
            verbatim("Who holds it?"),
            1.5,
        ),
        ObjectiveResult(
            "routes",
            verbatim("Straight to the node"),
            "blocked",
            0,
            15,
            verbatim("First: a lease"),
            verbatim("Ask the kernel."),
            0.0,
        ),
        ObjectiveResult(
            "supervised",
            verbatim("It comes back"),
            "error",
            0,
            10,
            verbatim("f0-14 does not answer."),
            verbatim("Who starts it?"),
            5.0,
        ),
    ),
    6.93,
).to_dict()


def _json(lang: str, title: str) -> Any:
    return json.loads(next(one.body for one in fences(page("reference/grading", lang)) if one.title == title))


def _titles(lang: str) -> list[str]:
    return [one.title for one in fences(page("reference/grading", lang)) if one.info.startswith("json")]


def _valid(lang: str, report: Any) -> bool:
    schema = _json(lang, "report.schema.json")
    Draft202012Validator.check_schema(schema)
    return bool(Draft202012Validator(schema).is_valid(report))


@pytest.mark.parametrize("lang", SUFFIXES)
def test_a_report_with_all_four_results_is_as_the_schema_says(lang: str) -> None:
    assert _valid(lang, REPORT)


@pytest.mark.parametrize("lang", SUFFIXES)
def test_every_json_block_but_the_schema_is_a_report(lang: str) -> None:
    examples = [title for title in _titles(lang) if title != "report.schema.json"]
    assert examples
    assert [title for title in examples if not _valid(lang, _json(lang, title))] == []


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize(
    "other",
    [
        REPORT | {"grade": "A"},
        {name: value for name, value in REPORT.items() if name != "seconds"},
        REPORT | {"objectives": [REPORT["objectives"][0] | {"result": "skipped"}]},
        REPORT | {"objectives": [REPORT["objectives"][0] | {"points": "10"}]},
    ],
    ids=["unknown field", "missing field", "unknown result", "points as text"],
)
def test_the_schema_refuses_what_is_no_report(other: dict[str, Any], lang: str) -> None:
    assert not _valid(lang, other)
