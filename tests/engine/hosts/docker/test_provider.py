"""Hosts as containers, from their creation to their end, in a real Docker engine."""

import socket
from collections.abc import Iterator

import pytest
from docker.errors import NotFound

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.access import free_ports
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.docker.provider import DockerProvider
from labs.engine.hosts.provider import Blueprint, HostState
from labs.engine.settings import Settings
from labs.engine.waiting import wait_until
from labs.engine.workspace import Workspace
from tests.engine.conftest import Program


@pytest.fixture
def blueprint(workspace: Workspace, topology: Topology, image: str) -> Blueprint:
    workspace.claim()
    (workspace.root / "images").mkdir()
    mounts = {host: {workspace.root / "images": "/opt/images"} for host in topology.names}
    return Blueprint(dict.fromkeys(topology.names, image), free_ports(topology), mounts, internet=False)


@pytest.fixture
def provider(workspace: Workspace, topology: Topology, settings: Settings, client: object) -> Iterator[DockerProvider]:
    provider = DockerProvider(workspace, topology, settings)
    yield provider
    provider.destroy()


@pytest.fixture
def created(provider: DockerProvider, blueprint: Blueprint) -> DockerProvider:
    provider.create(blueprint)
    return provider


def exit_code(provider: DockerProvider, host: str) -> int:
    return int(provider.engine.containers()[host].attrs["State"]["ExitCode"])


def test_without_containers_every_host_is_absent(provider: DockerProvider) -> None:
    assert provider.states() == {"f0-12": HostState.ABSENT, "f0-13": HostState.ABSENT}
    assert provider.last_output("f0-12") == ""
    assert provider.memory() == {}


def test_hosts_run_once_they_are_created(created: DockerProvider) -> None:
    assert created.states() == {"f0-12": HostState.RUNNING, "f0-13": HostState.RUNNING}


def test_the_apis_port_is_published(created: DockerProvider, blueprint: Blueprint) -> None:
    published = created.engine.containers()["f0-13"].attrs["NetworkSettings"]["Ports"]
    ports = {inside: binding[0]["HostPort"] for inside, binding in published.items()}
    assert ports == {
        "22/tcp": str(blueprint.ports["f0-13"]["ssh"]),
        "6443/tcp": str(blueprint.ports["f0-13"]["api"]),
    }


def test_vagrant_finds_the_containers(created: DockerProvider, workspace: Workspace) -> None:
    notes = {file.parents[1].name: file.read_text() for file in workspace.root.glob(".vagrant/machines/*/docker/id")}
    assert notes == {host: container.id for host, container in created.engine.containers().items()}
    assert (workspace.root / "Vagrantfile").exists()


def test_vagrant_is_never_called_for_containers(
    provider: DockerProvider, blueprint: Blueprint, program: Program, workspace: Workspace
) -> None:
    program("vagrant", f"touch {workspace.root}/called")
    provider.create(blueprint)
    provider.stop(["f0-12"])
    provider.start(["f0-12"])
    provider.destroy()
    assert not (workspace.root / "called").exists()


def test_a_stopped_host_has_shut_down_and_keeps_what_it_stored(created: DockerProvider) -> None:
    created.stop(["f0-12"])
    assert created.states() == {"f0-12": HostState.STOPPED, "f0-13": HostState.RUNNING}
    assert exit_code(created, "f0-12") == 0
    created.start(["f0-12"])
    assert created.states()["f0-12"] is HostState.RUNNING
    assert wait_until(lambda: created.last_output("f0-12") == "start 1\nshutting down\nstart 2", 10)


def test_a_paused_host_goes_on(created: DockerProvider) -> None:
    created.engine.containers()["f0-13"].pause()
    assert created.states()["f0-13"] is HostState.PAUSED
    created.start(["f0-12", "f0-13"])
    assert created.states()["f0-13"] is HostState.RUNNING
    assert created.last_output("f0-13") == "start 1"


def test_a_paused_host_is_shut_down_and_not_killed(created: DockerProvider) -> None:
    created.engine.containers()["f0-13"].pause()
    created.stop(["f0-13"])
    assert created.states()["f0-13"] is HostState.STOPPED
    assert exit_code(created, "f0-13") == 0


def test_starting_and_stopping_hosts_that_are_absent_is_harmless(provider: DockerProvider) -> None:
    provider.start(["f0-12"])
    provider.stop(["f0-12"])
    assert provider.states()["f0-12"] is HostState.ABSENT


def test_a_host_that_cannot_be_started_again_is_reported(created: DockerProvider, blueprint: Blueprint) -> None:
    created.stop(["f0-12"])
    with (
        socket.create_server(("127.0.0.1", blueprint.ports["f0-12"]["ssh"])),
        pytest.raises(LabError, match=r"^Docker could not start f0-12:\n.*in use") as raised,
    ):
        created.start(["f0-12"])
    assert raised.value.code == "hosts-not-created"


def test_memory_is_measured_for_running_hosts(created: DockerProvider) -> None:
    created.stop(["f0-12"])
    assert list(created.memory()) == ["f0-13"]
    assert created.memory()["f0-13"] > 0


def test_nothing_is_left_after_destroy(created: DockerProvider) -> None:
    client = created.engine.client
    mounts = created.engine.containers()["f0-13"].attrs["Mounts"]
    volumes = [mount["Name"] for mount in mounts if mount["Type"] == "volume"]
    created.engine.containers()["f0-12"].pause()
    created.destroy()
    assert set(created.states().values()) == {HostState.ABSENT}
    assert created.engine.networks() == []
    assert len(volumes) == 3
    with pytest.raises(NotFound):
        client.volumes.get(volumes[0])


def test_the_lab_network_is_free_for_its_own_hosts_only(
    created: DockerProvider, topology: Topology, settings: Settings, workspace: Workspace
) -> None:
    created.check_network(topology.network)
    other = Workspace(workspace.repo, workspace.root / "other")
    with pytest.raises(LabError) as raised:
        DockerProvider(other, topology, settings).check_network(topology.network)
    assert raised.value.code == "network-in-use"


def test_other_workspaces_are_named(created: DockerProvider, neighbour: Engine, workspace: Workspace) -> None:
    assert workspace.name in neighbour.others()
    assert workspace.name not in created.others()


def test_the_engine_and_room_for_hosts_are_checked(provider: DockerProvider) -> None:
    findings = {str(finding.name): finding for finding in provider.check()}
    assert list(findings) == ["Docker engine", "Memory", "Disk"]
    assert findings["Docker engine"].error is None
    assert str(findings["Docker engine"].result) == f"version {provider.engine.client.version()['Version']}"


def test_an_engine_that_does_not_answer_is_a_finding(provider: DockerProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        finding = provider.check()[0]
    assert finding.required
    assert finding.error is not None
    assert finding.error.code == "docker-unavailable"


def test_containers_have_the_interface_that_docker_names(provider: DockerProvider) -> None:
    assert provider.facts().interface == "eth0"


def test_containers_are_made_anew_rather_than_restored(provider: DockerProvider) -> None:
    assert not provider.checkpoint()
