"""The Vagrantfile of a workspace: it makes virtual machines, and lets `vagrant ssh f0-13` work on containers."""

from collections.abc import Mapping
from pathlib import Path

from labs.engine.course.topology import Topology
from labs.engine.hosts.provider import Blueprint
from labs.engine.hosts.templates import template_environment
from labs.engine.workspace import Workspace

BOX = "f0labs/host"


def write_vagrantfile(workspace: Workspace, topology: Topology, provider: str, blueprint: Blueprint) -> None:
    """Write `Vagrantfile` into the workspace."""
    template = workspace.repo / "vagrant" / "Vagrantfile.j2"
    text = (
        template_environment()
        .from_string(template.read_text(encoding="utf-8"))
        .render(workspace=workspace, topology=topology, provider=provider, blueprint=blueprint, box=BOX)
    )
    (workspace.root / "Vagrantfile").write_text(text, encoding="utf-8")


def note_containers(
    workspace: Workspace, topology: Topology, blueprint: Blueprint, identifiers: Mapping[str, str]
) -> None:
    """Enter containers where Vagrant keeps the ids of its machines: `vagrant status|ssh|halt|up` then work on them."""
    write_vagrantfile(workspace, topology, "docker", blueprint)
    for host, identifier in identifiers.items():
        note: Path = workspace.root / ".vagrant" / "machines" / host / "docker" / "id"
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(identifier)
