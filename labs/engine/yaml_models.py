"""One YAML file → one pydantic model, or one error that names every problem."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from labs.engine.errors import LabError
from labs.engine.yaml_lines import YamlFile

Model = TypeVar("Model", bound=BaseModel)


def load_model(path: Path, model: type[Model]) -> Model:
    """Return the model that a YAML file describes; LabError lists all problems with their lines."""
    file = YamlFile(path, path.parent.parent)
    loaded = file.read(model)
    if loaded is None:
        raise LabError("\n".join(str(problem) for problem in file.problems), f"Correct {file.name} and try again.")
    return loaded
