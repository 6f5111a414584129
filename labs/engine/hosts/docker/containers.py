"""Host containers, started side by side by the docker client, and known to Vagrant as its machines.

Vagrant's own `up` starts the docker client some 200 times for five hosts, with locks between them, just while the hosts
need the processor to boot: the cluster is ready twice as fast without. So the containers are started here, as the
Vagrantfile says, and each is entered where Vagrant keeps the id of a machine: `vagrant status`, `ssh`, `halt` and `up`
then work on it as on one of its own making.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.workspace import Workspace

MARK = "F0LABS_MACHINES_OF"  # in the environment of processes that create hosts: for which workspace
Ports = dict[str, dict[str, int]]


def start(
    workspace: Workspace,
    topology: Topology,
    images: Mapping[str, str],
    ports: Ports,
    labels: Mapping[str, str],
) -> None:
    """Start a container for every host; LabError with Docker's words about the first that does not start."""
    program = shutil.which("docker")
    if not program:
        raise LabError("The docker client is not installed.", "Run ./setup.sh: it installs it.")
    running = {
        name: subprocess.Popen(
            [program, "run", "--detach", *run_arguments(workspace, topology, name, ports[name], labels), images[name]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, MARK: workspace.name},
        )
        for name in topology.names
    }
    refused = []
    for name, process in running.items():  # every one is waited for: none starts behind the back of an error
        identifier, said = process.communicate()
        if process.returncode:
            refused.append(f"{name} could not be started:\n{said.strip()}")
        else:
            note = workspace.root / ".vagrant" / "machines" / name / "docker" / "id"
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(identifier.strip())
    if refused:
        raise LabError(refused[0], "invoke doctor tells what this machine lacks.")


def run_arguments(
    workspace: Workspace, topology: Topology, host: str, ports: Mapping[str, int], labels: Mapping[str, str]
) -> list[str]:
    """Return what `docker run` is told: name and ports, which the Vagrantfile has by other means, and the rest."""
    inside = {"ssh": 22} | {port.name: port.port for port in topology.published if port.host == host}
    return [
        f"--name={workspace.name}.{host}",
        *(f"--publish=127.0.0.1:{ports[name]}:{port}" for name, port in inside.items()),
        *create_arguments(workspace, topology, host, labels),
    ]


def create_arguments(workspace: Workspace, topology: Topology, host: str, labels: Mapping[str, str]) -> list[str]:
    """Return what `docker create` is told so that a container is a machine that systemd and a kubelet can live in."""
    return [
        f"--network={workspace.name}",
        f"--ip={topology.address(host)}",
        f"--hostname={host}",
        *(f"--label={label}={value}" for label, value in labels.items()),
        # all but the right to raise limits, which some machines can't give
        "--cap-add=ALL",
        "--cap-drop=SYS_RESOURCE",
        "--cgroupns=private",
        "--device-cgroup-rule=a *:* rwm",
        *(f"--security-opt={part}=unconfined" for part in ("seccomp", "apparmor", "systempaths")),
        "--stop-signal=SIGRTMIN+3",
        "--stop-timeout=10",
        "--tmpfs=/run",
        "--tmpfs=/run/lock",
        "--tmpfs=/tmp:exec",
        # overlayfs can't lie on overlayfs
        *(f"--volume=/var/lib/{name}" for name in ("docker", "containerd", "kubelet")),
        "--volume=/lib/modules:/lib/modules:ro",
        f"--volume={workspace.hosts}/{host}:/f0/tree:ro",
        f"--volume={workspace.root}/images:/opt/images:ro",
        *(f"--volume={source}:{target}:ro" for source, target in course_folders(workspace, topology, host).items()),
    ]


def course_folders(workspace: Workspace, topology: Topology, host: str) -> dict[Path, str]:
    """Return the folders of the repository that a host has, and where: manifests, on f0-15 the sources of labs."""
    sources = workspace.repo.glob("labs/*/source") if "ops" in topology.host(host).roles else ()
    return {
        workspace.repo / "manifests": "/f0/manifests",
        **{folder: f"/f0/source/{folder.parent.name}" for folder in sorted(sources)},
    }
