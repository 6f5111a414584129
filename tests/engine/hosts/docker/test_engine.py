"""What a workspace has in a Docker engine carries its label, and exactly that is removed. The engine is a real one."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from docker.errors import NotFound

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker.engine import LABEL, Engine
from labs.engine.hosts.network import check_network

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.networks import Network


def create(engine: Engine, image: str, host: str) -> "Container":
    name = f"{engine.labels[LABEL]}.{host}"
    return engine.client.containers.create(image, name=name, labels=engine.labels, volumes=["/var/lib/docker"])


@pytest.fixture
def network(engine: Engine, topology: Topology) -> "Network":
    engine.create_network(topology.network, internet=False)
    (network,) = engine.networks()
    return network


@pytest.fixture
def users_container(engine: Engine, image: str) -> Iterator["Container"]:
    """A container that the user made, named like a host of ours."""
    container = engine.client.containers.create(image, name=f"{engine.labels[LABEL]}.f0-11")
    yield container
    container.remove(force=True)


@pytest.fixture
def users_network(engine: Engine) -> Iterator["Network"]:
    network = engine.client.networks.create(f"{engine.labels[LABEL]}-mine", internal=True, labels={"f0labs": "mine"})
    yield network
    network.remove()


def test_the_bridge_has_the_first_address_and_keeps_hosts_in(engine: Engine, network: "Network") -> None:
    assert network.attrs["IPAM"]["Config"] == [{"Subnet": "192.168.199.0/24", "Gateway": "192.168.199.1"}]
    assert network.attrs["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    assert network.attrs["Labels"] == engine.labels


def test_the_network_lets_hosts_out_when_asked(engine: Engine, topology: Topology) -> None:
    engine.create_network(topology.network, internet=True)
    assert engine.networks()[0].attrs["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "true"


def test_an_existing_network_is_not_created_again(engine: Engine, network: "Network", topology: Topology) -> None:
    engine.create_network(topology.network, internet=False)
    assert [each.id for each in engine.networks()] == [network.id]


@pytest.mark.usefixtures("network")
def test_addresses_of_another_docker_network_are_refused(neighbour: Engine, topology: Topology) -> None:
    with pytest.raises(LabError) as raised:
        neighbour.create_network(topology.network, internet=False)
    assert raised.value.code == "network-in-use"
    assert str(raised.value).startswith("Something else on this machine uses the lab network 192.168.199.0/24 (")
    assert neighbour.networks() == []


@pytest.mark.usefixtures("network")
def test_a_workspaces_bridge_is_in_the_way_of_all_workspaces_but_itself(
    engine: Engine, neighbour: Engine, topology: Topology
) -> None:
    check_network(topology.network, ours=engine.labels[LABEL])
    with pytest.raises(LabError, match=rf"\({engine.labels[LABEL]}: 192\.168\.199\.1\)"):
        check_network(topology.network, ours=neighbour.labels[LABEL])


@pytest.mark.usefixtures("network")
def test_everything_of_a_workspace_is_removed_with_its_volumes(engine: Engine, image: str) -> None:
    volume = create(engine, image, "f0-11").attrs["Mounts"][0]["Name"]
    create(engine, image, "f0-12")
    assert set(engine.containers()) == {"f0-11", "f0-12"}
    engine.remove_all()
    assert (engine.containers(), engine.networks()) == ({}, [])
    with pytest.raises(NotFound):
        engine.client.volumes.get(volume)


def test_hosts_of_another_workspace_stay(engine: Engine, neighbour: Engine, image: str, topology: Topology) -> None:
    create(neighbour, image, "f0-11")
    neighbour.create_network(topology.network, internet=False)
    engine.remove_all()
    assert (len(neighbour.containers()), len(neighbour.networks())) == (1, 1)


def test_what_the_user_made_in_the_engine_stays(
    engine: Engine, image: str, users_container: "Container", users_network: "Network"
) -> None:
    create(engine, image, "f0-12")
    engine.remove_all()
    assert engine.client.containers.get(users_container.id).name == users_container.name
    assert engine.client.networks.get(users_network.id).name == users_network.name
    assert engine.client.images.get(image).tags == [image]


def test_a_users_container_in_the_lab_network_keeps_the_network_and_the_error_says_so(
    engine: Engine, network: "Network", users_container: "Container", monkeypatch: pytest.MonkeyPatch
) -> None:
    network.connect(users_container)
    users_container.start()
    monkeypatch.setattr("labs.engine.hosts.docker.engine.REMOVE_SECONDS", 0.5)
    with pytest.raises(LabError) as raised:
        engine.remove_all()
    users_container.reload()
    assert users_container.status == "running"
    network.disconnect(users_container, force=True)
    assert raised.value.code == "hosts-not-created"
    assert str(raised.value).startswith("Docker could not remove the hosts:\n")
    assert "has active endpoints" in str(raised.value)
    assert engine.labels[LABEL] in str(raised.value.hint)


def test_removing_twice_is_harmless(engine: Engine) -> None:
    engine.remove_all()
    engine.remove_all()


class SlowEngine(Engine):
    """An engine in which a container of an earlier request appears after the containers were listed."""

    def __init__(self, client: "DockerClient", name: str, image: str) -> None:
        super().__init__(client, name)
        self._late = [image]

    def networks(self) -> list["Network"]:
        while self._late:
            create(self, self._late.pop(), "f0-14")
        return super().networks()


def test_a_container_that_appears_meanwhile_is_removed_as_well(engine: Engine, image: str) -> None:
    create(engine, image, "f0-11")
    SlowEngine(engine.client, engine.labels[LABEL], image).remove_all()
    assert engine.containers() == {}


@pytest.mark.usefixtures("network")
def test_a_container_that_is_being_removed_already_is_waited_for(engine: Engine, image: str) -> None:
    create(engine, image, "f0-11").start()
    other = threading.Thread(target=engine.remove_all)
    other.start()
    engine.remove_all()
    other.join()
    assert (engine.containers(), engine.networks()) == ({}, [])


def test_other_workspaces_are_known_by_their_containers(engine: Engine, neighbour: Engine, image: str) -> None:
    create(neighbour, image, "f0-11")
    create(engine, image, "f0-11")
    assert neighbour.labels[LABEL] in engine.others()
    assert engine.labels[LABEL] not in engine.others()


@dataclass
class Measured:
    """A container by what the engine says of its memory."""

    name: str
    memory: Any
    status: str = "running"

    def stats(self, stream: bool) -> dict[str, Any]:
        if isinstance(self.memory, Exception):
            raise self.memory
        return {"memory_stats": self.memory}


class MeasuredEngine(Engine):
    """An engine of measured containers."""

    def __init__(self, *measured: Measured) -> None:
        super().__init__(cast("DockerClient", None), "w")
        self._measured = measured

    def containers(self) -> dict[str, "Container"]:
        return {each.name: cast("Container", each) for each in self._measured}


def test_memory_is_that_of_running_hosts_without_page_cache() -> None:
    engine = MeasuredEngine(
        Measured("f0-11", {"usage": 300, "stats": {"total_inactive_file": 100}}),  # cgroup v1
        Measured("f0-12", {"usage": 300, "stats": {"inactive_file": 50}}),  # cgroup v2
        Measured("f0-13", {}),
        Measured("f0-14", {"usage": 300}, "exited"),
        Measured("f0-15", {"usage": 300}, "paused"),
        Measured("f0-16", NotFound("it is gone")),
    )
    assert engine.memory() == {"f0-11": 200, "f0-12": 250, "f0-13": 0}
