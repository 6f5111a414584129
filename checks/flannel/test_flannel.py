"""The objectives of the Flannel lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from testinfra.backend.base import CommandResult

if TYPE_CHECKING:
    from checks.flannel.conftest import Callers, Flanneld, Route

CONFIG = "/coreos.com/network/config"
POD_NETWORK = "172.7.0.0/16"
of_each_node = pytest.mark.parametrize("node", ["f0-13", "f0-14"])
towards_the_other_node = pytest.mark.parametrize(("node", "other"), [("f0-13", "f0-14"), ("f0-14", "f0-13")])


@pytest.mark.objective("network-config")
def test_etcd_holds_the_network_of_the_pods(network_config: Mapping[str, Any]) -> None:
    network = network_config.get("network", "")
    assert _is_pod_network(network), f"{CONFIG} says Network {network or 'nothing'}; the pods live in {POD_NETWORK}."


@pytest.mark.objective("network-config")
def test_a_node_gets_a_24(network_config: Mapping[str, Any]) -> None:
    length = network_config.get("subnetlen", 0) or 24
    assert length == 24, f"{CONFIG} says SubnetLen {length}, but the bridge of each node has a /24."


@pytest.mark.objective("network-config")
def test_a_back_end_is_chosen(network_config: Mapping[str, Any]) -> None:
    backend = network_config.get("backend", {})
    chosen = backend.get("Type", backend.get("type", "")) if isinstance(backend, dict) else ""
    assert chosen not in ("", "udp"), f"{CONFIG} chooses no Backend.Type: flannel then takes udp, made for debugging."


@pytest.mark.objective("subnets")
@towards_the_other_node
def test_a_node_holds_the_lease_of_the_subnet_its_pods_live_in(
    node: str, other: str, subnets: Mapping[str, str], leases: Mapping[str, str], addresses: Mapping[str, str]
) -> None:
    subnet, holder = subnets[node], leases.get(subnets[node])
    assert holder is not None, (
        f"The pods of {node} live in {subnet}, and no node holds the lease of it. "
        f"Leased in etcd: {', '.join(leases) or 'nothing'}."
    )
    assert holder != addresses[other], f"The pods of {node} live in {subnet}, but {other} holds the lease of it."
    assert holder == addresses[node], (
        f"The lease of {subnet} says PublicIP {holder}, but the other nodes reach {node} at {addresses[node]}."
    )


@pytest.mark.objective("supervised")
@of_each_node
def test_flanneld_is_supervised(node: str, flannelds: Mapping[str, "Flanneld | None"]) -> None:
    flanneld = flannelds[node]
    assert flanneld, f"No flanneld runs on {node}."
    unit = {"Id": "no unit"} | dict(flanneld.unit)
    assert flanneld.is_pod or flanneld.is_main_process, (
        f"flanneld runs on {node}, but nothing looks after it (it is part of {unit['Id']}, which does not know of it)."
    )
    assert flanneld.is_pod or unit.get("ActiveState") == "active", (
        f"{unit['Id']} is {unit.get('ActiveState')} on {node}: flanneld waits for something, or ends again and again."
    )
    assert flanneld.is_pod or unit.get("Restart") != "no", (
        f"{unit['Id']} runs on {node}, but nothing starts it again when it ends (Restart=no)."
    )
    assert flanneld.is_pod or unit.get("UnitFileState") == "enabled", (
        f"{unit['Id']} runs on {node}, but does not start at boot: it is {unit.get('UnitFileState') or 'not enabled'}."
    )


@pytest.mark.objective("routes")
@towards_the_other_node
def test_a_node_sends_packets_for_the_others_pods_straight_to_the_other_node(
    node: str, other: str, routes: Mapping[str, "Route"], pods: Mapping[str, str], addresses: Mapping[str, str]
) -> None:
    route = routes[node]
    assert route.device, f"{node} knows no way to {pods[other]}, a pod of {other}: {route.refusal}."
    assert not route.device.startswith(("flannel", "vxlan", "tun")), (
        f"{node} sends packets for {pods[other]} into {route.device}, a tunnel. "
        f"Pods may well reach each other like that, but it is not host-gw, which sends them as they are to {other}."
    )
    assert route.gateway == addresses[other], (
        f"{node} sends packets for {pods[other]} via {route.gateway or 'no gateway'} dev {route.device}; "
        f"{other}, where that pod lives, is {addresses[other]}."
    )


@pytest.mark.objective("pod-to-pod")
@towards_the_other_node
def test_a_pod_reaches_the_other_nodes_pod(
    node: str, other: str, pings: Mapping[str, CommandResult], pods: Mapping[str, str]
) -> None:
    assert pings[node].rc == 0, f"probe-{node} pings probe-{other} ({pods[other]}) and gets no answer."


@pytest.mark.objective("source-address")
@pytest.mark.usefixtures("f0_15")
@towards_the_other_node
def test_a_pod_is_seen_with_its_own_address_by_pods(
    node: str, other: str, callers: Mapping[str, "Callers"], pods: Mapping[str, str]
) -> None:
    seen = callers[node].inside
    assert seen, f"probe-{node} gets no web page from probe-{other}."
    assert seen == pods[node], (
        f"probe-{node} ({pods[node]}) calls probe-{other}, which sees {seen}: {node} changes the source address."
    )


@pytest.mark.objective("source-address")
@pytest.mark.usefixtures("f0_15")
@of_each_node
def test_a_pod_is_seen_with_its_nodes_address_outside_the_cluster(
    node: str, callers: Mapping[str, "Callers"], addresses: Mapping[str, str]
) -> None:
    seen = callers[node].outside
    assert seen, (
        f"probe-{node} gets no answer from f0-15, outside the cluster: "
        f"f0-15 knows no way back to pods, so they have to take their node's address."
    )
    assert seen == addresses[node], f"f0-15 sees {seen} when probe-{node} calls, not {node} ({addresses[node]})."


def _is_pod_network(text: object) -> bool:
    try:
        return str(ip_network(str(text), strict=False)) == POD_NETWORK
    except ValueError:
        return False
