"""The hosts as Vagrant machines: the Vagrantfile, ports, SSH's files, and a Vagrant that will not do."""

import os
import re
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path

import psutil
import pytest
from paramiko import SSHConfig

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker.containers import run_arguments
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.vagrant.machines import (
    Machines,
    check_vagrant,
    control_path,
    free_ports,
    make_control_folder,
    ssh_config,
)
from labs.engine.workspace import Workspace
from tests.engine.conftest import IMAGES, PORTS, Golden, Program, anywhere

PROVIDERS = ("docker", "virtualbox", "libvirt")
FIRST_PORT = 43700


def write_vagrantfile(workspace: Workspace, topology: Topology, provider: str) -> str:
    for host in topology.names:
        (workspace.hosts / host).mkdir(parents=True)
    (workspace.root / "images").mkdir()
    machines = Machines(workspace, topology, provider)
    machines.write_vagrantfile(IMAGES, PORTS, Engine(None, workspace.name))
    return (workspace.root / "Vagrantfile").read_text()


def validate(workspace: Workspace, *options: str) -> subprocess.CompletedProcess[str]:
    (workspace.root / "ssh_key").touch()
    return subprocess.run(
        ["vagrant", "validate", *options],
        cwd=workspace.root,
        env={**os.environ, "VAGRANT_HOME": f"{workspace.root}/home", "VAGRANT_CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def skip_without(provider: str, answer: str) -> None:
    if "No usable default provider" in answer:
        pytest.skip(f"Vagrant can't use {provider} on this machine")


@pytest.fixture
def few_ports(topology: Topology) -> Topology:
    return topology.model_copy(update={"first_port": FIRST_PORT - 20 * 56})


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", FIRST_PORT + 1)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_vagrantfile_reads_so(workspace: Workspace, topology: Topology, golden: Golden, provider: str) -> None:
    golden(f"Vagrantfile.{provider}", anywhere(write_vagrantfile(workspace, topology, provider), workspace))


@pytest.mark.skipif(not shutil.which("vagrant"), reason="Vagrant is not installed")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_vagrant_finds_the_vagrantfile_valid(workspace: Workspace, topology: Topology, provider: str) -> None:
    write_vagrantfile(workspace, topology, provider)
    result = validate(workspace)
    skip_without(provider, result.stderr)
    assert (result.returncode, result.stdout) == (0, "Vagrantfile validated successfully.\n"), result.stderr


@pytest.mark.skipif(not shutil.which("vagrant"), reason="Vagrant is not installed")
@pytest.mark.parametrize("provider", ["virtualbox", "libvirt"])
def test_all_but_the_providers_part_is_valid_without_it(
    workspace: Workspace, topology: Topology, provider: str
) -> None:
    write_vagrantfile(workspace, topology, provider)
    result = validate(workspace, "--ignore-provider")
    assert (result.returncode, "Vagrantfile validated successfully." in result.stdout) == (0, True), result.stderr


def test_what_is_published_is_on_loopback_only(workspace: Workspace, topology: Topology) -> None:
    text = write_vagrantfile(workspace, topology, "docker")
    forwarded = [line for line in text.splitlines() if ":forwarded_port" in line]
    assert len(forwarded) == len(topology.hosts) + len(topology.published)
    assert {re.findall('host_ip: "(.*?)"', line)[0] for line in forwarded} == {"127.0.0.1"}


def test_containers_are_started_as_the_vagrantfile_says(workspace: Workspace, topology: Topology) -> None:
    text = write_vagrantfile(workspace, topology, "docker")
    for host, section in zip(topology.names, text.split("config.vm.define")[1:], strict=True):
        (name,) = re.findall(r'docker\.name = "(.*?)"', section)
        forwarded = re.findall(r'guest: (\d+), host: (\d+), host_ip: "(.*?)"', section)
        said = [
            f"--name={name}",
            *(f"--publish={address}:{outside}:{inside}" for inside, outside, address in forwarded),
        ]
        said += re.findall(r'^ {8}"(.*)",$', section, re.M)
        labels = Engine(None, workspace.name).labels
        assert run_arguments(workspace, topology, host, PORTS[host], labels) == said


def test_ports_are_the_first_free_ones(few_ports: Topology) -> None:
    ports = free_ports(few_ports)
    assert [ports[host]["ssh"] for host in few_ports.names] == [43700, 43701, 43702, 43703, 43704]
    assert ports["f0-13"]["api"] == 43705


def test_every_lab_network_has_ports_of_its_own(few_ports: Topology) -> None:
    other = few_ports.model_copy(update={"network": IPv4Network("192.168.57.0/24")})
    assert free_ports(other)["f0-11"]["ssh"] == free_ports(few_ports)["f0-11"]["ssh"] + 20


def test_a_taken_port_is_left_out(few_ports: Topology, taken: int) -> None:
    given = [port for own in free_ports(few_ports).values() for port in own.values()]
    assert sorted(given) == [43700, *range(43702, 43707 + len(few_ports.published) - 1)]
    assert taken not in given


def test_no_free_port_is_told(few_ports: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.engine.hosts.vagrant.machines._is_free", lambda port: port < FIRST_PORT + 5)
    with pytest.raises(LabError) as raised:
        free_ports(few_ports)
    assert raised.value.message == "Too few ports between 43700 and 43719 are free on this machine."
    assert raised.value.hint == "End what holds them, or set another `first_port` in vagrant/topology.yml."


def test_the_ssh_configuration_reads_so(workspace: Workspace, golden: Golden) -> None:
    golden("ssh_config", anywhere(ssh_config(workspace, PORTS), workspace))


@pytest.mark.parametrize(("host", "port"), [("f0-13", "42202"), ("f0-15.frank.com", "42204"), ("f0-11", "42200")])
def test_ssh_understands_it_even_in_a_folder_with_a_space(tmp_path: Path, host: str, port: str) -> None:
    workspace = Workspace(tmp_path, tmp_path / "my labs")
    config = tmp_path / "ssh_config"
    config.write_text(ssh_config(workspace, PORTS))
    said = subprocess.run(["ssh", "-G", "-F", config, host], capture_output=True, text=True, check=True).stdout
    settings = dict(line.split(" ", 1) for line in said.splitlines())
    assert (settings["user"], settings["hostname"], settings["port"]) == ("vagrant", "127.0.0.1", port)
    assert settings["identityfile"] == f"{workspace.root}/ssh_key"
    assert len(settings["controlpath"]) < 90


def test_paramiko_understands_it_as_well(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path / "my labs")
    settings = SSHConfig.from_text(ssh_config(workspace, PORTS)).lookup("f0-13")
    assert (settings["port"], settings["identityfile"]) == ("42202", [f"{workspace.root}/ssh_key"])


def test_the_folder_of_shared_connections_is_for_this_user_alone(workspace: Workspace) -> None:
    folder = control_path(workspace).parent
    try:
        make_control_folder(workspace)
        make_control_folder(workspace)
        assert (stat.S_IMODE(folder.stat().st_mode), folder.stat().st_uid) == (0o700, os.getuid())
    finally:
        folder.rmdir()


@pytest.fixture
def folder_of_another_user(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of shared connections, made by somebody else: seen from a user that this test's user isn't."""
    monkeypatch.setattr("os.getuid", lambda: os.geteuid() + 4242)
    folder = control_path(workspace).parent
    yield folder
    folder.unlink() if folder.is_symlink() or folder.is_file() else folder.rmdir()


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to(Path.home())])
def test_a_folder_of_shared_connections_that_another_user_made_is_told(
    workspace: Workspace, folder_of_another_user: Path, make: Callable[[Path], None]
) -> None:
    make(folder_of_another_user)
    with pytest.raises(LabError) as raised:
        make_control_folder(workspace)
    assert raised.value.message == f"{folder_of_another_user} belongs to another user of this machine."
    assert raised.value.hint == "Remove it, or let F0_WORKSPACE name another folder."


def test_vagrants_version_is_told(program: Program) -> None:
    program("vagrant", "echo Vagrant 2.4.9")
    assert check_vagrant() == "Vagrant 2.4.9"


@pytest.mark.parametrize("name", ["2.3.0", "2.10.1", "3.0.0"])
def test_a_newer_vagrant_will_do(program: Program, name: str) -> None:
    program("vagrant", f"echo Vagrant {name}")
    assert check_vagrant() == f"Vagrant {name}"


@pytest.mark.usefixtures("no_programs")
def test_a_missing_vagrant_is_told() -> None:
    with pytest.raises(LabError) as raised:
        check_vagrant()
    assert raised.value.message == "Vagrant is not installed."
    assert raised.value.hint == "Run ./setup.sh: it installs it, or says where to get it."


@pytest.mark.parametrize(
    ("script", "name"), [("echo Vagrant 2.2.19", "Vagrant 2.2.19"), ("exit 1", "Vagrant (unknown version)")]
)
def test_a_vagrant_that_is_too_old_is_told(program: Program, script: str, name: str) -> None:
    program("vagrant", script)
    with pytest.raises(LabError) as raised:
        check_vagrant()
    assert (raised.value.message, raised.value.hint) == (f"{name} is too old.", "Install 2.3 or newer.")


def test_vagrants_last_words_are_told_and_all_are_kept(
    workspace: Workspace, topology: Topology, program: Program
) -> None:
    program("vagrant", "seq 1 20; echo 'no such image' >&2; exit 1")
    workspace.root.mkdir()
    with pytest.raises(LabError) as raised:
        Machines(workspace, topology, "libvirt").up()
    assert raised.value.message == "Vagrant could not up the hosts:\n16\n17\n18\n19\n20\nno such image"
    assert raised.value.hint == f"The whole log is {workspace.logs}/vagrant.log."
    assert (workspace.logs / "vagrant.log").read_text().startswith("1\n2\n3\n")


def test_vagrant_tries_again_when_another_container_vanished_meanwhile(
    workspace: Workspace, topology: Topology, program: Program
) -> None:
    refuse_once = "[ -e tried ] || { touch tried; echo 'Error: No such object: 1c0ffee' >&2; exit 1; }"
    program("vagrant", f"""echo "$@" >>calls; [ "$1" = halt ] || {refuse_once}""")
    workspace.root.mkdir()
    Machines(workspace, topology, "docker").reload("f0-14")
    assert (workspace.root / "calls").read_text().splitlines() == [
        "halt f0-14",
        "up f0-14 --provider=docker",
        "up f0-14 --provider=docker",
    ]


def test_vagrant_does_not_try_again_for_any_other_reason(
    workspace: Workspace, topology: Topology, program: Program
) -> None:
    program("vagrant", """echo "$@" >>calls; [ "$1" = halt ] || { echo 'no such image' >&2; exit 1; }""")
    workspace.root.mkdir()
    with pytest.raises(LabError, match=r"^Vagrant could not up the hosts:\nno such image$"):
        Machines(workspace, topology, "docker").reload("f0-14")
    assert len((workspace.root / "calls").read_text().splitlines()) == 2


@pytest.fixture
def sleepers(workspace: Workspace) -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    """What still runs of Vagrant for this workspace, and for another one."""
    ours, others = (
        subprocess.Popen(["sleep", "60"], env={**os.environ, "F0LABS_MACHINES_OF": name})
        for name in (workspace.name, "f0labs-other")
    )
    yield ours, others
    others.kill()
    ours.kill()
    others.wait()
    ours.wait()


def test_abandoning_ends_this_workspaces_vagrant_and_no_other(
    workspace: Workspace,
    topology: Topology,
    sleepers: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]],
) -> None:
    Machines(workspace, topology, "docker").abandon()
    assert [psutil.pid_exists(process.pid) for process in sleepers] == [False, True]


def test_vagrant_is_not_called_for_machines_it_does_not_know(
    workspace: Workspace, topology: Topology, program: Program
) -> None:
    program("vagrant", "exit 1")
    Machines(workspace, topology, "docker").destroy()
