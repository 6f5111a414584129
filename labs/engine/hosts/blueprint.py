"""Everything that hosts are made from, written into the workspace."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from labs.engine.course.edition import Edition
from labs.engine.course.topology import Topology
from labs.engine.hosts.access import Access, free_ports
from labs.engine.hosts.credentials import Secrets
from labs.engine.hosts.host_trees import HostTrees
from labs.engine.hosts.pki import ssh_key_pair
from labs.engine.hosts.provider import Blueprint, Facts
from labs.engine.workspace import Workspace


def write_blueprint(
    workspace: Workspace,
    topology: Topology,
    edition: Edition,
    images: Mapping[str, str],
    archives: Mapping[str, Path],
    facts: Facts,
    *,
    internet: bool,
) -> Blueprint:
    """Write keys, certificates, file trees, archives and SSH configuration of fresh hosts into a claimed workspace.

    Args:
        workspace: where to write; it is ours and holds nothing of earlier hosts
        topology: the hosts, with the roles that the lab needs
        edition: the versions of the course
        images: each host's image
        archives: the container images that hosts start with, by name
        facts: what the provider's hosts have
        internet: whether the hosts may leave this machine

    Raises:
        LabError: too few ports are free.
    """
    ports = free_ports(topology)
    _link_archives(archives, workspace.root / "images")
    access = Access(workspace, topology.domain)
    public_key = _new_ssh_key(access.key)
    trees = HostTrees(
        workspace.repo,
        workspace.hosts,
        topology,
        edition,
        Secrets.generate(workspace.repo, public_key),
        proxy_mode="ipvs" if facts.ip_vs else "iptables",
    )
    api = next(port for port in topology.published if port.name == "api")
    trees.write(ports[api.host]["api"], internet=internet)
    access.write(ports)
    mounts = {host: _mounts(workspace, topology, host) for host in topology.names}
    return Blueprint(images, ports, mounts, internet)


def _mounts(workspace: Workspace, topology: Topology, host: str) -> dict[Path, str]:
    """Return the folders that a host has: its tree, archives, manifests, and on f0-15 the sources of labs."""
    sources = workspace.repo.glob("labs/*/source") if "ops" in topology.host(host).roles else ()
    return {
        workspace.hosts / host: "/f0/tree",
        workspace.root / "images": "/opt/images",
        workspace.repo / "manifests": "/f0/manifests",
        **{folder: f"/f0/source/{folder.parent.name}" for folder in sorted(sources)},
    }


def _link_archives(archives: Mapping[str, Path], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, archive in archives.items():
        try:
            os.link(archive, folder / f"{name}.tar")
        except OSError:  # the cache is on another file system
            shutil.copy2(archive, folder / f"{name}.tar")


def _new_ssh_key(file: Path) -> str:
    private, public = ssh_key_pair()
    file.touch(mode=0o600)
    file.write_bytes(private)
    return public.decode()
