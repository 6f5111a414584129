"""What the labs run, in which version (vagrant/versions.yml)."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from labs.engine.errors import LabError
from labs.engine.yaml_models import load_model


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Component(_Model):
    """A program built from Go modules by the wrapper module vagrant/components/<name>."""

    version: str
    package: str
    output: str | None = None
    links: list[str] = []
    stamp: dict[str, str] = {}
    cgo: bool = False
    shows: list[str] = []


class Image(_Model):
    """A container image built from vagrant/image/containers/<name>/Dockerfile and some components."""

    name: str
    version: str
    components: list[str]

    @property
    def reference(self) -> str:
        """Name and tag, as a pod names it."""
        return f"{self.name}:{self.version}"


class Edition(_Model):
    """One tested set of versions."""

    debian: str
    components: dict[str, Component]
    images: dict[str, Image]

    @model_validator(mode="after")
    def _consistent(self) -> "Edition":
        problems = [
            f"the image '{name}' is made of '{component}', which is no component"
            for name, image in self.images.items()
            for component in image.components
            if component not in self.components
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def component(self, name: str) -> Component:
        """Return a component's recipe; LabError when versions.yml has none of that name."""
        if name not in self.components:
            raise LabError(
                f"vagrant/versions.yml has no component '{name}'.", "Add it there, or correct the lab's `needs`."
            )
        return self.components[name]


def load_edition(repo: Path) -> Edition:
    """Read vagrant/versions.yml; LabError lists every problem with its line."""
    return load_model(repo / "vagrant" / "versions.yml", Edition)
