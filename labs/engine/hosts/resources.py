"""What hosts need of this machine: memory, disk, kernel limits."""

from collections.abc import Callable
from pathlib import Path

from labs.engine.cache import Cache
from labs.engine.errors import LabError
from labs.engine.hosts.provider import Finding
from labs.engine.messages import Sentence, _
from labs.engine.minimums import minimum

GIB = 1 << 30
MEMORY_NEEDED = 2 * GIB  # bytes; the five hosts of the Flannel lab use 1 GiB
DISK_NEEDED = 3 * GIB  # bytes for hosts whose images are built already
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")


def probe(name: Sentence, look: Callable[[], Sentence], *, required: bool = True) -> Finding:
    """Return what `look` finds; a LabError becomes part of the finding."""
    try:
        return Finding(name, look())
    except LabError as error:
        return Finding(name, error.message, error, required)


def memory() -> Finding:
    """Return whether the hosts' memory is available."""
    return probe(_("Memory"), _memory)


def disk(cache: Cache) -> Finding:
    """Return whether the hosts' disk space is available."""
    return probe(_("Disk"), lambda: _disk(cache))


def inotify() -> Finding:
    """Return whether the kernel allows enough inotify instances; one set of hosts works without."""
    return probe(_("inotify"), _inotify, required=False)


def _memory() -> Sentence:
    import psutil  # only where hosts are started

    free = psutil.virtual_memory().available
    if free < MEMORY_NEEDED:
        raise LabError(
            "memory",
            _(
                "The hosts need {needed} GiB of memory; {free} GiB are available.",
                needed=_gib(MEMORY_NEEDED),
                free=_gib(free),
            ),
            _("Close some programs, or give the machine (or Docker's virtual machine) more memory."),
        )
    return _("{free} GiB available", free=_gib(free))


def _disk(cache: Cache) -> Sentence:
    free = cache.free_disk()
    values = {"needed": _gib(DISK_NEEDED), "free": _gib(free), "folder": cache.root}
    if free < DISK_NEEDED:
        raise LabError(
            "disk-space",
            _("The hosts need {needed} GiB of disk space; {folder} has {free} GiB left.", **values),
            _("Free some space, or set F0_CACHE to a folder on a larger disk."),
        )
    return _("{free} GiB free in {folder}", free=_gib(free), folder=cache.root)


def _inotify() -> Sentence:
    limit = int(INOTIFY_LIMIT.read_text())
    if limit < int(minimum("INOTIFY_INSTANCES")):
        raise LabError(
            "inotify",
            _("The kernel allows only {limit} inotify instances, too few for a second set of hosts.", limit=limit),
            _("Run ./setup.sh, which raises the limit."),
        )
    return _("{limit} instances allowed", limit=limit)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}".removesuffix(".0")
