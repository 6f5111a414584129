"""The present state of a workspace: hosts, services, cluster, disk, memory. Dead hosts are part of the answer."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.provider import HostState, Provider
from labs.engine.hosts.remote import Remote
from labs.engine.messages import Sentence, _, verbatim
from labs.engine.state import Ports

# one round trip: the state of systemd, then the failed units, one per line
_ASK = "systemctl is-system-running || true; systemctl list-units --state=failed --plain --no-legend | awk '{print $1}'"


@dataclass(frozen=True)
class HostStatus:
    """A host: `services` is systemd's word (running, degraded …), or why it wasn't asked; memory is in MiB."""

    name: str
    address: str
    ssh_port: int | None
    state: HostState
    services: Sentence
    failed_units: list[str]
    memory_mib: int | None


@dataclass(frozen=True)
class Progress:
    """How far a learner got with a lab: points ever reached, of how many, and what was used on the way."""

    points: int
    max_points: int
    hints: int
    faults: int
    resets: int


@dataclass(frozen=True)
class Status:
    """The state of everything.

    Attributes:
        lab: the lab that the hosts are for, None without hosts
        phase: "ready", "starting", "down", or "damaged" when the state can't be read
        hosts: every host
        nodes: the cluster's Ready nodes, None when its API does not answer
        cache_free_gib: free disk space where the cache is
        pages: where a browser on this machine finds the lab's pages
        progress: by lab, from the grade record
    """

    lab: str | None
    phase: str
    hosts: Sequence[HostStatus]
    nodes: list[str] | None
    cache_free_gib: float
    pages: Sequence[str] = field(default_factory=list)
    progress: Mapping[str, Progress] = field(default_factory=dict)


def host_statuses(provider: Provider, topology: Topology, ports: Ports, remote: Remote) -> list[HostStatus]:
    """Return the status of every host; takes some seconds when hosts hang."""
    states, memory = provider.states(), provider.memory()

    def status(name: str) -> HostStatus:
        state, used = states[name], memory.get(name)
        running = state is HostState.RUNNING
        services, failed = _ask(remote, name) if running else (_("not asked"), [])
        return HostStatus(
            name=name,
            address=str(topology.address(name)),
            ssh_port=ports.get(name, {}).get("ssh"),
            state=state,
            services=services,
            failed_units=failed,
            memory_mib=used >> 20 if used is not None else None,
        )

    with ThreadPoolExecutor(len(topology.hosts)) as pool:
        return list(pool.map(status, topology.names))


def _ask(remote: Remote, name: str) -> tuple[Sentence, list[str]]:
    try:
        words = remote.run(name, _ASK, seconds=10).output.split()
    except LabError as error:
        return _("no response in time") if error.code == "host-timeout" else error.message, []
    return verbatim(words[0] if words else "unknown"), words[1:]
