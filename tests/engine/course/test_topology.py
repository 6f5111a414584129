"""The topology: what follows from vagrant/topology.yml, and everything that may be wrong with it."""

import shutil
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from labs.engine.course.topology import Topology, load_topology
from labs.engine.errors import LabError
from tests.engine.conftest import PORTS, REPO

BROKEN = Path(__file__).parent / "broken_topologies"
BROKEN_TOPOLOGIES = (
    ("not-closed", ["10: not valid YAML: did not find expected ',' or '}'"]),
    (
        "several",
        [
            "2: 'network': Input is not a valid IPv4 network",
            "9: 'hosts.0.memory': Input should be greater than or equal to 256",
            "10: 'hosts.1.name': String should match pattern '^f0-\\d+$'",
            "10: 'hosts.1.roles' is missing",
            "10: unknown key 'hosts.1.role'. Did you mean 'roles'?",
        ],
    ),
    (
        "inconsistent",
        [
            "1: no host is named f0-19; two hosts share a name or a number (the VIP's number counts); "
            "the lab network must be a /24, not 172.7.0.0/16; "
            "the lab network 172.7.0.0/16 overlaps the pods' or the Services' network",
        ],
    ),
    ("vip-taken", ["1: two hosts share a name or a number (the VIP's number counts)"]),
    ("same-key-twice", ["1: 'services' is missing", "5: duplicate key 'pods'"]),
    ("unknown-role", ["10: f0-12 has the unknown role 'ectd'. Did you mean 'etcd'?"]),
    (
        "unknown-optional-role",
        ["10: f0-12 has the unknown role 'zokeeper'. Did you mean 'zookeeper'?"],
    ),
    ("empty", ["1: must be a mapping of keys to values"]),
)


def test_a_host_has_its_number_in_every_network(topology: Topology) -> None:
    assert topology.address("f0-13") == IPv4Address("192.168.56.13")
    assert topology.pod_subnet("f0-13") == IPv4Network("172.7.13.0/24")
    assert topology.gateway("f0-15") == "172.7.15.1/24"


def test_the_api_servers_have_an_address_of_their_own(topology: Topology) -> None:
    assert (topology.vip_address, topology.prefix) == (IPv4Address("192.168.56.10"), 24)


def test_the_reverse_zone_follows_from_the_network(topology: Topology) -> None:
    assert topology.reverse_zone == "56.168.192.in-addr.arpa"


def test_roles_name_hosts_in_order(topology: Topology) -> None:
    assert [host.name for host in topology.all_with_role("etcd")] == ["f0-12", "f0-13", "f0-14"]
    assert topology.with_role("proxy").name == "f0-11"


def test_a_host_has_an_optional_role_when_that_is_wanted(topology: Topology) -> None:
    assert topology.optional_roles == {"zookeeper", "delivery"}
    assert topology.all_with_role("zookeeper") == []
    extended = topology.with_optional_roles(["zookeeper"])
    assert [host.name for host in extended.all_with_role("zookeeper")] == ["f0-11", "f0-12", "f0-13"]
    assert extended.host("f0-11").roles == ["dns", "proxy", "zookeeper"]
    assert extended.all_with_role("delivery") == []


def test_no_optional_role_changes_nothing(topology: Topology) -> None:
    assert topology.with_optional_roles([]) == topology


@pytest.mark.parametrize(
    ("page", "here"),
    [
        ("http://whoami.frank.com/", "http://whoami.frank.localhost:42206/"),
        ("http://traefik.frank.com/api/overview", "http://traefik.frank.localhost:42206/api/overview"),
        ("http://whoami.frank.com", "http://whoami.frank.localhost:42206"),
        ("https://dashboard.frank.com/", "https://dashboard.frank.localhost:42207/"),
        ("http://ci.frank.com/", "http://ci.frank.localhost:42208/"),
    ],
)
def test_a_page_of_the_course_is_found_on_loopback(topology: Topology, page: str, here: str) -> None:
    assert topology.on_loopback(page, PORTS) == here


@pytest.mark.parametrize("page", ["http://whoami.frank.com/", "https://ci.frank.com/"])
def test_a_page_whose_port_is_not_published_is_not_found(topology: Topology, page: str) -> None:
    assert topology.on_loopback(page, {"f0-11": {"ssh": 42200}}) is None


def test_an_unknown_host_is_reported_with_the_known_ones(topology: Topology) -> None:
    with pytest.raises(LabError) as raised:
        topology.host("f0-99")
    assert str(raised.value.message) == "There is no host 'f0-99'. Did you mean 'f0-15'?"
    assert str(raised.value.hint) == "Available: f0-11, f0-12, f0-13, f0-14, f0-15."


def test_the_hosts_can_be_in_another_network(topology: Topology) -> None:
    assert topology.in_network("10.20.30.0/24").address("f0-11") == IPv4Address("10.20.30.11")


def test_without_another_network_the_hosts_stay_where_they_are(topology: Topology) -> None:
    assert topology.in_network(None) == topology


def test_the_environment_does_not_change_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0_NETWORK", "10.20.30.0/24")
    assert load_topology(REPO).address("f0-11") == IPv4Address("192.168.56.11")


@pytest.mark.parametrize("network", ["home", "10.20.30.5/24", "10.20.0.0/16", "172.7.13.0/24", "10.254.0.0/24"])
def test_a_network_that_cannot_be_used_is_refused(topology: Topology, network: str) -> None:
    with pytest.raises(LabError) as raised:
        topology.in_network(network)
    assert str(raised.value.message) == f"'{network}' can't be the lab network."
    assert str(raised.value.hint).startswith("It must be a /24 that overlaps neither pods nor Services")


@pytest.mark.parametrize(("name", "expected"), BROKEN_TOPOLOGIES)
def test_a_broken_topology_is_reported_line_by_line(tmp_path: Path, name: str, expected: list[str]) -> None:
    (tmp_path / "vagrant").mkdir()
    (tmp_path / "vagrant/roles").symlink_to(REPO / "vagrant/roles")
    shutil.copy(BROKEN / f"{name}.yml", tmp_path / "vagrant/topology.yml")
    with pytest.raises(LabError) as raised:
        load_topology(tmp_path)
    assert str(raised.value.message).splitlines() == [f"vagrant/topology.yml:{line}" for line in expected]
    assert str(raised.value.hint) == "Correct vagrant/topology.yml and try again."


def test_every_broken_topology_has_its_message() -> None:
    assert {name for name, _ in BROKEN_TOPOLOGIES} == {file.stem for file in BROKEN.glob("*.yml")}


def test_a_missing_topology_is_reported(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"^vagrant/topology.yml:1: not readable: .*No such file"):
        load_topology(tmp_path)
