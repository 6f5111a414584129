"""Hosts as virtual machines that Vagrant runs, with VirtualBox or libvirt."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import IO, Any, TypeVar

from labs.engine.cache import Cache
from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts import resources
from labs.engine.hosts.network import check_network
from labs.engine.hosts.provider import Blueprint, Facts, Finding, HostState
from labs.engine.hosts.resources import probe
from labs.engine.hosts.vagrant.vagrantfile import BOX, write_vagrantfile
from labs.engine.messages import Sentence, _, verbatim
from labs.engine.minimums import minimum
from labs.engine.processes import environment
from labs.engine.settings import Settings
from labs.engine.workspace import Workspace

_T = TypeVar("_T")
MARK = "F0LABS_MACHINES_OF"  # in the environment of processes that create hosts: for which workspace
_STATES = {
    "running": HostState.RUNNING,
    "paused": HostState.PAUSED,
    "not_created": HostState.ABSENT,
}
# The interfaces that a provider makes for its networks. They stay when machines are removed, and are used again.
_INTERFACES = {"libvirt": "virbr*", "virtualbox": "vboxnet*"}


def make(name: str, workspace: Workspace, topology: Topology, settings: Settings) -> "VagrantProvider":
    """Return the provider for the hosts of a workspace."""
    return VagrantProvider(name, workspace, topology, settings)


class VagrantProvider:
    """Runs Vagrant in the workspace; its output goes to `.labs/logs/vagrant.log`."""

    def __init__(self, name: str, workspace: Workspace, topology: Topology, settings: Settings) -> None:
        self._name, self._workspace, self._topology, self._settings = name, workspace, topology, settings

    @cached_property
    def _vagrant(self) -> Any:
        import vagrant

        return vagrant.Vagrant(
            root=str(self._workspace.root),
            out_cm=self._log,
            err_cm=self._log,
            env=environment(VAGRANT_CHECKPOINT_DISABLE="1", **{MARK: self._workspace.name}),
        )

    @contextlib.contextmanager
    def _log(self) -> Iterator[IO[str]]:
        self._workspace.logs.mkdir(parents=True, exist_ok=True)
        with (self._workspace.logs / "vagrant.log").open("a") as file:
            yield file

    def check(self) -> Sequence[Finding]:
        """Return what this machine has, and lacks, for virtual machines."""
        return [
            probe(_("Vagrant"), lambda: verbatim(check_vagrant())),
            probe(_("Box"), self._check_box),
            resources.memory(),
            resources.disk(Cache(self._settings.cache)),
        ]

    def _check_box(self) -> Sentence:
        home = Path(environment().get("VAGRANT_HOME") or Path.home() / ".vagrant.d")
        boxes = list((home / "boxes").glob(f"{BOX.replace('/', '-VAGRANTSLASH-')}/*/{self._name}"))
        if not boxes:
            raise LabError(
                "provider-unavailable",
                _(
                    "The provider '{name}' needs the box {box}, which this machine doesn't have.",
                    name=self._name,
                    box=BOX,
                ),
                _("docs/reference/hosts.md explains how to make a box; --provider docker needs none."),
            )
        return verbatim(BOX)

    def check_network(self, network: IPv4Network) -> None:
        """Raise LabError when something other than this provider's machines uses addresses of the lab network."""
        check_network(network, ours=_INTERFACES[self._name])

    def facts(self) -> Facts:
        """Return what the machines have: a kernel of their own without ip_vs, and the interface of the topology."""
        return Facts(ip_vs=False, interface=self._topology.interface)

    def create(self, blueprint: Blueprint) -> None:
        """Create and start every virtual machine; LabError with Vagrant's last lines when that fails."""
        write_vagrantfile(self._workspace, self._topology, self._name, blueprint)
        try:
            self._run("up", partial(self._vagrant.up, provider=self._name))
        except KeyboardInterrupt:
            self._abandon()
            raise

    def start(self, hosts: Collection[str]) -> None:
        """Start virtual machines."""
        for host in hosts:
            self._run("up", partial(self._vagrant.up, vm_name=host, provider=self._name))

    def stop(self, hosts: Collection[str]) -> None:
        """Shut virtual machines down."""
        for host in hosts:
            self._run("halt", partial(self._vagrant.halt, vm_name=host))

    def states(self) -> Mapping[str, HostState]:
        """Return the state of every host."""
        absent = dict.fromkeys(self._topology.names, HostState.ABSENT)
        if not (self._workspace.root / ".vagrant").exists():
            return absent
        machines = self._run("status", self._vagrant.status)
        return absent | {machine.name: _STATES.get(machine.state, HostState.STOPPED) for machine in machines}

    def last_output(self, host: str) -> str:
        """Return nothing: Vagrant shows no console."""
        return ""

    def memory(self) -> Mapping[str, int]:
        """Return the memory that each machine is given, in bytes."""
        running = [host for host, state in self.states().items() if state is HostState.RUNNING]
        return {host: self._topology.host(host).memory << 20 for host in running}

    def checkpoint(self) -> bool:
        """Return False: snapshots aren't used yet."""
        return False

    def restore(self) -> None:
        """Never asked for: there is no checkpoint."""
        raise NotImplementedError

    def others(self) -> Collection[str]:
        """Return nothing: machines of other workspaces need neither the cache nor our images to run."""
        return ()

    def destroy(self) -> None:
        """Let Vagrant remove the machines that it knows of in this workspace."""
        if list(self._workspace.root.glob(f".vagrant/machines/*/{self._name}")):
            self._abandon()
            self._run("destroy", self._vagrant.destroy)

    def _abandon(self) -> None:
        """End what still creates machines for this workspace: after Ctrl-C, or after a run that was killed."""
        import psutil

        ours = [process for process in psutil.process_iter() if _mark(process) == self._workspace.name]
        for process in ours:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(ours, timeout=5)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _run(self, verb: str, call: Callable[[], _T]) -> _T:
        _program()
        try:
            return call()
        except subprocess.CalledProcessError as error:
            log = self._workspace.logs / "vagrant.log"
            output = "\n".join(log.read_text(errors="replace").strip().splitlines()[-6:]) if log.exists() else ""
            raise LabError(
                "vagrant",
                _("`vagrant {verb}` failed:\n{output}", verb=verb, output=output),
                _("The whole log is in {log}.", log=log),
            ) from error


def _mark(process: Any) -> str | None:
    import psutil

    try:
        return str(process.environ().get(MARK)) if process.pid != os.getpid() else None
    except psutil.Error:
        return None


def _program() -> str:
    program = shutil.which("vagrant")
    if not program:
        raise LabError(
            "vagrant", _("Vagrant is not installed."), _("Run ./setup.sh, which installs it or says where to get it.")
        )
    return program


def check_vagrant() -> str:
    """Return the version of Vagrant; LabError when it is missing or too old."""
    output = subprocess.run([_program(), "--version"], capture_output=True, text=True, check=False).stdout.strip()
    oldest = minimum("VAGRANT_OLDEST")
    if [int(number) for number in re.findall(r"\d+", output)[:2]] < [int(number) for number in oldest.split(".")]:
        raise LabError(
            "vagrant",
            _("Vagrant is too old: {version}.", version=output or "?"),
            _("Install version {oldest} or newer.", oldest=oldest),
        )
    return output
