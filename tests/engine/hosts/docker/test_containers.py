"""Host containers: what the engine is asked for, that they are made side by side, and one that is refused."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.access import free_ports
from labs.engine.hosts.docker.containers import container_arguments, create_containers
from labs.engine.hosts.docker.engine import LABEL, Engine
from tests.engine.conftest import Golden

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass
class Lab:
    """All that the two hosts of a test are made from."""

    engine: Engine
    topology: Topology
    image: str
    tree: Path
    published: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.engine.create_network(self.topology.network, internet=False)
        ports = free_ports(self.topology)
        self.published = {"f0-12": ports["f0-12"]["ssh"], "f0-13": ports["f0-13"]["ssh"], "api": ports["f0-13"]["api"]}

    def create(self) -> dict[str, str]:
        return create_containers(
            self.engine,
            self.engine.labels[LABEL],
            {host: self.topology.address(host) for host in self.topology.names},
            dict.fromkeys(self.topology.names, self.image),
            {
                "f0-12": {22: self.published["f0-12"]},
                "f0-13": {22: self.published["f0-13"], 6443: self.published["api"]},
            },
            {host: {self.tree: "/f0/tree"} for host in self.topology.names},
        )

    def inspect(self, host: str) -> dict[str, Any]:
        attributes: dict[str, Any] = self.engine.containers()[host].attrs
        return attributes


@pytest.fixture
def lab(engine: Engine, topology: Topology, image: str, tmp_path: Path) -> Lab:
    return Lab(engine, topology, image, tmp_path)


@pytest.fixture
def taken(lab: Lab) -> Iterator[int]:
    """The port of f0-12, on which another program listens."""
    with socket.create_server(("127.0.0.1", lab.published["f0-12"])) as listening:
        yield listening.getsockname()[1]


def arguments_of(lab: Lab, host: str) -> dict[str, Any]:
    """What decides how a container runs, as the engine understood it."""
    attributes = lab.inspect(host)
    config, host_config = attributes["Config"], attributes["HostConfig"]
    networks = attributes["NetworkSettings"]["Networks"]
    wanted = (
        "Binds CapAdd CapDrop CgroupnsMode DeviceCgroupRules MaskedPaths NetworkMode PortBindings Privileged "
        "ReadonlyPaths SecurityOpt Tmpfs"
    )
    return {
        "Name": attributes["Name"],
        **{key: config[key] for key in ("ExposedPorts", "Hostname", "Labels", "StopSignal", "StopTimeout")},
        **{key: host_config[key] for key in wanted.split()},
        "Networks": {name: network["IPAMConfig"] for name, network in networks.items()},
        "Mounts": sorted(
            f"{mount['Destination']} {mount['Type']} {'rw' if mount['RW'] else 'ro'}" for mount in attributes["Mounts"]
        ),
    }


def test_the_engine_understands_how_a_host_is_to_run(lab: Lab, golden: Golden) -> None:
    lab.create()
    text = json.dumps(arguments_of(lab, "f0-13"), indent=2, sort_keys=True) + "\n"
    text = text.replace(lab.engine.labels[LABEL], "f0labs-course")
    text = text.replace(f'"{lab.published["f0-13"]}"', '"42202"').replace(f'"{lab.published["api"]}"', '"42205"')
    golden("container.f0-13.json", text)


def test_a_container_is_not_privileged_and_writes_no_folder_of_this_machine(lab: Lab) -> None:
    lab.create()
    attributes = lab.inspect("f0-12")
    assert not attributes["HostConfig"]["Privileged"]
    assert {mount["Destination"]: mount["RW"] for mount in attributes["Mounts"] if mount["Type"] == "bind"} == {
        "/f0/tree": False,
        "/lib/modules": False,
    }


def test_ports_are_published_on_loopback_only(lab: Lab) -> None:
    lab.create()
    bindings = [lab.inspect(host)["NetworkSettings"]["Ports"] for host in lab.topology.names]
    assert bindings == [
        {"22/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(lab.published["f0-12"])}]},
        {
            "22/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(lab.published["f0-13"])}],
            "6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(lab.published["api"])}],
        },
    ]


def test_a_host_has_its_address_and_its_name(lab: Lab) -> None:
    lab.create()
    attributes = lab.inspect("f0-13")
    assert attributes["NetworkSettings"]["Networks"][lab.engine.labels[LABEL]]["IPAddress"] == "192.168.199.13"
    assert attributes["Config"]["Hostname"] == "f0-13"


def test_identifiers_are_those_of_the_containers(lab: Lab) -> None:
    identifiers = lab.create()
    assert identifiers == {host: container.id for host, container in lab.engine.containers().items()}


@pytest.mark.usefixtures("taken")
def test_a_refused_host_is_reported_in_dockers_words_and_the_others_run(lab: Lab, taken: int) -> None:
    with pytest.raises(LabError) as raised:
        lab.create()
    assert raised.value.code == "hosts-not-created"
    assert str(raised.value).startswith("Docker could not start f0-12:\n")
    assert re.search(rf"127\.0\.0\.1:{taken}.*(in use|already allocated)", str(raised.value))
    assert str(raised.value.hint) == "`invoke doctor` shows what this machine lacks."
    states = {host: container.status for host, container in lab.engine.containers().items()}
    assert states == {"f0-12": "created", "f0-13": "running"}


@pytest.mark.usefixtures("taken")
def test_what_a_refusal_left_is_removed(lab: Lab) -> None:
    with pytest.raises(LabError):
        lab.create()
    lab.engine.remove_all()
    assert (lab.engine.containers(), lab.engine.networks()) == ({}, [])


def test_an_image_that_does_not_exist_is_reported(lab: Lab) -> None:
    lab.image = "f0labs-t/no-such-image:1"
    with pytest.raises(LabError) as raised:
        lab.create()
    assert str(raised.value) == "Docker could not start f0-12:\nNo such image: f0labs-t/no-such-image:1"


def test_containers_are_created_side_by_side(topology: Topology, client: "DockerClient") -> None:
    together = threading.Barrier(len(topology.hosts), timeout=20)

    class Meeting:
        """An engine that creates no container before it was asked for all of them."""

        create_host_config = client.api.create_host_config
        create_endpoint_config = client.api.create_endpoint_config
        create_networking_config = client.api.create_networking_config

        def create_container(self, _: str, name: str, **__: object) -> dict[str, str]:
            together.wait()
            return {"Id": name}

        def start(self, _: str) -> None:
            pass

    engine = Engine(cast("DockerClient", SimpleNamespace(api=Meeting())), "w")
    hosts = topology.names
    identifiers = create_containers(
        engine,
        "w",
        {host: topology.address(host) for host in hosts},
        dict.fromkeys(hosts, "image"),
        {host: {22: 1} for host in hosts},
        {host: {} for host in hosts},
    )
    assert identifiers == {host: f"w.{host}" for host in hosts}


def test_a_folder_with_a_colon_and_a_space_is_mounted_as_it_is(engine: Engine, topology: Topology) -> None:
    folder = Path("/home/me/my labs: 2")
    arguments = container_arguments(engine, "w", "f0-12", topology.address("f0-12"), {22: 1}, {folder: "/f0/tree"})
    sources = [mount["Source"] for mount in arguments["host_config"]["Mounts"] if mount["Type"] == "bind"]
    assert sources == [str(folder)]
