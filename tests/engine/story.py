"""A small course, and a session in a world of its own: what tests of the story share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from labs.engine.course.course import load_course
from labs.engine.errors import LabError
from labs.engine.events import Event, Events, Noted
from labs.engine.session import Session
from labs.engine.settings import Settings
from labs.engine.state import State
from labs.engine.workspace import Workspace
from tests.engine.conftest import PORTS, REPO
from tests.engine.fake_provider import World

LAB = """\
id: {id}
title: {{en: The {id} lab, zh: 实验 {id}}}
summary: {{en: A lab., zh: 一个实验。}}
minutes: 5
after: [{after}]
needs: {{components: []}}
objectives:
  - id: routes
    title: {{en: Routes, zh: 路由}}
    points: 100
    hints: [{{en: Look., zh: 看。}}, {{en: Look closer., zh: 仔细看。}}]
"""
FAULT = """\
id: lost-route
title: {en: A route is lost, zh: 路由丢失}
commands: [{hosts: [f0-13, f0-14], run: ip route flush}]
repair: [{hosts: [f0-13], run: ip route add}]
fails: [routes]
"""
PAGE = """\
# A lab

## First

``` bash title="f0-13"
echo one
```

## Second

``` bash title="f0-13, f0-14"
echo two
```
"""


def write_course(repo: Path) -> None:
    """Write a course of two labs, "first" and, after it, "second"; and "apart", which has nothing to do with them."""
    (repo / "vagrant").symlink_to(REPO / "vagrant")
    (repo / "docs/labs").mkdir(parents=True)
    for id, after in (("first", ""), ("second", "first"), ("apart", "")):
        for folder in (f"labs/{id}/faults", f"manifests/{id}", f"checks/{id}"):
            (repo / folder).mkdir(parents=True)
        (repo / f"labs/{id}/lab.yml").write_text(LAB.format(id=id, after=after), encoding="utf-8")
        (repo / f"docs/labs/{id}.md").write_text(PAGE)
        (repo / f"docs/labs/{id}.zh.md").write_text(PAGE)
    (repo / "labs/first/faults/lost-route.yml").write_text(FAULT, encoding="utf-8")


class Stage:
    """A session of the small course, the world around it, and what it told."""

    def __init__(self, repo: Path, settings: Settings) -> None:
        self.world, self.events = World(), list[Event]()
        self.settings, self.repo = settings, repo
        self.workspace = Workspace.of(repo, settings)
        self.session = self.another()

    def another(self, settings: Settings | None = None) -> Session:
        """Return another session of the same hosts, as the next command has it."""
        settings = settings or self.settings
        workspace = Workspace.of(self.repo, settings)
        return Session(load_course(self.repo), workspace, settings, Events(self.events.append), self.world.tools())

    def up(self, lab: str, **more: object) -> None:
        """Have hosts that are up for a lab."""
        self.workspace.claim()
        base = {"generation": "g", "lab": lab, "phase": "ready", "provider": "docker", "network": "192.168.56.0/24"}
        state = State.model_validate({**base, "ports": PORTS, **more})
        self.workspace.save(state)
        self.world.made_by = state.provider
        self.world.run()

    @property
    def state(self) -> State:
        """What is known of the hosts."""
        state = self.workspace.state
        assert state
        return state

    @property
    def notes(self) -> list[str]:
        """What was told by the way, in English."""
        return [event.text.of("en") for event in self.events if isinstance(event, Noted)]


def refused(error: pytest.ExceptionInfo[LabError]) -> tuple[str, str]:
    """Return the code and the English message of an error."""
    return error.value.code, str(error.value)


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """Return the code and the English message of the error that a call raises."""
    with pytest.raises(LabError) as raised:
        call()
    return refused(raised)
