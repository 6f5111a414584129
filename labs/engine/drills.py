"""Drills: a documented fault is planted in a solved lab, and repaired again."""

from collections.abc import Sequence

from labs.engine.course.lab_files import Command, Lab
from labs.engine.errors import LabError
from labs.engine.hosts.remote import Remote
from labs.engine.workspace import Workspace


def run(commands: Sequence[Command], remote: Remote, doing: str, advice: str) -> None:
    """Run a fault's commands in order; LabError with `doing`, host, output and `advice` at the first that fails."""
    for command in commands:
        for outcome in remote.run_everywhere(command.hosts, command.run):
            if outcome.status:
                raise LabError(f"{doing} on {outcome.host}:\n{outcome.output.strip()}", advice)


def planted(workspace: Workspace, lab: Lab) -> list[str]:
    """Return the faults that are planted in a lab and not repaired, the last one last."""
    return list(workspace.read_state().get("planted", {}).get(lab.id, []))


def note(workspace: Workspace, lab: Lab, faults: Sequence[str]) -> None:
    """Remember which faults are planted in a lab."""
    state = workspace.read_state()
    if state:
        workspace.write_state({**state, "planted": {**state.get("planted", {}), lab.id: list(faults)}})
