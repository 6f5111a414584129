"""What one workspace has in the Docker engine: containers and networks with our label, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from labs.engine.errors import LabError
from labs.engine.hosts.network import network_in_use
from labs.engine.messages import _
from labs.engine.waiting import wait_until

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.networks import Network

LABEL = "f0labs.workspace"
REMOVE_SECONDS = 20  # for an engine that is still busy with an earlier request


class Engine:
    """The containers and networks of one workspace."""

    def __init__(self, client: DockerClient, workspace_name: str) -> None:
        self.client, self._name = client, workspace_name

    @property
    def labels(self) -> dict[str, str]:
        """The label of everything that belongs to this workspace."""
        return {LABEL: self._name}

    def containers(self) -> dict[str, Container]:
        """Return this workspace's host containers by host, running or not."""
        label = {"label": f"{LABEL}={self._name}"}
        containers = self.client.containers.list(all=True, filters=label, ignore_removed=True)
        return {str(container.name).rsplit(".", 1)[-1]: container for container in containers}

    def networks(self) -> list[Network]:
        """Return this workspace's networks."""
        return list(self.client.networks.list(filters={"label": f"{LABEL}={self._name}"}))

    def create_network(self, network: IPv4Network, *, internet: bool) -> None:
        """Create the lab network (its bridge has the first address), unless it is there already.

        Without `internet` the engine translates no source address: no answer finds a packet's way back.

        Raises:
            LabError: another network of this machine has those addresses.
        """
        from docker.errors import APIError
        from docker.types import IPAMConfig, IPAMPool

        if self.networks():
            return
        try:
            self.client.networks.create(
                self._name,
                driver="bridge",
                ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(network), gateway=str(network[1]))]),
                labels=self.labels,
                options={
                    "com.docker.network.bridge.name": self._name,
                    "com.docker.network.bridge.enable_ip_masquerade": str(internet).lower(),
                },
            )
        except APIError as error:
            raise network_in_use(network, str(error.explanation)) from error

    def remove_all(self) -> None:
        """Remove this workspace's containers with their volumes, side by side, then its networks.

        The engine may still be busy with a request of a run that was killed: a container that appears late is
        removed as well.

        Raises:
            LabError: the engine refuses to remove one.
        """
        from docker.errors import APIError, NotFound

        refusals: list[str] = []

        def nothing_left() -> bool:
            refusals.clear()
            try:
                with ThreadPoolExecutor(8) as pool:
                    list(pool.map(_remove, self.containers().values()))
                for network in self.networks():
                    with contextlib.suppress(NotFound):
                        network.remove()
            except APIError as error:  # the network has a container again, or the engine is removing one already
                refusals.append(str(error.explanation or error))
                return False
            return not self.containers()

        if not wait_until(nothing_left, REMOVE_SECONDS):
            raise LabError(
                "hosts-not-created",
                _("Docker could not remove the hosts:\n{output}", output="\n".join(refusals) or _("no explanation")),
                _("Disconnect containers of your own from the network {name}, then try again.", name=self._name),
            )

    def others(self) -> set[str]:
        """Return the names of other workspaces that have hosts in this engine."""
        containers = self.client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
        return {str(container.labels[LABEL]) for container in containers} - {self._name}

    def memory(self) -> dict[str, int]:
        """Return the memory that each running host uses, in bytes, without the page cache."""
        running = {host: each for host, each in self.containers().items() if each.status == "running"}
        with ThreadPoolExecutor(8) as pool:  # the engine takes more than a second for each
            used = dict(zip(running, pool.map(_memory, running.values()), strict=True))
        return {host: size for host, size in used.items() if size is not None}


def _memory(container: Container) -> int | None:
    from docker.errors import APIError

    try:
        stats: Mapping[str, Any] = container.stats(stream=False)["memory_stats"]
    except (APIError, KeyError):  # it has stopped meanwhile
        return None
    cache = stats.get("stats", {}).get("total_inactive_file", stats.get("stats", {}).get("inactive_file", 0))
    return int(stats.get("usage", 0)) - int(cache)


def _remove(container: Container) -> None:
    from docker.errors import NotFound

    with contextlib.suppress(NotFound):
        container.remove(force=True, v=True)
