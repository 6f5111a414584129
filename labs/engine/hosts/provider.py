"""What every provider of hosts can do, and nothing outside hosts/ needs to know which one it is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network
from pathlib import Path
from typing import Protocol

from labs.engine.errors import LabError
from labs.engine.messages import Sentence
from labs.engine.state import Ports


class HostState(StrEnum):
    """The state of a host, in words that hold for containers and virtual machines."""

    RUNNING = "running"
    STOPPED = "stopped"
    PAUSED = "paused"
    ABSENT = "absent"


@dataclass(frozen=True)
class Finding:
    """The result of a probe of this machine: what was found, or the error that says what to do about it.

    Hosts can't be started while a `required` probe fails.
    """

    name: Sentence
    result: Sentence
    error: LabError | None = None
    required: bool = True


@dataclass(frozen=True)
class Facts:
    """What hosts of a provider have: IPVS in their kernel, and the name of the lab network's interface."""

    ip_vs: bool
    interface: str


@dataclass(frozen=True)
class Blueprint:
    """What hosts are made from.

    Attributes:
        images: image of each host
        ports: where the hosts' ports are on loopback
        mounts: read-only folders of each host: folder on this machine → path on the host
        internet: whether the hosts may leave this machine
    """

    images: Mapping[str, str]
    ports: Ports
    mounts: Mapping[str, Mapping[Path, str]]
    internet: bool


class Provider(Protocol):
    """Makes, watches and removes the hosts of one workspace, and nothing else on this machine."""

    def check(self) -> Sequence[Finding]:
        """Return what this machine has, and lacks, for hosts of this provider."""

    def check_network(self, network: IPv4Network) -> None:
        """Raise LabError when something other than this workspace uses addresses of the lab network."""

    def facts(self) -> Facts:
        """Return what the hosts have."""

    def create(self, blueprint: Blueprint) -> None:
        """Create the lab network and all hosts, and start them; LabError when one can't be started."""

    def start(self, hosts: Collection[str]) -> None:
        """Start hosts that are stopped or paused."""

    def stop(self, hosts: Collection[str]) -> None:
        """Shut hosts down; what they store stays."""

    def states(self) -> Mapping[str, HostState]:
        """Return the state of every host."""

    def last_output(self, host: str) -> str:
        """Return the last lines of a host's console, empty where there is none."""

    def memory(self) -> Mapping[str, int]:
        """Return the memory that each running host uses, in bytes."""

    def checkpoint(self) -> bool:
        """Keep the hosts as they are for `restore`; return False where that isn't quicker than making them anew."""

    def restore(self) -> None:
        """Bring the hosts back to their checkpoint; LabError when that fails."""

    def others(self) -> Collection[str]:
        """Return the names of other workspaces whose hosts are on this machine."""

    def destroy(self) -> None:
        """Remove the hosts and the lab network, also those that an interrupted run left."""


def require(findings: Sequence[Finding]) -> None:
    """Raise the first error among findings without which hosts can't be started."""
    for finding in findings:
        if finding.error and finding.required:
            raise finding.error
