"""What every chapter of a session works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from labs.engine.cache import Cache
from labs.engine.course.course import Course
from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.hosts.access import Access
from labs.engine.hosts.kube_api import KubeApi
from labs.engine.hosts.provider import Provider
from labs.engine.hosts.providers import DEFAULT, all_providers, make_provider
from labs.engine.hosts.remote import Remote
from labs.engine.messages import _
from labs.engine.record import Record
from labs.engine.settings import Settings
from labs.engine.state import State
from labs.engine.workspace import Workspace

if TYPE_CHECKING:
    from labs.engine.software.software import Software


def make_software(course: Course, settings: Settings) -> Software:
    """Return the software of the course, with this machine's Docker engine."""
    from labs.engine.docker_client import connect
    from labs.engine.software.software import Software

    return Software(course.repo, Cache(settings.cache), course.edition, connect(), settings.keep_build_cache)


@dataclass(frozen=True)
class Tools:
    """How a session gets at what is outside of it; tests give others of the same shape."""

    provider: Callable[[str, Workspace, Topology, Settings], Provider] = make_provider
    providers: Callable[[Workspace, Topology, Settings], list[Provider]] = all_providers
    software: Callable[[Course, Settings], Software] = make_software
    remote: Callable[[Path], Remote] = Remote
    cluster: Callable[[int, Path, set[str]], KubeApi] = KubeApi


@dataclass(frozen=True)
class Context:
    """One set of hosts, and what is known of it."""

    course: Course
    workspace: Workspace
    settings: Settings
    events: Events
    tools: Tools = field(default_factory=Tools)

    @property
    def state(self) -> State | None:
        """What is known of the hosts, None without hosts; LabError when it can't be read."""
        state = self.workspace.state
        if state and self.workspace.was_moved:
            self.workspace.claim()
            self.access.write(state.ports)
        return state

    def require_state(self, wanted: str = "flannel") -> State:
        """Return the state of hosts that are up for a lab; LabError when none are, which advises the `wanted` one."""
        state = self.state
        if state is None or state.phase != "ready":
            what = _("No lab is up.") if state is None else _("The last `lab.up` did not finish.")
            raise LabError("no-lab", what, _("Start a lab: invoke lab.up {id}", id=state.lab if state else wanted))
        return state

    def topology(self, state: State | None) -> Topology:
        """Return the hosts as they were made: in the network chosen then, with the roles that their lab needs."""
        roles = self.course.needs(state.lab).roles if state and state.lab in self.course.catalog.labs else []
        return self.course.topology.in_network(state.network if state else None).with_optional_roles(roles)

    def provider(self, state: State | None) -> Provider:
        """Return the provider that made the hosts."""
        name = state.provider if state else DEFAULT
        return self.tools.provider(name, self.workspace, self.topology(state), self.settings)

    def remote(self) -> Remote:
        """Return connections to the hosts, to be closed after use."""
        return self.tools.remote(self.workspace.ssh_config)

    def cluster(self, ports: Mapping[str, Mapping[str, int]]) -> KubeApi:
        """Return the API server of the hosts."""
        api = next(port for port in self.course.topology.published if port.name == "api")
        nodes = {host.name for host in self.course.topology.all_with_role("node")}
        return self.tools.cluster(ports[api.host][api.name], self.workspace.root / "api", nodes)

    @property
    def access(self) -> Access:
        """The way to the hosts."""
        return Access(self.workspace, self.course.topology.domain)

    @property
    def record(self) -> Record:
        """The grade record, which outlives the hosts."""
        return Record(self.workspace.record / "grades.db")
