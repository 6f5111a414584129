"""The project's own benchmark: how long each thing takes, and the floor it stands on, measured in one run."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labs.engine.course.edition import load_edition
from labs.engine.course.topology import load_topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker import containers
from labs.engine.hosts.docker.engine import Engine, connect
from labs.engine.hosts.hosts import Hosts
from labs.engine.hosts.readiness import Api, wait_until
from labs.engine.session import Course
from labs.engine.software.software import Software
from labs.engine.starting import UP_SECONDS
from labs.engine.terminal.progress import Tasks
from labs.engine.workspace import cache_dir


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return round(time.monotonic() - start, 2)


def run_bench(repo: Path, id: str | None, tasks: Tasks) -> list[dict[str, Any]]:
    """Return times in seconds, memory and sizes in MiB, for one lab or each, with warm caches. No lab may be up.

    Raises:
        LabError: there is no such lab; a lab is up; something fails on the way.
    """
    course = Course(repo, tasks)
    labs = [course.catalog.lab(id)] if id else course.catalog.labs.values()
    if course.workspace.read_state():
        raise LabError("A lab is up, and measuring would end it.", "invoke lab.down first.")
    return [_measure(repo, course, lab.id, tasks) for lab in labs]


def _measure(repo: Path, course: Course, id: str, tasks: Tasks) -> dict[str, Any]:
    course.up(id)  # whatever is cold gets warm
    course.down()
    try:
        times = {"floor": _floor(repo, course, id, tasks), "up": _seconds(lambda: course.up(id))}
        times["check_before"] = _seconds(lambda: course.check(id, "en"))
        times["solve"] = _seconds(lambda: course.solve(id))
        times["check"] = statistics.median(_seconds(lambda: course.check(id, "en")) for _ in range(3))
        memory = {host.name: host.memory_mib for host in course.status().hosts}
        times["reset"] = _seconds(course.reset)
    finally:
        times_down = _seconds(course.down)
    return {
        "lab": id,
        "seconds": {**times, "down": times_down, "up_per_floor": round(times["up"] / times["floor"], 2)},
        "memory_mib": {**memory, "all": sum(used or 0 for used in memory.values())},
        "size_mib": _sizes(repo, course, id),
    }


def _floor(repo: Path, course: Course, id: str, tasks: Tasks) -> float:
    """The same five containers, started bare by the docker client, until their cold kubelets' nodes are ready."""
    needs, workspace = course.catalog.needs(id), course.workspace
    topology = load_topology(repo).demanding(needs.roles)
    engine = Engine(connect(), workspace.name)
    software = Software(repo, cache_dir(), engine.client)
    hosts = Hosts(workspace, topology, load_edition(repo), "docker", engine)
    images = software.host_images(needs, topology)
    ports = hosts.lay_out(images, software.archives([needs]), internet=False)
    api = Api(workspace, ports["f0-13"]["api"])

    def run() -> None:
        containers.start(workspace, topology, images, ports, engine.labels)
        if not wait_until(lambda: len(api.ready_nodes()) == 2, UP_SECONDS):
            raise LabError("The bare containers did not become a cluster.", "invoke doctor")

    with tasks.task("Measuring the floor: bare containers"):
        seconds = _seconds(run)
    hosts.destroy()
    return seconds


def _sizes(repo: Path, course: Course, id: str) -> dict[str, float]:
    client, needs = connect(), course.catalog.needs(id)
    software = Software(repo, cache_dir(), client)
    archives = software.archives([needs])
    images = software.host_images(needs, load_topology(repo).demanding(needs.roles))
    folders = software.components([needs]).values()
    built = [file for folder in folders for file in folder.rglob("*") if not file.is_symlink()]
    components = sum(file.stat().st_size for file in built)
    return {
        "host_images": sum(client.images.get(tag).attrs["Size"] for tag in set(images.values())) >> 20,
        "components": components >> 20,
        "archives": round(sum(path.stat().st_size for path in archives.values()) / (1 << 20), 1),
    }
