"""The hosts as Vagrant machines: rendered Vagrantfile, up, reload, destroy."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import psutil
import vagrant

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker.containers import MARK, Ports, course_folders, create_arguments
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.host_trees import environment
from labs.engine.workspace import Workspace

PORTS_OF_A_NETWORK = 20
OLDEST_VAGRANT = (2, 3)


class Machines:
    """Runs Vagrant in the workspace; its output goes to `.labs/logs/vagrant.log`."""

    def __init__(self, workspace: Workspace, topology: Topology, provider: str) -> None:
        self._workspace, self._topology, self._provider = workspace, topology, provider
        own = {"VAGRANT_CHECKPOINT_DISABLE": "1", MARK: workspace.name}
        if provider == "docker":
            # Vagrant remembers machines and the ports it lent in its home: for containers that is ours, gone with them.
            own["VAGRANT_HOME"] = str(workspace.root / "vagrant.d")
        self._vagrant = vagrant.Vagrant(
            root=str(workspace.root),
            out_cm=self._log,
            err_cm=self._log,
            env={**os.environ, **own},
        )

    @contextlib.contextmanager
    def _log(self) -> Iterator[IO[str]]:
        self._workspace.logs.mkdir(parents=True, exist_ok=True)
        with (self._workspace.logs / "vagrant.log").open("a") as file:
            yield file

    def write_vagrantfile(self, images: Mapping[str, str], ports: Ports, engine: Engine) -> None:
        """Write `.labs/Vagrantfile` for hosts made from `images`."""
        template = self._workspace.repo / "vagrant" / "Vagrantfile.j2"
        text = (
            environment()
            .from_string(template.read_text())
            .render(
                workspace=self._workspace,
                topology=self._topology,
                provider=self._provider,
                images=images,
                box="f0labs/host",
                ports=ports,
                create_arguments=lambda host: create_arguments(
                    self._workspace, self._topology, host.name, engine.labels
                ),
                course_folders=lambda host: course_folders(self._workspace, self._topology, host),
            )
        )
        (self._workspace.root / "Vagrantfile").write_text(text)

    def up(self) -> None:
        """Create and start every virtual machine; LabError with Vagrant's last words when that fails."""
        self._run("up", lambda: self._vagrant.up(provider=self._provider))

    def abandon(self) -> None:
        """End what still creates hosts for this workspace: after Ctrl-C, or after a run that was killed."""
        ours = [process for process in psutil.process_iter() if _mark(process) == self._workspace.name]
        for process in ours:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(ours, timeout=5)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def reload(self, host: str) -> None:
        """Stop one host as if its power button had been pressed, and start it again."""
        self._run("halt", lambda: self._vagrant.halt(vm_name=host))
        try:
            self._run("up", lambda: self._vagrant.up(vm_name=host, provider=self._provider))
        except LabError as error:
            # Vagrant inspects every container of the engine for its ports, and fails when one vanishes meanwhile.
            if "No such object" not in error.message:
                raise
            self._run("up", lambda: self._vagrant.up(vm_name=host, provider=self._provider))

    def destroy(self) -> None:
        """Let Vagrant remove virtual machines it knows of; containers and all notes of them are gone by then."""
        if self._provider != "docker" and (self._workspace.root / ".vagrant").exists():
            self._run("destroy", self._vagrant.destroy)

    def _run(self, verb: str, call: Callable[[], object]) -> None:
        try:
            call()
        except subprocess.CalledProcessError as error:
            log = self._workspace.logs / "vagrant.log"
            last = "\n".join(log.read_text(errors="replace").strip().splitlines()[-6:]) if log.exists() else ""
            raise LabError(f"Vagrant could not {verb} the hosts:\n{last}", f"The whole log is {log}.") from error


def _mark(process: psutil.Process) -> str | None:
    try:
        return str(process.environ().get(MARK))
    except psutil.Error:
        return None


def check_vagrant() -> str:
    """Return the version of Vagrant; LabError when it is missing or too old."""
    program = shutil.which("vagrant")
    if not program:
        raise LabError("Vagrant is not installed.", "Run ./setup.sh: it installs it, or says where to get it.")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = tuple(int(number) for number in re.findall(r"\d+", said)[:2])
    if numbers < OLDEST_VAGRANT:
        raise LabError(
            f"{said.strip() or 'Vagrant (unknown version)'} is too old.",
            f"Install {'.'.join(map(str, OLDEST_VAGRANT))} or newer.",
        )
    return said.strip()


def free_ports(topology: Topology) -> Ports:
    """Return a free loopback port for SSH of every host and for each published port.

    Every lab network has ports of its own, by its third number: a host that is off for a moment keeps its own.

    Raises:
        LabError: too few of them are free.
    """
    first = topology.first_port + PORTS_OF_A_NETWORK * topology.network.network_address.packed[2]
    last = first + PORTS_OF_A_NETWORK - 1
    wanted = [(host.name, "ssh") for host in topology.hosts] + [(port.host, port.name) for port in topology.published]
    ports: Ports = {host.name: {} for host in topology.hosts}
    candidates = iter(range(first, last + 1))
    for host, name in wanted:
        port = next((port for port in candidates if _is_free(port)), None)
        if port is None:
            raise LabError(
                f"Too few ports between {first} and {last} are free on this machine.",
                "End what holds them, or set another `first_port` in vagrant/topology.yml.",
            )
        ports[host][name] = port
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ssh_config(workspace: Workspace, ports: Ports) -> str:
    """Return an OpenSSH client configuration for the hosts: no host of it is known by key, all are on loopback."""
    sections = [
        f"Host {name} {name}.frank.com\n  HostName 127.0.0.1\n  Port {own['ssh']}\n"
        for name, own in sorted(ports.items())
    ]
    common = (
        "Host f0-*\n  User vagrant\n"
        f'  IdentityFile "{workspace.root}/ssh_key"\n'
        "  IdentitiesOnly yes\n"
        "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
        "  ConnectTimeout 5\n  ServerAliveInterval 5\n  ServerAliveCountMax 3\n"
        f"  ControlMaster auto\n  ControlPersist 60s\n  ControlPath {control_path(workspace)}\n"
    )
    return "".join(sections) + common


def make_control_folder(workspace: Workspace) -> None:
    """Make the folder of SSH's shared connections; LabError when it is somebody else's."""
    folder = control_path(workspace).parent
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if folder.lstat().st_uid != os.getuid():
        raise LabError(
            f"{folder} belongs to another user of this machine.", "Remove it, or let F0_WORKSPACE name another folder."
        )


def control_path(workspace: Workspace) -> Path:
    """Return where SSH keeps its shared connections: a short path, since a socket's path has at most 108 bytes."""
    folder = Path(f"/tmp/{workspace.name}-{os.getuid()}")
    return folder / "%n"
