"""What this machine can and can't do for the course, and what to do about it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from labs.engine.course.edition import GoComponent, load_edition
from labs.engine.course.topology import load_topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker.engine import connect
from labs.engine.hosts.hosts import proxy_mode
from labs.engine.hosts.vagrant.machines import check_vagrant
from labs.engine.software.builders.go import find_go
from labs.engine.software.components import Builder
from labs.engine.workspace import cache_dir, free_disk

MEMORY_NEEDED = 2 << 30  # bytes; the five hosts of the Flannel lab use 1 GiB
DISK_NEEDED = 3 << 30  # bytes for hosts whose images are built already
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_NEEDED = 512  # instances; a set of hosts uses about 60, besides whatever else root runs
PROVIDERS = ("docker", "virtualbox", "libvirt")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is all right, what was found, and what to do about it if not."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def examine(repo: Path) -> Sequence[Finding]:
    """Look at everything the course needs of this machine; never raises for what it finds."""
    return [
        _probe("Docker engine", lambda: f"version {connect().version()['Version']}"),
        _probe("Vagrant", check_vagrant),
        _probe("topology.yml", lambda: f"{len(load_topology(repo).hosts)} hosts in {load_topology(repo).network}"),
        _probe("versions.yml", lambda: f"{len(load_edition(repo).components)} components"),
        _probe("Components", lambda: _components(repo)),
        _probe("Memory", _memory),
        _probe("Disk", _disk),
        _probe("inotify", _inotify),
        Finding(
            "kube-proxy",
            True,
            f"mode {proxy_mode()}" + ("" if proxy_mode() == "ipvs" else ": this kernel has no ip_vs loaded"),
        ),
    ]


def _probe(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except LabError as error:
        return Finding(name, False, error.message, error.hint)


def _components(repo: Path) -> str:
    edition = load_edition(repo)
    missing = Builder(repo, cache_dir(), edition).missing(list(edition.components))
    if not missing:
        return "all built"
    go = any(isinstance(edition.component(name), GoComponent) for name in missing)
    return f"still to be built: {', '.join(missing)}" + (f", with {find_go()}" if go else "")


def _memory() -> str:
    need, free = MEMORY_NEEDED / (1 << 30), psutil.virtual_memory().available / (1 << 30)
    if free < need:
        raise LabError(
            f"The hosts need {need:.0f} GiB of memory, and {free:.1f} GiB are available.",
            "End some programs, or give the machine (or Docker's virtual machine) more memory.",
        )
    return f"{free:.1f} GiB available"


def _disk() -> str:
    need, free = DISK_NEEDED / (1 << 30), free_disk() / (1 << 30)
    if free < need:
        raise LabError(
            f"The hosts need {need:.0f} GiB of disk, and {free:.1f} GiB are free in {cache_dir()}.",
            "Free some space, or set F0_CACHE to a folder on a larger disk.",
        )
    return f"{free:.1f} GiB free in {cache_dir()}"


def _inotify() -> str:
    limit = int(INOTIFY_LIMIT.read_text())
    if limit < INOTIFY_NEEDED:
        raise LabError(
            f"The kernel allows {limit} inotify instances: too few for a second set of hosts.",
            "Run ./setup.sh: it raises the limit.",
        )
    return f"{limit} instances allowed"


def check_room() -> None:
    """Raise LabError unless Vagrant, memory and disk suffice for hosts."""
    check_vagrant()
    _memory()
    _disk()


def choose_provider(wanted: str | None) -> str:
    """Return the provider to use: the one asked for, else F0_PROVIDER, else docker.

    Raises:
        LabError: there is no such provider, or this machine has no box for it.
    """
    provider = wanted or os.environ.get("F0_PROVIDER") or "docker"
    if provider not in PROVIDERS:
        raise LabError(f"There is no provider '{provider}'.", f"The providers are {', '.join(PROVIDERS)}.")
    if provider != "docker" and not list(
        (Path.home() / ".vagrant.d/boxes").glob(f"f0labs-VAGRANTSLASH-host/*/{provider}")
    ):
        raise LabError(
            f"The provider '{provider}' needs the box f0labs/host, and this machine has none.",
            "docs/reference/hosts.md says how a box is made; --provider docker needs none.",
        )
    return provider
