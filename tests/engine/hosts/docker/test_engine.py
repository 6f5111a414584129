"""The Docker engine: what is made there carries the workspace's label, and exactly that is removed. A real engine."""

import io
import secrets
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import docker
import pytest
from docker.errors import APIError, DockerException, NotFound

from labs.engine.errors import LabError
from labs.engine.hosts.docker.engine import LABEL, Engine, connect
from tests.engine.fakes import FakeContainer, FakeDocker, FakeImages, FakeList

NETWORK = IPv4Network("192.168.213.0/24")


@pytest.fixture
def client() -> docker.DockerClient:
    try:
        return connect()
    except LabError as error:
        pytest.skip(error.message)


@pytest.fixture
def engine(client: docker.DockerClient) -> Iterator[Engine]:
    engine = Engine(client, f"f0labs-t{secrets.token_hex(3)}")
    yield engine
    engine.remove_all()


@pytest.fixture
def neighbour(client: docker.DockerClient) -> Iterator[Engine]:
    """Another workspace of the same machine."""
    engine = Engine(client, f"f0labs-t{secrets.token_hex(3)}")
    yield engine
    engine.remove_all()


@pytest.fixture
def image(client: docker.DockerClient) -> Iterator[str]:
    """An image with nothing in it: containers of it can be created, which is all that is needed."""
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    tag = secrets.token_hex(3)
    client.api.import_image_from_data(empty.getvalue(), repository="f0labs-t/empty", tag=tag)
    yield f"f0labs-t/empty:{tag}"
    client.images.remove(f"f0labs-t/empty:{tag}", force=True)


@dataclass(eq=False)
class Removable:
    """A container or a network of Docker's. Removing it does `first`, once; then it is off its list."""

    among: FakeList
    first: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.among.found.append(self)

    def remove(self, **_: object) -> None:
        first, self.first = self.first, None
        if first:
            first()
        self.among.found.remove(self)


def create(engine: Engine, image: str, host: str) -> Any:
    name = f"{engine.labels[LABEL]}.{host}"
    return engine.client.containers.create(image, "init", name=name, labels=engine.labels, volumes=["/var/lib/docker"])


