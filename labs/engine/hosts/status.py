"""What there is of a workspace right now: hosts, services, cluster, disk, memory. Dead hosts are part of the answer."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.readiness import Api
from labs.engine.hosts.remote import Remote
from labs.engine.workspace import Workspace, free_disk

# one round trip: the state of systemd, then the units in trouble, a line each
_ASK = "systemctl is-system-running || true; systemctl list-units --state=failed --plain --no-legend | awk '{print $1}'"


@dataclass(frozen=True)
class HostStatus:
    """A host: `state` is Docker's word for it, `services` systemd's (running, degraded …) or why it wasn't asked."""

    name: str
    address: str
    ssh_port: int | None
    state: str
    services: str
    failed_units: list[str]
    memory_mib: int | None


@dataclass(frozen=True)
class Status:
    """All of it. `nodes` are the cluster's Ready nodes, None when its API does not answer; `pages` is for browsers."""

    lab: str | None
    phase: str
    hosts: Sequence[HostStatus]
    nodes: list[str] | None
    cache_free_gib: float
    pages: Sequence[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the status as plain data, for --json."""
        return asdict(self)


def look(workspace: Workspace, engine: Engine, topology: Topology, pages: Sequence[str] = ()) -> Status:
    """Return the status of a workspace; takes a few seconds when hosts hang."""
    state = workspace.read_state()
    containers = {str(one.name).rsplit(".", 1)[-1]: one.status for one in engine.containers()}
    memory = engine.memory()
    ports = state.get("ports", {})

    def one(name: str) -> HostStatus:
        container = containers.get(name, "absent")
        services, failed = _ask(workspace, name) if container == "running" else (f"not asked: {container}", [])
        used = memory.get(name)
        return HostStatus(
            name=name,
            address=str(topology.address(name)),
            ssh_port=ports.get(name, {}).get("ssh"),
            state=container,
            services=services,
            failed_units=failed,
            memory_mib=used >> 20 if used is not None else None,
        )

    with ThreadPoolExecutor(len(topology.hosts)) as pool:
        hosts = list(pool.map(one, topology.names))
    api_port = next((own["api"] for own in ports.values() if "api" in own), None)
    nodes = sorted(Api(workspace, api_port).ready_nodes()) or None if api_port and containers else None
    free = free_disk() / (1 << 30)
    return Status(state.get("lab"), state.get("phase", "down"), hosts, nodes, round(free, 1), pages)


def _ask(workspace: Workspace, name: str) -> tuple[str, list[str]]:
    try:
        with Remote(workspace) as remote:
            lines = remote.run(name, _ASK, seconds=10).output.split()
    except LabError as error:
        return error.message, []
    return lines[0] if lines else "unknown", lines[1:]
