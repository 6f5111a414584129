"""How hosts are reached: ports on loopback, OpenSSH's configuration, and the folder of shared connections."""

import os
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from paramiko import SSHConfig

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.access import Access, Endpoint, free_ports
from labs.engine.workspace import Workspace
from tests.engine.conftest import PORTS, Golden, anywhere

FIRST_PORT = 43700


@pytest.fixture
def few_ports(topology: Topology) -> Topology:
    return topology.model_copy(update={"first_port": FIRST_PORT - 20 * 56})


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", FIRST_PORT + 1)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def access(workspace: Workspace, topology: Topology) -> Iterator[Access]:
    """The access of a workspace; its folder of shared connections is removed again, whatever it has become."""
    access = Access(workspace, topology.domain)
    yield access
    with suppress(OSError):
        access.control_folder.unlink()
    with suppress(OSError):
        access.control_folder.rmdir()


@pytest.fixture
def spaced(tmp_path: Path, topology: Topology) -> Access:
    """The access of a workspace whose path has a space."""
    return Access(Workspace(tmp_path, tmp_path / "my labs"), topology.domain)


def test_ports_are_the_first_free_ones(few_ports: Topology) -> None:
    ports = free_ports(few_ports)
    assert [ports[host]["ssh"] for host in few_ports.names] == [43700, 43701, 43702, 43703, 43704]
    assert ports["f0-13"]["api"] == 43705


def test_every_lab_network_has_ports_of_its_own(few_ports: Topology) -> None:
    other = few_ports.model_copy(update={"network": IPv4Network("192.168.57.0/24")})
    assert free_ports(other)["f0-11"]["ssh"] == free_ports(few_ports)["f0-11"]["ssh"] + 20


def test_a_taken_port_is_left_out(few_ports: Topology, taken: int) -> None:
    given = sorted(port for ports in free_ports(few_ports).values() for port in ports.values())
    assert given == [43700, *range(43702, 43707 + len(few_ports.published) - 1)]
    assert taken not in given


def test_too_few_free_ports_are_reported(few_ports: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.engine.hosts.access._is_free", lambda port: port < FIRST_PORT + 5)
    with pytest.raises(LabError) as raised:
        free_ports(few_ports)
    assert raised.value.code == "ports-taken"
    assert str(raised.value) == "Too few ports between 43700 and 43719 are free on this machine."
    assert "`first_port` in vagrant/topology.yml" in str(raised.value.hint)


def test_an_endpoint_is_on_loopback(access: Access, workspace: Workspace) -> None:
    assert access.endpoint("f0-13", PORTS) == Endpoint("127.0.0.1", 42202, "vagrant", workspace.root / "ssh_key")


def test_the_ssh_configuration(access: Access, workspace: Workspace, golden: Golden) -> None:
    golden("ssh_config", anywhere(access.ssh_config(PORTS), workspace))


@pytest.mark.parametrize(("host", "port"), [("f0-13", "42202"), ("f0-15.frank.com", "42204"), ("f0-11", "42200")])
def test_ssh_understands_it_even_in_a_folder_with_a_space(spaced: Access, tmp_path: Path, host: str, port: str) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(spaced.ssh_config(PORTS))
    output = subprocess.run(["ssh", "-G", "-F", config, host], capture_output=True, text=True, check=True).stdout
    settings = dict(line.split(" ", 1) for line in output.splitlines())
    assert (settings["user"], settings["hostname"], settings["port"]) == ("vagrant", "127.0.0.1", port)
    assert settings["identityfile"] == str(spaced.key)
    assert len(settings["controlpath"]) < 90


def test_paramiko_understands_it_as_well(spaced: Access) -> None:
    settings = SSHConfig.from_text(spaced.ssh_config(PORTS)).lookup("f0-13")
    assert (settings["port"], settings["identityfile"]) == ("42202", [str(spaced.key)])


def test_writing_it_makes_the_folder_of_shared_connections(access: Access, workspace: Workspace) -> None:
    workspace.claim()
    access.write(PORTS)
    assert workspace.ssh_config.read_text() == access.ssh_config(PORTS)
    assert access.control_folder.is_dir()


def test_only_this_user_may_enter_the_folder_of_shared_connections(access: Access) -> None:
    access.make_control_folder()
    access.make_control_folder()
    status = access.control_folder.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o700, os.getuid())


def link_to_home(path: Path) -> None:
    path.symlink_to(Path.home())


def make_dangling_link(path: Path) -> None:
    path.symlink_to("/nonexistent")


@pytest.mark.parametrize("make", [Path.touch, link_to_home, make_dangling_link])
def test_what_is_no_folder_is_refused(access: Access, make: Callable[[Path], None]) -> None:
    make(access.control_folder)
    with pytest.raises(LabError) as raised:
        access.make_control_folder()
    assert raised.value.code == "not-owner"


@pytest.fixture
def foreign(access: Access, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shared connections that belongs to another user: seen by a user who isn't the one of this test."""
    monkeypatch.setattr("os.getuid", lambda: os.geteuid() + 4242)
    access.control_folder.mkdir()
    return access.control_folder


def test_a_folder_of_another_user_is_refused(access: Access, foreign: Path) -> None:
    with pytest.raises(LabError) as raised:
        access.make_control_folder()
    assert raised.value.code == "not-owner"
    assert str(raised.value) == f"{foreign} is not a folder of yours: another user may have made it."
    assert str(raised.value.hint) == "Remove it, or ask its owner to; otherwise set F0_WORKSPACE to another folder."
    foreign.rmdir()


def test_a_folder_of_another_user_is_left_alone(access: Access, foreign: Path) -> None:
    (foreign / "f0-13").touch()
    access.end_shared_connections()
    assert (foreign / "f0-13").exists()
    (foreign / "f0-13").unlink()
    foreign.rmdir()


def test_a_link_is_not_followed(access: Access, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/f0-13").touch()
    access.control_folder.symlink_to(tmp_path / "precious")
    access.end_shared_connections()
    assert (tmp_path / "precious/f0-13").exists()


def test_ending_connections_without_any_is_harmless(access: Access) -> None:
    access.end_shared_connections()
    access.make_control_folder()
    access.end_shared_connections()
    assert not access.control_folder.exists()


def test_a_dead_socket_is_removed(access: Access) -> None:
    access.make_control_folder()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(access.control_folder / "f0-13"))
    access.end_shared_connections()
    assert not access.control_folder.exists()
