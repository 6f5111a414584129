"""The hosts of a workspace: all that is laid out before they start, and nothing that is left after them."""

import re
import stat
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from labs.engine.course.edition import Edition
from labs.engine.course.topology import Topology
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.hosts import Hosts
from labs.engine.hosts.vagrant.machines import control_path
from labs.engine.workspace import Workspace
from tests.engine.conftest import IMAGES, PORTS, Program
from tests.engine.fakes import FakeDocker


class FakeEngine(Engine):
    """An engine that notes the network it is asked for."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(FakeDocker(), workspace.name)
        self.made: list[tuple[IPv4Network, bool]] = []
        self.removed = 0

    def create_network(self, network: IPv4Network, *, internet: bool) -> None:
        self.made.append((network, internet))

    def remove_all(self) -> None:
        self.removed += 1


@pytest.fixture
def engine(workspace: Workspace) -> FakeEngine:
    return FakeEngine(workspace)


@pytest.fixture
def hosts(
    workspace: Workspace, topology: Topology, edition: Edition, engine: FakeEngine, program: Program
) -> Iterator[Hosts]:
    program("vagrant", "exit 1")
    hosts = Hosts(workspace, topology, edition, "docker", engine)
    yield hosts
    hosts.destroy()


@pytest.fixture
def archives(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "pause-1.tar").write_text("pause")
    return {"pause": tmp_path / "pause-1.tar"}


@pytest.fixture
def laid_out(hosts: Hosts, workspace: Workspace, archives: dict[str, Path]) -> Workspace:
    hosts.lay_out(IMAGES, archives, internet=False)
    return workspace


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_all_that_hosts_need_is_laid_out(laid_out: Workspace, topology: Topology) -> None:
    assert sorted(path.name for path in laid_out.hosts.iterdir()) == topology.names
    assert laid_out.ssh_config.exists()
    assert laid_out.kubeconfig.exists()
    assert (laid_out.root / "images/pause.tar").read_text() == "pause"
    named = re.findall('docker.image = "(.*)"', (laid_out.root / "Vagrantfile").read_text())
    assert named == list(IMAGES.values())


def test_others_see_no_key(laid_out: Workspace) -> None:
    assert (mode(laid_out.root), mode(laid_out.root / "ssh_key")) == (0o700, 0o600)
    assert mode(control_path(laid_out).parent) == 0o700


def test_hosts_let_the_workspaces_own_key_in(laid_out: Workspace) -> None:
    doors = [laid_out.hosts / host / "home/vagrant/.ssh/authorized_keys" for host in ("f0-11", "f0-15")]
    keys = {door.read_text().splitlines()[0] for door in doors}
    assert len(keys) == 1
    assert keys.pop().startswith("ssh-ed25519 ")


def test_the_network_is_made_as_the_topology_says(laid_out: Workspace, engine: FakeEngine, topology: Topology) -> None:
    assert engine.made == [(topology.network, False)]


def test_the_api_of_one_host_is_published(hosts: Hosts, archives: dict[str, Path], workspace: Workspace) -> None:
    ports = hosts.lay_out(IMAGES, archives, internet=True)
    assert f"server: https://127.0.0.1:{ports['f0-13']['api']}\n" in workspace.kubeconfig.read_text()


def test_host_containers_are_started_by_docker_alone(
    hosts: Hosts, archives: dict[str, Path], workspace: Workspace, program: Program
) -> None:
    ports = hosts.lay_out(IMAGES, archives, internet=False)
    program("docker", 'eval "image=\\${$#}"; echo "$image"')
    hosts.create(IMAGES, ports)
    notes = sorted((workspace.root / ".vagrant/machines").glob("*/docker/id"))
    assert [note.read_text() for note in notes] == list(IMAGES.values())


def test_virtual_machines_are_made_by_vagrant_alone(
    workspace: Workspace, topology: Topology, edition: Edition, engine: FakeEngine, program: Program
) -> None:
    program("docker", "exit 1")
    program("vagrant", 'echo "$@" >calls')
    workspace.root.mkdir()
    Hosts(workspace, topology, edition, "libvirt", engine).create(IMAGES, PORTS)
    assert (workspace.root / "calls").read_text() == "up --provider=libvirt\n"


def test_an_archive_on_another_file_system_is_copied(
    hosts: Hosts, archives: dict[str, Path], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    hosts.lay_out(IMAGES, archives, internet=False)
    assert (workspace.root / "images/pause.tar").read_text() == "pause"


def test_nothing_of_them_is_left(laid_out: Workspace, hosts: Hosts, engine: FakeEngine) -> None:
    hosts.destroy()
    assert engine.removed == 1
    assert not laid_out.root.exists()
    assert not control_path(laid_out).parent.exists()


def test_destroying_nothing_is_harmless(hosts: Hosts, workspace: Workspace) -> None:
    hosts.destroy()
    hosts.destroy()
    assert not workspace.root.exists()
