"""What a lab is: the fields of lab.yml and of its fault files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from labs.engine.errors import LabError
from labs.engine.messages import Message, _, listing
from labs.engine.nearest import nearest

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Words = Annotated[str, Field(min_length=1)]
Page = Annotated[str, Field(pattern=r"^https?://[a-z0-9-]+(\.[a-z0-9-]+)+(/\S*)?$")]
Thing = TypeVar("Thing")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Text(_Part):
    """A text in both languages."""

    en: Words
    zh: Words

    def of(self, lang: str) -> str:
        """Return the text in the language "zh", else in English."""
        return self.zh if lang == "zh" else self.en


class Objective(_Part):
    """What the learner has to achieve, and how many points it is worth."""

    id: Id
    title: Text
    points: int = Field(gt=0)
    after: list[Id] = []
    hints: list[Text] = Field(min_length=1)
    wait: float = Field(default=0, ge=0, le=300)


class Command(_Part):
    """A command and the hosts it runs on."""

    hosts: list[Words] = Field(min_length=1)
    run: Words


class Fault(_Part):
    """Something to break in a solved lab. `fails` names the objectives that fail because of it."""

    id: Id
    title: Text
    commands: list[Command] = Field(min_length=1)
    repair: list[Command] = Field(min_length=1)
    fails: list[Id] = Field(min_length=1)


class Needs(_Part):
    """What must be in the hosts' image, which container images on f0-15, and which optional roles."""

    components: list[Words]
    images: list[Words] = []
    roles: list[Words] = []


class LabFile(_Part):
    """The fields of a lab.yml."""

    id: Id
    title: Text
    summary: Text
    minutes: int = Field(gt=0)
    after: list[Id] = []
    needs: Needs
    pages: list[Page] = []
    objectives: list[Objective] = Field(min_length=1)


class Lab(LabFile):
    """A lab: its lab.yml, its faults and the folder they are in."""

    faults: list[Fault]
    path: Path

    @property
    def max_points(self) -> int:
        """The points of all objectives together."""
        return sum(objective.points for objective in self.objectives)

    def objective(self, id: str) -> Objective:
        """Return the objective of that id; LabError suggests the nearest when there is none."""
        what = _("objective '{id}' in the lab '{lab}'", id=id, lab=self.id)
        return find({objective.id: objective for objective in self.objectives}, id, what)

    def fault(self, id: str) -> Fault:
        """Return the fault of that id; LabError suggests the nearest when there is none."""
        what = _("fault '{id}' in the lab '{lab}'", id=id, lab=self.id)
        return find({fault.id: fault for fault in self.faults}, id, what)


def find(known: Mapping[str, Thing], id: str, what: Message) -> Thing:
    """Return the thing of that id, or raise a LabError that says there is no `what` and suggests the nearest id."""
    if id not in known:
        raise LabError(
            "unknown-name",
            _("There is no {what}.{suggestion}", what=what, suggestion=nearest(id, known)),
            _("Available: {names}.", names=listing(known)),
        )
    return known[id]
