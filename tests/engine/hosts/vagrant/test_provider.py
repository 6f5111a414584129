"""Virtual machines by Vagrant: what it is called for, what becomes of its output, and a Vagrant that can't be used.

`vagrant` is a script here; test_vagrantfile.py asks the real one.
"""

import subprocess
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts import network
from labs.engine.hosts.provider import Blueprint, HostState
from labs.engine.hosts.vagrant.provider import MARK, VagrantProvider, check_vagrant
from labs.engine.processes import environment
from labs.engine.settings import Settings
from labs.engine.workspace import Workspace
from tests.engine.conftest import Program

CALLS = 'echo "$@" >>calls'
STATUS = """
echo 1,f0-11,metadata,provider,libvirt
echo 1,f0-11,provider-name,libvirt
echo 1,f0-11,state,running
echo 1,f0-12,state,paused
echo 1,f0-13,state,shutoff
echo 1,f0-14,state,not_created
"""


@pytest.fixture
def provider(workspace: Workspace, topology: Topology, settings: Settings) -> VagrantProvider:
    workspace.claim()
    return VagrantProvider("libvirt", workspace, topology, settings)


@pytest.fixture
def known(workspace: Workspace, provider: VagrantProvider) -> None:
    """Vagrant has a machine in this workspace."""
    (workspace.root / ".vagrant/machines/f0-11/libvirt").mkdir(parents=True)


def calls(workspace: Workspace) -> list[str]:
    return (workspace.root / "calls").read_text().splitlines()


def test_hosts_are_created_by_one_call_in_their_workspace(
    provider: VagrantProvider, blueprint: Blueprint, program: Program, workspace: Workspace
) -> None:
    program("vagrant", CALLS)
    provider.create(blueprint)
    assert calls(workspace) == ["up --provider=libvirt"]
    assert (workspace.root / "Vagrantfile").exists()


def test_docker_is_not_called_for_virtual_machines(
    provider: VagrantProvider, blueprint: Blueprint, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("vagrant", "true")
    program("docker", "exit 1")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    provider.create(blueprint)


def test_vagrants_processes_carry_the_name_of_their_workspace(
    provider: VagrantProvider, blueprint: Blueprint, program: Program, workspace: Workspace
) -> None:
    program("vagrant", f'echo "${MARK}, ${{VAGRANT_CHECKPOINT_DISABLE}}" >mark')
    provider.create(blueprint)
    assert (workspace.root / "mark").read_text() == f"{workspace.name}, 1\n"


def test_hosts_are_stopped_and_started_one_after_another(
    provider: VagrantProvider, program: Program, workspace: Workspace
) -> None:
    program("vagrant", CALLS)
    provider.stop(["f0-13", "f0-14"])
    provider.start(["f0-13", "f0-14"])
    assert calls(workspace) == [
        "halt f0-13",
        "halt f0-14",
        "up f0-13 --provider=libvirt",
        "up f0-14 --provider=libvirt",
    ]


@pytest.mark.usefixtures("known")
def test_states_are_the_same_words_as_for_containers(provider: VagrantProvider, program: Program) -> None:
    program("vagrant", STATUS)
    assert provider.states() == {
        "f0-11": HostState.RUNNING,
        "f0-12": HostState.PAUSED,
        "f0-13": HostState.STOPPED,
        "f0-14": HostState.ABSENT,
        "f0-15": HostState.ABSENT,
    }


@pytest.mark.usefixtures("known")
def test_memory_is_what_running_machines_are_given(provider: VagrantProvider, program: Program) -> None:
    program("vagrant", STATUS)
    assert provider.memory() == {"f0-11": 512 << 20}


def test_without_machines_every_host_is_absent_and_vagrant_is_not_asked(
    provider: VagrantProvider, program: Program, topology: Topology
) -> None:
    program("vagrant", "exit 1")
    assert provider.states() == dict.fromkeys(topology.names, HostState.ABSENT)
    assert provider.memory() == {}


@pytest.mark.usefixtures("known")
def test_known_machines_are_destroyed_without_a_question(
    provider: VagrantProvider, program: Program, workspace: Workspace
) -> None:
    program("vagrant", CALLS)
    provider.destroy()
    assert calls(workspace) == ["destroy --force"]


@pytest.mark.parametrize("notes", ["f0-11/docker", "f0-11/virtualbox"])
def test_vagrant_is_not_called_for_machines_of_other_providers(
    provider: VagrantProvider, program: Program, workspace: Workspace, notes: str
) -> None:
    (workspace.root / ".vagrant/machines" / notes).mkdir(parents=True)
    program("vagrant", "exit 1")
    provider.destroy()


def test_destroying_nothing_is_harmless(provider: VagrantProvider, program: Program) -> None:
    program("vagrant", "exit 1")
    provider.destroy()


def test_the_last_lines_of_vagrant_are_shown_and_all_of_them_kept(
    provider: VagrantProvider, program: Program, workspace: Workspace
) -> None:
    program("vagrant", "seq 1 20; echo 'no such image' >&2; exit 1")
    with pytest.raises(LabError) as raised:
        provider.start(["f0-13"])
    assert raised.value.code == "vagrant"
    assert str(raised.value) == "`vagrant up` failed:\n16\n17\n18\n19\n20\nno such image"
    assert str(raised.value.hint) == f"The whole log is in {workspace.logs}/vagrant.log."
    assert (workspace.logs / "vagrant.log").read_text().startswith("1\n2\n3\n")


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("up", lambda provider: provider.start(["f0-13"])),
        ("halt", lambda provider: provider.stop(["f0-13"])),
        ("status", lambda provider: provider.states()),
        ("destroy", lambda provider: provider.destroy()),
    ],
)
def test_every_command_that_fails_is_named(
    provider: VagrantProvider, program: Program, verb: str, call: Callable[[VagrantProvider], object]
) -> None:
    program("vagrant", "echo it is broken >&2; exit 3")
    with pytest.raises(LabError) as raised:
        call(provider)
    assert str(raised.value) == f"`vagrant {verb}` failed:\nit is broken"