def test_the_network_has_the_first_address_and_keeps_hosts_in(engine: Engine) -> None:
    engine.create_network(NETWORK, internet=False)
    (network,) = engine.networks()
    assert network.attrs["IPAM"]["Config"] == [{"Subnet": "192.168.213.0/24", "Gateway": "192.168.213.1"}]
    assert network.attrs["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    assert network.attrs["Labels"] == engine.labels


def test_the_network_lets_hosts_out_when_asked(engine: Engine) -> None:
    engine.create_network(NETWORK, internet=True)
    assert engine.networks()[0].attrs["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "true"


def test_a_network_that_is_there_is_not_made_twice(engine: Engine) -> None:
    engine.create_network(NETWORK, internet=False)
    engine.create_network(NETWORK, internet=False)
    assert len(engine.networks()) == 1


def test_the_network_is_listed_while_it_is_there(engine: Engine) -> None:
    assert not engine.networks()
    engine.create_network(NETWORK, internet=False)
    assert engine.networks()


def test_a_network_in_use_is_told_with_the_setting(engine: Engine, neighbour: Engine) -> None:
    neighbour.create_network(NETWORK, internet=False)
    with pytest.raises(LabError) as raised:
        engine.create_network(NETWORK, internet=False)
    assert raised.value.message.startswith(
        "The lab network 192.168.213.0/24 is used by something else on this machine ("
    )
    assert "F0_NETWORK=192.168.57.0/24 invoke lab.up" in raised.value.hint
    assert engine.networks() == []


def test_a_network_that_this_machine_is_in_already_is_told() -> None:
    with pytest.raises(LabError) as raised:
        Engine(None, "w").check_network(IPv4Network("127.0.0.0/24"))
    assert raised.value.message == (
        "The lab network 127.0.0.0/24 is used by something else on this machine (lo has 127.0.0.1)."
    )
    assert "F0_NETWORK=192.168.57.0/24 invoke lab.up" in raised.value.hint


def test_a_network_that_nobody_is_in_is_all_right() -> None:
    Engine(None, "w").check_network(NETWORK)


def test_a_workspaces_own_bridge_is_in_nobodys_way_but_others(engine: Engine, neighbour: Engine) -> None:
    engine.create_network(NETWORK, internet=False)
    engine.check_network(NETWORK)
    with pytest.raises(LabError) as raised:
        neighbour.check_network(NETWORK)
    assert raised.value.message == (
        "The lab network 192.168.213.0/24 is used by something else on this machine "
        f"({engine.labels[LABEL]} has 192.168.213.1)."
    )


def test_all_of_a_workspace_is_removed_with_its_volumes(engine: Engine, image: str) -> None:
    engine.create_network(NETWORK, internet=False)
    volume = create(engine, image, "f0-11").attrs["Mounts"][0]["Name"]
    create(engine, image, "f0-12")
    assert len(engine.containers()) == 2
    engine.remove_all()
    assert (engine.containers(), engine.networks()) == ([], [])
    with pytest.raises(NotFound):
        engine.client.volumes.get(volume)


def test_nothing_of_another_workspace_is_removed(engine: Engine, neighbour: Engine, image: str) -> None:
    create(neighbour, image, "f0-11")
    neighbour.create_network(NETWORK, internet=False)
    engine.remove_all()
    assert (len(neighbour.containers()), len(neighbour.networks())) == (1, 1)


def test_removing_twice_is_harmless(engine: Engine) -> None:
    engine.remove_all()
    engine.remove_all()


def refuse() -> None:
    raise APIError("409 Client Error: it is busy")


@pytest.mark.parametrize("started", [True, False])
def test_a_container_that_appears_while_all_is_removed_is_removed_as_well(started: bool) -> None:
    docker = FakeDocker()

    def appear() -> None:
        Removable(docker.containers)
        if started:
            refuse()

    Removable(docker.containers)
    Removable(docker.networks, appear)
    Engine(docker, "w").remove_all()
    assert (docker.containers.found, docker.networks.found) == ([], [])


def test_a_container_that_is_being_removed_already_is_waited_for() -> None:
    docker = FakeDocker()
    Removable(docker.containers, refuse)
    Removable(docker.networks)
    Engine(docker, "w").remove_all()
    assert (docker.containers.found, docker.networks.found) == ([], [])


def test_what_cannot_be_removed_at_all_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    docker = FakeDocker()
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(Removable(docker.networks), "remove", refuse)
    with pytest.raises(APIError, match="it is busy"):
        Engine(docker, "w").remove_all()


def test_no_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(LabError) as raised:
        connect()
    assert raised.value.message == "No Docker engine answers."
    assert raised.value.hint.startswith("Run ./setup.sh")


def test_an_engine_that_this_user_may_not_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise DockerException("Error while fetching server API version: PermissionError(13, 'Permission denied')")

    monkeypatch.setattr(docker, "from_env", refuse)
    with pytest.raises(LabError) as raised:
        connect()
    assert raised.value.message == "This user may not use Docker's socket."
    assert "usermod -aG docker" in raised.value.hint


def test_a_host_that_has_ended_is_told_with_its_last_words() -> None:
    docker = FakeDocker()
    docker.containers.found = [FakeContainer("w.f0-13"), FakeContainer("w.f0-14", "exited")]
    with pytest.raises(LabError) as raised:
        Engine(docker, "w").require_alive()
    assert raised.value.message == "f0-14 ended at once:\nexec /sbin/init: no such file"


def test_memory_is_told_without_page_cache_and_of_running_hosts_only() -> None:
    hosts = [
        FakeContainer("w.f0-11", used={"usage": 300, "stats": {"total_inactive_file": 100}}),
        FakeContainer("w.f0-12", used={"usage": 300, "stats": {"inactive_file": 50}}),
        FakeContainer("w.f0-13", used={}),
        FakeContainer("w.f0-14", "exited"),
        FakeContainer("w.f0-15", "paused"),
        FakeContainer("w.f0-16", used=NotFound("it is gone")),
    ]
    engine = Engine(FakeDocker(containers=FakeList(hosts)), "w")
    assert engine.memory() == {"f0-11": 200, "f0-12": 250, "f0-13": 0}


def test_only_the_images_of_hosts_are_removed() -> None:
    images = FakeImages({"f0labs/host:1", "f0labs/host:2", "f0labs/base:1", "debian:trixie", "f0labs/other:1"})
    Engine(FakeDocker(images), "w").remove_images()
    assert images.tags == {"debian:trixie", "f0labs/other:1"}
