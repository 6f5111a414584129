"""The Docker engine: what we make there carries our label, and exactly that is removed again."""

import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import docker
import psutil
from docker.errors import APIError, BuildError, DockerException, NotFound
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from labs.engine.errors import LabError

LABEL = "f0labs.workspace"


def connect() -> docker.DockerClient:
    """Return a client of the Docker engine; LabError when there is none or this user may not use it."""
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except (DockerException, APIError) as error:
        if "Permission denied" in str(error):
            raise LabError(
                "This user may not use Docker's socket.",
                "Run `sudo usermod -aG docker $USER`, log in again, and try again.",
            ) from error
        raise LabError(
            "No Docker engine answers.",
            "Run ./setup.sh: it installs and starts one. (A remote one is named by DOCKER_HOST.)",
        ) from error
    return client


class Engine:
    """What one workspace has in the Docker engine."""

    def __init__(self, client: docker.DockerClient, workspace_name: str) -> None:
        self.client, self._name = client, workspace_name

    @property
    def labels(self) -> dict[str, str]:
        """The label of everything that belongs to this workspace."""
        return {LABEL: self._name}

    def containers(self) -> list[Container]:
        """Return this workspace's host containers, running or not."""
        return list(
            self.client.containers.list(all=True, filters={"label": f"{LABEL}={self._name}"}, ignore_removed=True)
        )

    def require_alive(self) -> None:
        """Raise LabError when a host container has ended by itself, with its last words."""
        ended = {"label": f"{LABEL}={self._name}", "status": "exited"}
        for one in self.client.containers.list(all=True, filters=ended, ignore_removed=True):
            said = one.logs(tail=5).decode(errors="replace").strip()
            raise LabError(
                f"{str(one.name).rsplit('.', 1)[-1]} ended at once:\n{said or 'it said nothing'}", "invoke doctor"
            )

    def networks(self) -> list[Network]:
        """Return this workspace's networks."""
        return list(self.client.networks.list(filters={"label": f"{LABEL}={self._name}"}))

    def check_network(self, network: IPv4Network) -> None:
        """Raise LabError when an interface of this machine (our bridge left out) has an address of the lab network."""
        for name, one in _addresses():
            if name != self._name and IPv4Address(one.address) in network:
                raise _network_in_use(network, f"{name} has {one.address}")

    def create_network(self, network: IPv4Network, *, internet: bool) -> None:
        """Create the lab network (its bridge has the first address), unless it is there already.

        Without `internet` the engine translates no source address: what a host sent outside would find no way back.

        Raises:
            LabError: another network of this machine has those addresses.
        """
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
            raise _network_in_use(network, str(error.explanation)) from error

    def remove_all(self) -> None:
        """Remove this workspace's containers with their volumes, side by side, then its networks.

        A run that was killed may have asked the engine for a container that appears only now: so look again.
        """
        for last in (False,) * 20 + (True,):
            try:
                with ThreadPoolExecutor(8) as pool:
                    list(pool.map(_remove, self.containers()))
                for network in self.networks():
                    with contextlib.suppress(NotFound):
                        network.remove()
                if not self.containers():
                    return
            except APIError:  # the network has a container again, or the engine is removing one already
                if last:
                    raise
            time.sleep(0.2)

    def remove_images(self) -> None:
        """Remove the images that hosts are made from."""
        for repository in ("f0labs/host", "f0labs/base"):
            for tag in [tag for image in self.client.images.list(repository) for tag in image.tags]:
                self.client.images.remove(tag, force=True)

    def memory(self) -> dict[str, int]:
        """Return the memory that each running host uses, in bytes, page cache left out."""
        running = [container for container in self.containers() if container.status == "running"]
        with ThreadPoolExecutor(8) as pool:  # the engine takes more than a second for each
            found = zip(running, pool.map(_memory, running), strict=True)
            return {str(one.name).rsplit(".", 1)[-1]: used for one, used in found if used is not None}


def build_image(
    client: docker.DockerClient,
    scratch: Path,
    context: Mapping[Path, Path | bytes],
    tag: str,
    arguments: Mapping[str, str],
) -> None:
    """Build an image from files, folders and texts that lie at the keys of `context`; LabError when that fails."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for target, source in context.items():
            place = Path(folder) / target
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(source, bytes):
                place.write_bytes(source)
            elif source.is_dir():
                shutil.copytree(source, place, symlinks=True, copy_function=os.link)
            else:
                shutil.copy2(source, place)
        try:
            client.images.build(path=folder, tag=tag, buildargs=dict(arguments), rm=True, forcerm=True)
        except BuildError as error:
            said = "".join(str(line.get("stream") or line.get("error") or "") for line in error.build_log)
            last = "\n".join(said.strip().splitlines()[-5:])
            raise _build_error(tag, last) from error
        except APIError as error:
            raise _build_error(tag, str(error.explanation or error)) from error


def _build_error(tag: str, reason: str) -> LabError:
    return LabError(f"The image {tag} could not be built:\n{reason}", "Is the disk full? `invoke doctor` tells.")


def _addresses() -> Iterator[tuple[str, Any]]:
    """Yield the interfaces of this machine with each of their IPv4 addresses."""
    for name, addresses in psutil.net_if_addrs().items():
        yield from ((name, one) for one in addresses if one.family == socket.AF_INET)


def _network_in_use(network: IPv4Network, reason: str) -> LabError:
    return LabError(
        f"The lab network {network} is used by something else on this machine ({reason}).",
        "Choose another one: F0_NETWORK=192.168.57.0/24 invoke lab.up …, or `lab.down` in the other checkout.",
    )


def _memory(container: Container) -> int | None:
    try:
        used: dict[str, Any] = container.stats(stream=False)["memory_stats"]
    except (APIError, KeyError):  # it has ended meanwhile
        return None
    cache = used.get("stats", {}).get("total_inactive_file", used.get("stats", {}).get("inactive_file", 0))
    return int(used.get("usage", 0)) - int(cache)


def _remove(container: Container) -> None:
    with contextlib.suppress(NotFound):
        container.remove(force=True, v=True)