@pytest.mark.usefixtures("known", "no_programs")
def test_a_vagrant_that_was_uninstalled_meanwhile_is_reported(provider: VagrantProvider) -> None:
    with pytest.raises(LabError, match=r"^Vagrant is not installed\.$"):
        provider.states()


class Sleepers(NamedTuple):
    """What still runs of Vagrant for this workspace, and for another one."""

    ours: subprocess.Popen[bytes]
    others: subprocess.Popen[bytes]

    def running(self) -> list[bool]:
        return [psutil.pid_exists(process.pid) for process in self]


@pytest.fixture
def sleepers(workspace: Workspace) -> Iterator[Sleepers]:
    started = [
        subprocess.Popen(["sleep", "60"], env=environment(**{MARK: name})) for name in (workspace.name, "f0labs-other")
    ]
    yield Sleepers(*started)
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("known")
def test_destroying_ends_what_still_creates_machines_of_this_workspace_and_of_no_other(
    provider: VagrantProvider, program: Program, sleepers: Sleepers
) -> None:
    program("vagrant", "true")
    provider.destroy()
    assert sleepers.running() == [False, True]


def test_an_interrupted_creation_leaves_no_process_behind(
    provider: VagrantProvider, blueprint: Blueprint, program: Program, sleepers: Sleepers
) -> None:
    program("vagrant", "kill -INT $PPID; sleep 60")
    with pytest.raises(KeyboardInterrupt):
        provider.create(blueprint)
    assert sleepers.running() == [False, True]


def test_machines_have_a_kernel_without_ip_vs_and_the_topologys_interface(
    provider: VagrantProvider, topology: Topology
) -> None:
    assert (provider.facts().ip_vs, provider.facts().interface) == (False, topology.interface)


def test_machines_are_made_anew_rather_than_restored(provider: VagrantProvider) -> None:
    assert not provider.checkpoint()
    assert (provider.last_output("f0-11"), set(provider.others())) == ("", set())


def test_addresses_of_this_machine_are_refused(provider: VagrantProvider) -> None:
    with pytest.raises(LabError) as raised:
        provider.check_network(IPv4Network("127.0.0.0/24"))
    assert raised.value.code == "network-in-use"


@pytest.mark.parametrize(("name", "interface"), [("libvirt", "virbr1"), ("virtualbox", "vboxnet0")])
def test_the_providers_interface_of_earlier_machines_is_used_again(
    workspace: Workspace,
    topology: Topology,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    interface: str,
) -> None:
    addresses = psutil.net_if_addrs()["lo"]
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {interface: addresses})
    VagrantProvider(name, workspace, topology, settings).check_network(IPv4Network("127.0.0.0/24"))
    with pytest.raises(LabError, match=rf"\({interface}: 127\.0\.0\.1\)"):
        network.check_network(IPv4Network("127.0.0.0/24"), ours="")


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Vagrant keeps the box for libvirt; it is not there yet."""
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path / "vagrant"))
    return tmp_path / "vagrant/boxes/f0labs-VAGRANTSLASH-host/0/libvirt"


def test_vagrant_its_box_and_room_for_machines_are_checked(
    provider: VagrantProvider, program: Program, box: Path
) -> None:
    program("vagrant", "echo Vagrant 2.4.9")
    box.mkdir(parents=True)
    findings = {str(finding.name): str(finding.result) for finding in provider.check()}
    assert list(findings) == ["Vagrant", "Box", "Memory", "Disk"]
    assert (findings["Vagrant"], findings["Box"]) == ("Vagrant 2.4.9", "f0labs/host")


@pytest.mark.usefixtures("box", "no_programs")
def test_a_missing_vagrant_and_a_missing_box_are_both_found(provider: VagrantProvider) -> None:
    errors = [finding.error for finding in provider.check()[:2]]
    assert [error and error.code for error in errors] == ["vagrant", "provider-unavailable"]
    assert str(errors[1]) == "The provider 'libvirt' needs the box f0labs/host, which this machine doesn't have."


@pytest.mark.parametrize("version", ["2.3.0", "2.4.9", "2.10.1", "3.0.0"])
def test_a_vagrant_that_is_new_enough_is_accepted(program: Program, version: str) -> None:
    program("vagrant", f"echo Vagrant {version}")
    assert check_vagrant() == f"Vagrant {version}"


@pytest.mark.usefixtures("no_programs")
def test_a_missing_vagrant_is_reported() -> None:
    with pytest.raises(LabError) as raised:
        check_vagrant()
    assert str(raised.value) == "Vagrant is not installed."
    assert str(raised.value.hint) == "Run ./setup.sh, which installs it or says where to get it."


@pytest.mark.parametrize(("script", "version"), [("echo Vagrant 2.2.19", "Vagrant 2.2.19"), ("exit 1", "?")])
def test_a_vagrant_that_is_too_old_is_reported(program: Program, script: str, version: str) -> None:
    program("vagrant", script)
    with pytest.raises(LabError) as raised:
        check_vagrant()
    assert str(raised.value) == f"Vagrant is too old: {version}."
    assert str(raised.value.hint) == "Install version 2.3 or newer."
