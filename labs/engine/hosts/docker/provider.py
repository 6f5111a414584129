"""Hosts as containers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path

from labs.engine.cache import Cache
from labs.engine.course.topology import Topology
from labs.engine.docker_client import connect
from labs.engine.hosts import resources
from labs.engine.hosts.docker.containers import STOP_SECONDS, create_containers, start_error
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.network import check_network
from labs.engine.hosts.provider import Blueprint, Facts, Finding, HostState
from labs.engine.hosts.resources import probe
from labs.engine.hosts.vagrant.vagrantfile import note_containers
from labs.engine.messages import _
from labs.engine.settings import Settings
from labs.engine.workspace import Workspace

_STATES = {"running": HostState.RUNNING, "paused": HostState.PAUSED}


def make(_name: str, workspace: Workspace, topology: Topology, settings: Settings) -> "DockerProvider":
    """Return the provider for the hosts of a workspace."""
    return DockerProvider(workspace, topology, settings)


class DockerProvider:
    """Makes hosts as containers of the Docker engine, all with our label."""

    def __init__(self, workspace: Workspace, topology: Topology, settings: Settings) -> None:
        self._workspace, self._topology, self._settings = workspace, topology, settings

    @cached_property
    def engine(self) -> Engine:
        """What the workspace has in the Docker engine; LabError when the engine can't be reached."""
        return Engine(connect(), self._workspace.name)

    def check(self) -> Sequence[Finding]:
        """Return what this machine has, and lacks, for containers."""
        version = probe(
            _("Docker engine"), lambda: _("version {version}", version=self.engine.client.version()["Version"])
        )
        cache = Cache(self._settings.cache)
        return [version, resources.memory(), resources.disk(cache)]

    def check_network(self, network: IPv4Network) -> None:
        """Raise LabError when something other than this workspace uses addresses of the lab network."""
        check_network(network, ours=self._workspace.name)

    def facts(self) -> Facts:
        """Return what containers have: this machine's kernel, and the name that Docker gives their interface."""
        return Facts(ip_vs=Path("/proc/net/ip_vs").exists(), interface="eth0")

    def create(self, blueprint: Blueprint) -> None:
        """Create the lab network and all containers, and start them; LabError when one can't be started."""
        topology = self._topology
        self.engine.create_network(topology.network, internet=blueprint.internet)
        inside = {(port.host, port.name): port.port for port in topology.published}
        ports = {
            host: {inside.get((host, name), 22): port for name, port in blueprint.ports[host].items()}
            for host in topology.names
        }
        addresses = {host: topology.address(host) for host in topology.names}
        identifiers = create_containers(
            self.engine, self._workspace.name, addresses, blueprint.images, ports, blueprint.mounts
        )
        note_containers(self._workspace, topology, blueprint, identifiers)

    def start(self, hosts: Collection[str]) -> None:
        """Start containers side by side; LabError when one can't be started."""
        from docker.errors import APIError

        containers = self.engine.containers()

        def start(host: str) -> None:
            container = containers[host]
            try:
                container.unpause() if container.status == "paused" else container.start()
            except APIError as error:
                raise start_error(host, error) from error

        _each(start, [host for host in hosts if host in containers])

    def stop(self, hosts: Collection[str]) -> None:
        """Shut containers down side by side; what they store stays."""
        containers = self.engine.containers()

        def stop(host: str) -> None:
            if containers[host].status == "paused":
                containers[host].unpause()  # else it can't act on the signal, and is killed in the end
            containers[host].stop(timeout=STOP_SECONDS)

        _each(stop, [host for host in hosts if host in containers])

    def states(self) -> Mapping[str, HostState]:
        """Return the state of every host."""
        containers = self.engine.containers()
        return {
            host: _STATES.get(containers[host].status, HostState.STOPPED) if host in containers else HostState.ABSENT
            for host in self._topology.names
        }

    def last_output(self, host: str) -> str:
        """Return the last lines that a container printed."""
        container = self.engine.containers().get(host)
        return container.logs(tail=5).decode(errors="replace").strip() if container else ""

    def memory(self) -> Mapping[str, int]:
        """Return the memory that each running container uses, in bytes."""
        return self.engine.memory()

    def checkpoint(self) -> bool:
        """Return False: pulling the images anew takes longer than what `docker commit` saves."""
        return False

    def restore(self) -> None:
        """Never asked for: there is no checkpoint."""
        raise NotImplementedError

    def others(self) -> Collection[str]:
        """Return the names of other workspaces that have containers in the engine."""
        return self.engine.others()

    def destroy(self) -> None:
        """Remove everything with this workspace's label."""
        self.engine.remove_all()


def _each(action: Callable[[str], None], hosts: Collection[str]) -> None:
    with ThreadPoolExecutor(max(1, len(hosts))) as pool:
        list(pool.map(action, hosts))
