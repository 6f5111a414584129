"""The documented steps of a lab: fenced blocks whose title says where they belong."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labs.engine.errors import LabError
from labs.engine.nearest import nearest

if TYPE_CHECKING:
    from labs.engine.course.fences import Fence

_HOST_LIKE = re.compile(r"f0-\d+")
_Target = tuple[tuple[str, ...], str | None]


@dataclass(frozen=True)
class Step:
    """Something to do: a script to run on the hosts, or a file to write there."""

    number: int
    section: str
    hosts: tuple[str, ...]
    path: str | None
    body: str
    line: int


def parse_steps(page: Path, hosts: Collection[str], snippets: Path) -> list[Step]:
    """Return the steps of a page. `snippets` is the folder that included files are relative to.

    Raises:
        LabError: every block that is meant as a step but can't be run, with its line.
    """
    # Imported late because two Markdown libraries are slow to import, and most commands read no page.
    from labs.engine.course.fences import all_fences
    from labs.engine.course.snippets import Snippets

    expand = Snippets(snippets).expand
    steps: list[Step] = []
    problems: list[str] = []
    for fence in all_fences(page):
        try:
            target = _target(fence.title, hosts)
            if target is not None:
                steps.append(Step(len(steps) + 1, fence.section, *target, _body(fence, expand(fence.body)), fence.line))
        except LabError as error:
            problems.append(f"{page}:{fence.line}: {error.message}")
    if problems:
        raise LabError("course-files", "\n".join(problems))
    return steps


def _body(fence: Fence, expanded: str) -> str:
    if fence.indented:
        raise LabError("course-files", "a step in indented text is not recognized: start it at the left margin")
    if not expanded.strip():
        raise LabError("course-files", "the step is empty")
    return expanded


def _target(title: str, hosts: Collection[str]) -> _Target | None:
    """Return the hosts and the path that a title names; None for a block that is only for reading."""
    listed, colon, path = title.partition(":")
    names = tuple(name.strip() for name in listed.split(","))
    unknown = next((name for name in names if name not in hosts), None)
    if unknown is None:
        if colon and not path.strip().startswith("/"):
            raise LabError("course-files", f"'{title}' needs an absolute path after the colon")
        return names, path.strip() or None
    if _HOST_LIKE.fullmatch(unknown):
        raise LabError("course-files", f"unknown host '{unknown}'.{nearest(unknown, hosts)}")
    if any(re.match(rf"{re.escape(host)}\b", title) for host in hosts):
        raise LabError("course-files", f"the title '{title}' starts with a host but is not a list of hosts")
    return None
