"""Host containers: what the engine is asked for, so that systemd and a kubelet can live in a container.

`vagrant up` starts the docker client some 200 times for five hosts, with locks between them, while the hosts need the
processor to boot: the cluster is ready twice as fast when the containers are created side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labs.engine.errors import LabError
from labs.engine.hosts.docker.engine import Engine
from labs.engine.messages import _

if TYPE_CHECKING:
    from docker.errors import APIError

STOP_SECONDS = 10
# overlayfs can't lie on overlayfs
_VOLUMES = ("docker", "containerd", "kubelet")


def create_containers(
    engine: Engine,
    network: str,
    addresses: Mapping[str, IPv4Address],
    images: Mapping[str, str],
    ports: Mapping[str, Mapping[int, int]],
    mounts: Mapping[str, Mapping[Path, str]],
) -> dict[str, str]:
    """Create and start a container for every host, side by side; return their ids.

    Args:
        engine: the workspace's engine
        network: name of the lab network, and prefix of the containers' names
        addresses: each host's address
        images: each host's image
        ports: each host's published ports: port in the container → port on loopback
        mounts: each host's read-only folders: folder on this machine → path in the container

    Raises:
        LabError: the engine refuses one; it was asked for every other one by then.
    """
    from docker.errors import APIError

    def create(host: str) -> str:
        arguments = container_arguments(engine, network, host, addresses[host], ports[host], mounts[host])
        identifier: str = engine.client.api.create_container(images[host], **arguments)["Id"]
        engine.client.api.start(identifier)
        return identifier

    with ThreadPoolExecutor(len(addresses)) as pool:
        futures = {host: pool.submit(create, host) for host in addresses}
    for host, future in futures.items():
        error = future.exception()
        if isinstance(error, APIError):
            raise start_error(host, error) from error
    return {host: future.result() for host, future in futures.items()}


def start_error(host: str, error: APIError) -> LabError:
    """Return the error for a container that the engine refuses to create or start."""
    return LabError(
        "hosts-not-created",
        _("Docker could not start {host}:\n{output}", host=host, output=error.explanation or error),
        _("`invoke doctor` shows what this machine lacks."),
    )


def container_arguments(
    engine: Engine,
    network: str,
    host: str,
    address: IPv4Address,
    ports: Mapping[int, int],
    mounts: Mapping[Path, str],
) -> dict[str, Any]:
    """Return what the engine's create call gets for a host, in docker-py's words."""
    from docker.types import Mount

    api = engine.client.api
    host_config = api.create_host_config(
        # every capability but that to raise limits, which some machines can't grant
        cap_add=["ALL"],
        cap_drop=["SYS_RESOURCE"],
        cgroupns="private",
        device_cgroup_rules=["a *:* rwm"],
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        tmpfs={"/run": "", "/run/lock": "", "/tmp": "exec"},
        mounts=[
            *(Mount(f"/var/lib/{name}", None, type="volume") for name in _VOLUMES),
            *(Mount(target, str(source), type="bind", read_only=True) for source, target in mounts.items()),
        ],
        # Not a mount: the engine creates the folder on machines that have none, instead of refusing the container.
        binds=["/lib/modules:/lib/modules:ro"],
        port_bindings={inside: ("127.0.0.1", outside) for inside, outside in ports.items()},
        network_mode=network,
    )
    # What the docker client calls systempaths=unconfined; docker-py has no word for it.
    host_config |= {"MaskedPaths": [], "ReadonlyPaths": []}
    endpoint = api.create_endpoint_config(ipv4_address=str(address))
    return {
        "name": f"{network}.{host}",
        "hostname": host,
        "labels": engine.labels,
        "ports": list(ports),
        "stop_signal": "SIGRTMIN+3",
        "stop_timeout": STOP_SECONDS,
        "host_config": host_config,
        "networking_config": api.create_networking_config({network: endpoint}),
    }
