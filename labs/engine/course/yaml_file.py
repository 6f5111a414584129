"""YAML files read into pydantic models; every problem knows its file and line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from labs.engine.course.problems import Location, Problem, sentence
from labs.engine.errors import LabError
from labs.engine.messages import _, lines

Model = TypeVar("Model", bound=BaseModel)


class YamlFile:
    """A YAML file. Problems are collected, not raised, so that the author sees all of them at once."""

    def __init__(self, path: Path, repo: Path) -> None:
        self.path = path
        self.name = str(path.relative_to(repo))
        self.problems: list[Problem] = []
        self._tree: yaml.Node | None = None
        self._data: Any = None
        try:
            self._parse(path.read_text(encoding="utf-8"))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._record(mark.line + 1 if mark else 1, f"not valid YAML: {error.problem or error.context}")
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self._record(1, f"not readable: {error}")

    def _parse(self, text: str) -> None:
        # libyaml's parser takes a tenth of the time of the one in Python, which 40 files would make felt.
        loader = yaml.CSafeLoader(text)
        try:
            self._tree = loader.get_single_node()
            self._data = loader.construct_document(self._tree) if self._tree else None
        finally:
            loader.dispose()

    def problem(self, where: Location, message: str) -> None:
        """Record a problem with the value at `where`, such as ("objectives", 0, "points")."""
        self._record(self.line(where), message)

    def line(self, where: Location) -> int:
        """Return the line of a key or list item, or of the nearest one around it when there is none."""
        line, node = 1, self._tree
        for step in where:
            child = next((child for child in _children(node) if child[0] == step), None)
            if child is None:
                break
            __, line, node = child
        return line

    def value(self, where: Location) -> Any:
        """Return what the file has at `where`, whether or not the rest is correct; None when it has nothing there."""
        value = self._data
        for step in where:
            try:
                value = value[step]
            except (TypeError, KeyError, IndexError):
                return None
        return value

    def items(self, where: Location) -> list[tuple[Location, Any]]:
        """Return the items of the list at `where`, each with its location."""
        value = self.value(where)
        return [((*where, index), item) for index, item in enumerate(value if isinstance(value, list) else [])]

    def read(self, model: type[Model]) -> Model | None:
        """Return the file as a `model`, or None with the reasons in `problems`."""
        if self.problems:
            return None
        for line, key in _repeated_keys(self._tree):
            self._record(line, f"duplicate key '{key}'")
        try:
            loaded = model.model_validate(self._data)
        except ValidationError as error:
            for detail in error.errors():
                where = self._written(detail["loc"])
                self.problem(where, sentence(where, detail, model))
        return None if self.problems else loaded

    def _written(self, where: Location) -> Location:
        """Return a location without the tags of unions, which pydantic adds although the file doesn't have them."""
        steps: Location = ()
        for step in where[:-1]:
            steps = (*steps, step) if self.value((*steps, step)) is not None else steps
        return (*steps, *where[-1:])

    def _record(self, line: int, message: str) -> None:
        self.problems.append(Problem(self.name, line, message))


def load_model(
    path: Path, model: type[Model], check: Callable[[YamlFile, Model], object] = lambda file, loaded: None
) -> Model:
    """Return the model that a YAML file describes; LabError lists all problems with their lines.

    Args:
        path: the file, in a folder of the repository
        model: what it describes
        check: records problems that the model can't detect; called when the model detects none
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
