"""Probes of the Flannel lab."""

from collections.abc import Mapping
from ipaddress import ip_network

import pytest
from testinfra.backend.base import CommandResult
from testinfra.host import Host

from checks.addresses import look_up_hosts
from checks.cluster import Cluster
from checks.flannel.network import (
    FLANNELD,
    PREFIX,
    Flanneld,
    NetworkConfig,
    Route,
    SourceAddresses,
    parse_config,
    parse_flanneld,
    parse_leases,
    parse_route,
    read_etcd,
)
from checks.names import NODES, OTHER_NODE
from checks.parallel import parallel_map
from labs.engine.messages import _


@pytest.fixture(scope="session")
def addresses(f0_12: Host) -> Mapping[str, str]:
    """The addresses at which other hosts reach the nodes and f0-15."""
    return look_up_hosts(f0_12, (*NODES, "f0-15"))


@pytest.fixture(scope="session")
def etcd(f0_12: Host) -> Mapping[str, str]:
    """What etcd holds for flannel."""
    return read_etcd(f0_12)


@pytest.fixture(scope="session")
def network_config(etcd: Mapping[str, str]) -> NetworkConfig:
    """The configuration that every flanneld reads."""
    key = f"{PREFIX}/config"
    assert key in etcd, _("etcd has no key {key}. The check looked for it with the v3 API.", key=key)
    config = parse_config(etcd[key])
    assert config, _("{key} should be a JSON object, but it is: {text}", key=key, text=etcd[key][:80])
    return config


@pytest.fixture(scope="session")
def leases(etcd: Mapping[str, str]) -> Mapping[str, str]:
    """The leased subnets, and at which address each says its node is reached."""
    return parse_leases(etcd)


@pytest.fixture(scope="session")
def subnets(pods: Mapping[str, str]) -> Mapping[str, str]:
    """The subnet in which each node's pods live."""
    return {node: str(ip_network(f"{address}/24", strict=False)) for node, address in pods.items()}


@pytest.fixture(scope="session")
def flannelds(nodes: Mapping[str, Host]) -> Mapping[str, Flanneld | None]:
    """The running flanneld of each node."""
    return parallel_map(lambda node: parse_flanneld(nodes[node].run("sh -c %s", FLANNELD).stdout), NODES)


@pytest.fixture(scope="session")
def routes(nodes: Mapping[str, Host], pods: Mapping[str, str]) -> Mapping[str, Route]:
    """What each node does with a packet for the other node's pod."""
    ask = "timeout 5 ip -json route get %s"
    return parallel_map(lambda node: parse_route(nodes[node].run(ask, pods[OTHER_NODE[node]])), NODES)


@pytest.fixture(scope="session")
def pings(cluster: Cluster, pods: Mapping[str, str]) -> Mapping[str, CommandResult]:
    """The result of each node's pod pinging the other's."""
    return parallel_map(lambda node: cluster.exec(node, "ping", "-c1", "-W2", pods[OTHER_NODE[node]]), NODES)


@pytest.fixture(scope="session")
def sources(
    cluster: Cluster, pods: Mapping[str, str], addresses: Mapping[str, str], f0_15: Host
) -> Mapping[str, SourceAddresses]:
    """The source address of each node's pod as its peers see it. f0-15 is one of them, so it must answer."""

    def ask(node: str) -> SourceAddresses:
        inside, outside = f"http://{pods[OTHER_NODE[node]]}/", f"http://{addresses['f0-15']}/client"
        script = f"echo inside $(wget -qO- -T2 {inside} | grep ^RemoteAddr:); echo outside $(wget -qO- -T2 {outside})"
        output = cluster.exec(node, "sh", "-c", script).stdout
        lines = dict(line.partition(" ")[::2] for line in output.splitlines())
        source = lines.get("inside", "").removeprefix("RemoteAddr: ").rpartition(":")[0]
        return SourceAddresses(source, lines.get("outside", ""))

    return parallel_map(ask, NODES)
