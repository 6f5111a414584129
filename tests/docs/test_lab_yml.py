"""docs/reference/lab-yml.md against the models that read the files it describes."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from labs.engine.course.fences import fences
from labs.engine.course.lab_files import Command, Fault, LabFile, Needs, Objective, Text
from tests.docs.pages import SUFFIXES, first_columns, page

# The models in the order of their tables. A Text has no table: the page shows one.
TABLES = (LabFile, Needs, Objective, Fault, Command)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for argument in get_args(annotation):
        yield from _models(argument)


def _example(lang: str, title: str) -> Any:
    body = next(fence.body for fence in fences(page("reference/lab-yml", lang)) if fence.title == title)
    return yaml.safe_load(body)


def test_no_model_is_left_out() -> None:
    assert {*_models(LabFile), *_models(Fault)} == {*TABLES, Text}


@pytest.mark.parametrize("lang", SUFFIXES)
def test_every_field_is_documented_and_no_other_is(lang: str) -> None:
    documented = first_columns(page("reference/lab-yml", lang).read_text())
    assert documented == [list(model.model_fields) for model in TABLES]


@pytest.mark.parametrize("lang", SUFFIXES)
def test_a_text_is_shown_with_every_field(lang: str) -> None:
    assert list(_example(lang, "A text")["title"]) == list(Text.model_fields)


@pytest.mark.parametrize("lang", SUFFIXES)
def test_the_examples_are_valid(lang: str) -> None:
    lab = LabFile.model_validate(_example(lang, "labs/example/lab.yml"))
    fault = Fault.model_validate(_example(lang, "labs/example/faults/port-closed.yml"))
    assert set(fault.fails) <= {objective.id for objective in lab.objectives}
