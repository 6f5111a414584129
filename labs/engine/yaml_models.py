"""One YAML file → one pydantic model, or one error that names every problem."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from labs.engine.errors import LabError
from labs.engine.yaml_lines import YamlFile

Model = TypeVar("Model", bound=BaseModel)


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
        raise LabError(
            "\n".join(str(problem) for problem in sorted(file.problems)), f"Correct {file.name} and try again."
        )
    return loaded
