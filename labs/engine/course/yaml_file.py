"""YAML files read into pydantic models; every problem knows its file and line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labs.engine.errors import LabError
from labs.engine.messages import _, lines
from labs.engine.nearest import nearest

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one line of a file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class YamlFile:
    """One YAML file. Problems are collected, not raised, so that the author sees all of them at once."""

    def __init__(self, path: Path, repo: Path) -> None:
        self.path = path
        self.name = str(path.relative_to(repo))
        self.problems: list[Problem] = []
        self._tree: yaml.Node | None = None
        self._data: Any = None
        try:
            text = path.read_text(encoding="utf-8")
            self._tree = yaml.compose(text, yaml.SafeLoader)
            self._data = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._note(mark.line + 1 if mark else 1, f"not valid YAML: {error.problem or error.context}")
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self._note(1, f"not readable: {error}")

    def problem(self, where: Location, message: str) -> None:
        """Note a problem with the value at `where`, such as ("objectives", 0, "points")."""
        self._note(self.line(where), message)

    def line(self, where: Location) -> int:
        """The line of a key or list item; of the nearest one around it if there is none."""
        line, node = 1, self._tree
        for step in where:
            found = next((pair for pair in _children(node) if pair[0] == step), None)
            if found is None:
                break
            _, line, node = found
        return line

    def value(self, where: Location) -> Any:
        """What stands at `where`, whether or not the file is right otherwise; None if nothing does."""
        found = self._data
        for step in where:
            try:
                found = found[step]
            except (TypeError, KeyError, IndexError):
                return None
        return found

    def items(self, where: Location) -> list[tuple[Location, Any]]:
        """The items of the list at `where`, each with its own place."""
        found = self.value(where)
        return [((*where, index), item) for index, item in enumerate(found if isinstance(found, list) else [])]

    def read(self, model: type[Model]) -> Model | None:
        """The file as a `model`, or None with the reasons in `problems`."""
        if self.problems:
            return None
        for line, key in _repeated_keys(self._tree):
            self._note(line, f"'{key}' stands here a second time")
        try:
            found = model.model_validate(self._data)
        except ValidationError as error:
            for detail in error.errors():
                where = self._written(detail["loc"])
                self.problem(where, _sentence(where, detail, model))
        return None if self.problems else found

    def _written(self, where: Location) -> Location:
        """A place without the names of kinds, which pydantic puts in between: they stand nowhere in the file."""
        steps: Location = ()
        for step in where[:-1]:
            steps = (*steps, step) if self.value((*steps, step)) is not None else steps
        return (*steps, *where[-1:])

    def _note(self, line: int, message: str) -> None:
        self.problems.append(Problem(self.name, line, message))


def load_model(
    path: Path, model: type[Model], check: Callable[[YamlFile, Model], object] = lambda file, loaded: None
) -> Model:
    """Return the model that a YAML file describes; LabError lists all problems with their lines.

    Args:
        path: the file, in a folder of the repository
        model: what it describes
        check: notes the problems that the model can't see, when it sees none
    """
    file = YamlFile(path, path.parent.parent)
    loaded = file.read(model)
    if loaded is not None:
        check(file, loaded)
    if loaded is None or file.problems:
        raise LabError("course-files", lines(sorted(file.problems)), _("Correct {file} and try again.", file=file.name))
    return loaded


def _children(node: yaml.Node | None) -> Iterator[tuple[str | int, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield index, item.start_mark.line + 1, item


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[int, str | int]]:
    seen: set[str | int] = set()
    for key, line, child in _children(node):
        if key in seen:
            yield line, key
        seen.add(key)
        yield from _repeated_keys(child)


def _sentence(place: Location, detail: ErrorDetails, model: type[BaseModel]) -> str:
    where = ".".join(str(step) for step in place)
    name = str(place[-1]) if place else ""
    if detail["type"] == "extra_forbidden":
        return f"unknown key '{where}'.{nearest(name, _all_fields(model))}"
    if detail["type"] == "missing":
        return f"'{where}' is missing"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] in ("model_type", "dict_type"):
        message = "keys and values are needed here"
    if detail["type"] == "union_tag_invalid":
        message = f"the kind '{detail['ctx']['tag']}' is none of {detail['ctx']['expected_tags']}"
    return f"'{where}': {message}" if where else message


def _all_fields(model: type[BaseModel]) -> set[str]:
    definitions = model.model_json_schema().get("$defs", {}).values()
    return set(model.model_fields) | {name for part in definitions for name in part.get("properties", {})}
