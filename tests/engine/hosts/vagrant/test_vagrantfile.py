"""The Vagrantfile of each provider, as it reads and as Ruby and Vagrant understand it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from labs.engine.course.topology import Topology
from labs.engine.hosts.provider import Blueprint
from labs.engine.hosts.vagrant.vagrantfile import note_containers, write_vagrantfile
from labs.engine.processes import environment
from labs.engine.workspace import Workspace
from tests.engine.conftest import PORTS, Golden, anywhere

PROVIDERS = ("docker", "virtualbox", "libvirt")
MACHINES = ("virtualbox", "libvirt")
needs_vagrant = pytest.mark.skipif(not shutil.which("vagrant"), reason="Vagrant is not installed")


@pytest.fixture
def vagrantfile(workspace: Workspace, topology: Topology, blueprint: Blueprint, provider: str) -> Path:
    write_vagrantfile(workspace, topology, provider, blueprint)
    return workspace.root / "Vagrantfile"


def vagrant(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "ssh_key").touch()
    return subprocess.run(
        ["vagrant", *arguments],
        cwd=folder,
        env=environment(VAGRANT_HOME=f"{folder}/home", VAGRANT_CHECKPOINT_DISABLE="1"),
        capture_output=True,
        text=True,
        check=False,
    )


def skip_without(provider: str, answer: str) -> None:
    if "No usable default provider" in answer:
        pytest.skip(f"Vagrant can't use {provider} on this machine")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_vagrantfile_of_each_provider(
    vagrantfile: Path, workspace: Workspace, provider: str, golden: Golden
) -> None:
    golden(f"Vagrantfile.{provider}", anywhere(vagrantfile.read_text(), workspace))


@pytest.mark.skipif(not shutil.which("ruby"), reason="Ruby is not installed")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_vagrantfile_is_valid_ruby(vagrantfile: Path) -> None:
    result = subprocess.run(["ruby", "-wc", vagrantfile], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("Syntax OK\n", "")


@needs_vagrant
@pytest.mark.parametrize("provider", PROVIDERS)
def test_vagrant_accepts_the_vagrantfile(vagrantfile: Path, provider: str) -> None:
    result = vagrant(vagrantfile.parent, "validate")
    skip_without(provider, result.stderr)
    assert (result.returncode, result.stdout) == (0, "Vagrantfile validated successfully.\n"), result.stderr


@needs_vagrant
@pytest.mark.parametrize("provider", MACHINES)
def test_everything_but_the_providers_part_is_valid_without_the_provider(vagrantfile: Path, provider: str) -> None:
    result = vagrant(vagrantfile.parent, "validate", "--ignore-provider")
    assert (result.returncode, "Vagrantfile validated successfully." in result.stdout) == (0, True), result.stderr


@pytest.mark.parametrize("provider", PROVIDERS)
def test_ports_are_forwarded_from_loopback_only(vagrantfile: Path, topology: Topology, provider: str) -> None:
    forwarded = [line for line in vagrantfile.read_text().splitlines() if ":forwarded_port" in line]
    assert len(forwarded) == len(topology.hosts) + len(topology.published)
    assert {address for line in forwarded for address in re.findall('host_ip: "(.*?)"', line)} == {"127.0.0.1"}
    assert [int(re.findall(r"host: (\d+)", line)[0]) for line in forwarded if 'id: "ssh"' in line] == [
        ports["ssh"] for ports in PORTS.values()
    ]


@pytest.mark.parametrize("provider", ["docker"])
def test_a_container_that_vagrant_creates_belongs_to_the_workspace_too(vagrantfile: Path, workspace: Workspace) -> None:
    """So that `lab.down` removes what `vagrant up` made."""
    sections = vagrantfile.read_text().split("config.vm.define")[1:]
    assert len([section for section in sections if f'"--label=f0labs.workspace={workspace.name}"' in section]) == 5


def test_containers_are_noted_where_vagrant_looks_for_its_machines(
    workspace: Workspace, topology: Topology, blueprint: Blueprint
) -> None:
    note_containers(workspace, topology, blueprint, {"f0-11": "id-of-f0-11", "f0-12": "id-of-f0-12"})
    notes = {file.parents[1].name: file.read_text() for file in workspace.root.glob(".vagrant/machines/*/docker/id")}
    assert notes == {"f0-11": "id-of-f0-11", "f0-12": "id-of-f0-12"}
    assert 'docker.image = "f0labs/host:of-f0-15"' in (workspace.root / "Vagrantfile").read_text()
