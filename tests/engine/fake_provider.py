"""A provider of hosts that exist only in memory, and what else a session works with."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, cast

from labs.engine.context import Tools
from labs.engine.course.topology import Topology
from labs.engine.hosts.kube_api import KubeApi
from labs.engine.hosts.provider import Blueprint, Facts, Finding, HostState
from labs.engine.hosts.remote import CommandResult, Remote
from labs.engine.software.software import Software


@dataclass
class World:
    """Everything outside of a session. `story` is what happened there; `trouble` strikes when hosts are created."""

    story: list[str] = field(default_factory=list)
    hosts: dict[str, HostState] = field(default_factory=dict)
    made_by: str = ""
    internet: bool = False
    findings: list[Finding] = field(default_factory=list)
    trouble: Callable[[], None] = lambda: None
    network_trouble: Callable[[], None] = lambda: None
    ready: bool = True
    missing: list[str] = field(default_factory=list)
    ran: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[tuple[str, str], CommandResult] = field(default_factory=dict)
    neighbours: set[str] = field(default_factory=set)
    stops: dict[str, HostState] = field(default_factory=dict)
    can_restore: bool = False

    def run(self) -> None:
        """Have all hosts running."""
        self.hosts = {f"f0-1{number}": HostState.RUNNING for number in range(1, 6)}

    def tools(self) -> Tools:
        """Return what a session needs to live in this world."""
        return Tools(
            provider=lambda name, _, topology, __: FakeProvider(self, name, topology),
            providers=lambda _, topology, __: [FakeProvider(self, name, topology) for name in ("docker", "libvirt")],
            software=lambda _, __: cast(Software, FakeSoftware(self)),
            remote=lambda _: cast(Remote, FakeRemote(self)),
            cluster=lambda *_: cast(KubeApi, FakeCluster(self)),
        )


class FakeProvider:
    """A provider by the name it is asked for; its hosts are those of its world."""

    def __init__(self, world: World, name: str, topology: Topology) -> None:
        self._world, self._name, self._topology = world, name, topology

    def check(self) -> Sequence[Finding]:
        return self._world.findings

    def check_network(self, network: IPv4Network) -> None:
        self._world.network_trouble()

    def facts(self) -> Facts:
        return Facts(ip_vs=False, interface="eth0")

    def create(self, blueprint: Blueprint) -> None:
        self._world.trouble()
        self._world.hosts = dict.fromkeys(self._topology.names, HostState.RUNNING) | self._world.stops
        self._world.made_by, self._world.internet = self._name, blueprint.internet
        self._world.story.append(f"created by {self._name} in {self._topology.network}")

    def start(self, hosts: Collection[str]) -> None:
        self._world.story.append(f"started {', '.join(hosts)}")
        self._world.hosts |= dict.fromkeys(hosts, HostState.RUNNING)

    def stop(self, hosts: Collection[str]) -> None:
        self._world.story.append(f"stopped {', '.join(hosts)}")
        self._world.hosts |= dict.fromkeys(hosts, HostState.STOPPED)

    def states(self) -> Mapping[str, HostState]:
        return {host: self._world.hosts.get(host, HostState.ABSENT) for host in self._topology.names}

    def last_output(self, host: str) -> str:
        return ""

    def memory(self) -> Mapping[str, int]:
        running = [host for host, state in self._world.hosts.items() if state is HostState.RUNNING]
        return dict.fromkeys(running, 64 << 20)

    def checkpoint(self) -> bool:
        if self._world.can_restore:
            self._world.story.append("checkpoint")
        return self._world.can_restore

    def restore(self) -> None:
        self._world.story.append("restored")

    def others(self) -> Collection[str]:
        return self._world.neighbours

    def destroy(self) -> None:
        if self._world.made_by in ("", self._name):
            self._world.story.append(f"destroyed by {self._name}")
            self._world.hosts = {}


class FakeSoftware:
    """Software that is all there already, but for what is in `missing` of its world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def missing(self, _: object) -> list[str]:
        return self._world.missing

    def ensure(self, _: object, topology: Topology, __: object) -> dict[str, str]:
        return dict.fromkeys(topology.names, "image")

    def host_images(self, _: object, topology: Topology) -> dict[str, str]:
        return dict.fromkeys(topology.names, "image")

    def components(self, _: object) -> dict[str, Path]:
        return {}

    def image_size(self, tag: str) -> int:
        return 700 << 20

    def archives(self, _: object) -> dict[str, Path]:
        return {}

    def remove_images(self) -> None:
        self._world.story.append("removed the images")


class FakeRemote:
    """Hosts that answer what `answers` of their world has for (host, script), else "running"."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> "FakeRemote":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, host: str, script: str, seconds: float = 300) -> CommandResult:
        self._world.ran.append((host, script))
        return self._world.answers.get((host, script), CommandResult(host, 0, "running\n"))

    def run_everywhere(self, hosts: Collection[str], script: str, seconds: float = 300) -> list[CommandResult]:
        return [self.run(host, script, seconds) for host in hosts]

    def write(self, hosts: Collection[str], path: str, content: str) -> list[CommandResult]:
        return [self.run(host, f"write {path}") for host in hosts]


class FakeCluster:
    """The API of a cluster that is ready, or never will be."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.nodes = frozenset({"f0-13", "f0-14"})

    def is_ready(self) -> bool:
        return self._world.ready and bool(self._world.hosts)

    def ready_nodes(self) -> set[str]:
        return set(self.nodes) if self.is_ready() else set()

    def ready_probes(self) -> set[str]:
        return self.ready_nodes()

    def pods_are_renewed(self, since: datetime, nodes: Any = None) -> bool:
        return self._world.ready

    def endpoints_are_current(self, node: str) -> bool:
        return self._world.ready
