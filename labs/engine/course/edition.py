"""What the labs run, in which version (vagrant/versions.yml)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Tag, model_validator

from labs.engine.course.yaml_file import load_model
from labs.engine.errors import LabError
from labs.engine.messages import _


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Component(_Model):
    version: str


class GoComponent(_Component):
    """A program built from Go modules by the wrapper module vagrant/components/<name>."""

    kind: Literal["go"] = "go"
    package: str
    output: str | None = None
    links: list[str] = []
    stamp: dict[str, str] = {}
    cgo: bool = False


class MavenComponent(_Component):
    """What vagrant/components/<name>/pom.xml depends on at run time, as jars in lib/."""

    kind: Literal["maven"]


class MavenRepository(_Component):
    """A Maven repository with all that building the project `source` takes, so that it can be built offline."""

    kind: Literal["maven-repository"]
    source: str
    goals: list[str] = ["verify"]


class PipComponent(_Component):
    """Python packages, pinned by hash in vagrant/components/<name>/requirements.txt, for the hosts' Python, in lib/."""

    kind: Literal["pip"]
    python: str


class JlinkComponent(_Component):
    """A Java runtime with these modules of the hosts' JDK."""

    kind: Literal["jlink"]
    modules: list[str]


def _kind(given: Any) -> str:
    return str(given.get("kind", "go") if isinstance(given, dict) else getattr(given, "kind", "go"))


Component = Annotated[
    Annotated[GoComponent, Tag("go")]
    | Annotated[MavenComponent, Tag("maven")]
    | Annotated[MavenRepository, Tag("maven-repository")]
    | Annotated[PipComponent, Tag("pip")]
    | Annotated[JlinkComponent, Tag("jlink")],
    Discriminator(_kind),
]


class Image(_Model):
    """A container image built from the folder vagrant/image/containers/<name> and some components."""

    name: str
    version: str
    components: list[str]

    @property
    def reference(self) -> str:
        """Name and tag, as a pod names it."""
        return f"{self.name}:{self.version}"


class Base(_Model):
    """What the hosts of every lab have, beside what the labs need."""

    components: list[str] = []
    images: list[str] = []


class Role(_Model):
    """What a role adds to the image of a host: components in /opt, and packages of Debian."""

    components: list[str] = []
    packages: list[str] = []


class Edition(_Model):
    """A tested set of versions. `toolchain` is the role whose packages build the components in Java and Python."""

    debian: str
    components: dict[str, Component]
    images: dict[str, Image]
    every_lab: Base = Base()
    roles: dict[str, Role] = {}
    toolchain: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Edition":
        parts: dict[str, Image | Role | Base] = {
            **{f"image '{name}'": image for name, image in self.images.items()},
            **{f"role '{name}'": role for name, role in self.roles.items()},
            "every_lab": self.every_lab,
        }
        problems = [
            f"{part}: unknown component '{name}'"
            for part, content in parts.items()
            for name in content.components
            if name not in self.components
        ]
        problems += [f"every_lab: unknown image '{name}'" for name in self.every_lab.images if name not in self.images]
        if self.toolchain is not None and self.toolchain not in self.roles:
            problems.append(f"toolchain: the role '{self.toolchain}' provides no packages")
        others = [name for name, recipe in self.components.items() if not isinstance(recipe, GoComponent)]
        if others and self.toolchain is None:
            problems.append(f"building {', '.join(others)} needs a `toolchain`")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def component(self, name: str) -> Component:
        """Return a component's recipe; LabError when versions.yml has none of that name."""
        if name not in self.components:
            raise LabError(
                "course-files",
                _("vagrant/versions.yml has no component '{name}'.", name=name),
                _("Add it there, or correct the lab's `needs`."),
            )
        return self.components[name]

    def components_with(self, roles: Iterable[str], components: Iterable[str]) -> list[str]:
        """Return `components` and those that `roles` provide."""
        return sorted({*components, *(name for role in self._providing(roles) for name in role.components)})

    def packages_of(self, roles: Iterable[str]) -> list[str]:
        """Return the packages that `roles` provide beside those that every host has."""
        return sorted({name for role in self._providing(roles) for name in role.packages})

    def _providing(self, roles: Iterable[str]) -> list[Role]:
        return [self.roles[role] for role in roles if role in self.roles]


def load_edition(repo: Path) -> Edition:
    """Read vagrant/versions.yml; LabError lists every problem with its line."""
    return load_model(repo / "vagrant" / "versions.yml", Edition)
