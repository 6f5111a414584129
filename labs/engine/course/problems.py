"""What is wrong with a YAML file, in sentences for its author."""

from dataclasses import dataclass

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from labs.engine.nearest import nearest

Location = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """A problem in a line of a file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def sentence(place: Location, detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Return what pydantic found wrong at a place of a file that describes a `model`."""
    where = ".".join(str(step) for step in place)
    name = str(place[-1]) if place else ""
    if detail["type"] == "extra_forbidden":
        return f"unknown key '{where}'.{nearest(name, _all_fields(model))}"
    if detail["type"] == "missing":
        return f"'{where}' is missing"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] in ("model_type", "dict_type"):
        message = "must be a mapping of keys to values"
    if detail["type"] == "union_tag_invalid":
        message = f"unknown kind '{detail['ctx']['tag']}'; the kinds are {detail['ctx']['expected_tags']}"
    return f"'{where}': {message}" if where else message


def _all_fields(model: type[BaseModel]) -> set[str]:
    definitions = model.model_json_schema().get("$defs", {}).values()
    return set(model.model_fields) | {name for part in definitions for name in part.get("properties", {})}
