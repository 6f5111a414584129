"""The objectives of the Flannel lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping

import pytest
from testinfra.backend.base import CommandResult

from checks.flannel.network import POD_NETWORK, PREFIX, Flanneld, NetworkConfig, Route, SourceAddresses
from checks.names import NODES
from labs.engine.messages import _, listing

CONFIG = f"{PREFIX}/config"
of_each_node = pytest.mark.parametrize("node", NODES)
towards_the_other_node = pytest.mark.parametrize(("node", "other"), [("f0-13", "f0-14"), ("f0-14", "f0-13")])


@pytest.mark.objective("network-config")
def test_etcd_holds_the_network_of_the_pods(network_config: NetworkConfig) -> None:
    assert network_config.is_pod_network, _(
        "{key} sets Network to {network}, but the pods live in {pod_network}.",
        key=CONFIG,
        network=network_config.network or _("nothing"),
        pod_network=POD_NETWORK,
    )


@pytest.mark.objective("network-config")
def test_a_node_gets_a_24(network_config: NetworkConfig) -> None:
    assert network_config.subnet_length == 24, _(
        "{key} sets SubnetLen to {length}, but the bridge of each node has a /24.",
        key=CONFIG,
        length=network_config.subnet_length,
    )


@pytest.mark.objective("network-config")
def test_a_backend_is_chosen(network_config: NetworkConfig) -> None:
    assert network_config.backend not in ("", "udp"), _(
        "{key} should choose a Backend.Type other than udp. The default is udp, but that is only for debugging.",
        key=CONFIG,
    )


@pytest.mark.objective("subnets")
@towards_the_other_node
def test_a_node_holds_the_lease_of_the_subnet_its_pods_live_in(
    node: str, other: str, subnets: Mapping[str, str], leases: Mapping[str, str], addresses: Mapping[str, str]
) -> None:
    subnet, holder = subnets[node], leases.get(subnets[node])
    assert holder is not None, _(
        "The pods of {node} live in {subnet}, but no node holds its lease. Subnets leased in etcd: {leases}.",
        node=node,
        subnet=subnet,
        leases=listing(leases),
    )
    assert holder != addresses[other], _(
        "The pods of {node} live in {subnet}, but {other} holds the lease of that subnet.",
        node=node,
        subnet=subnet,
        other=other,
    )
    assert holder == addresses[node], _(
        "The lease of {subnet} has the PublicIP {holder}, but other nodes reach {node} at {address}.",
        subnet=subnet,
        holder=holder,
        node=node,
        address=addresses[node],
    )


@pytest.mark.objective("supervised")
@of_each_node
def test_flanneld_is_supervised(node: str, flannelds: Mapping[str, Flanneld | None]) -> None:
    flanneld = flannelds[node]
    assert flanneld, _("flanneld is not running on {node}.", node=node)
    unit = {"Id": _("no unit")} | dict(flanneld.unit)
    assert flanneld.is_pod or flanneld.is_main_process, _(
        "flanneld is running on {node}, but nothing supervises it: it is not the main process of its unit ({unit}).",
        node=node,
        unit=unit["Id"],
    )
    assert flanneld.is_pod or unit.get("ActiveState") == "active", _(
        "On {node}, {unit} is {state} instead of active: flanneld is still waiting for something, or keeps exiting.",
        node=node,
        unit=unit["Id"],
        state=unit.get("ActiveState", _("unknown")),
    )
    assert flanneld.is_pod or unit.get("Restart") != "no", _(
        "On {node}, {unit} is running, but nothing restarts it when it exits (Restart=no).",
        node=node,
        unit=unit["Id"],
    )
    assert flanneld.is_pod or unit.get("UnitFileState") == "enabled", _(
        "On {node}, {unit} is running, but it does not start at boot. Its state should be enabled, but is: {state}.",
        node=node,
        unit=unit["Id"],
        state=unit.get("UnitFileState") or _("not enabled"),
    )


@pytest.mark.objective("routes")
@towards_the_other_node
def test_a_node_sends_packets_for_the_others_pods_straight_to_the_other_node(
    node: str, other: str, routes: Mapping[str, Route], pods: Mapping[str, str], addresses: Mapping[str, str]
) -> None:
    route = routes[node]
    assert route.device, _(
        "{node} has no route to {pod}, a pod of {other}: {reason}.",
        node=node,
        pod=pods[other],
        other=other,
        reason=route.refusal,
    )
    assert not route.device.startswith(("flannel", "vxlan", "tun")), _(
        "{node} sends packets for {pod} into the tunnel {device}. Pods may reach each other that way, but host-gw "
        "sends packets to {other} unchanged.",
        node=node,
        pod=pods[other],
        device=route.device,
        other=other,
    )
    assert route.gateway == addresses[other], _(
        "{node} sends packets for {pod} via {gateway} dev {device}, but that pod is on {other}, which has {address}.",
        node=node,
        pod=pods[other],
        gateway=route.gateway or _("no gateway"),
        device=route.device,
        other=other,
        address=addresses[other],
    )


@pytest.mark.objective("pod-to-pod")
@towards_the_other_node
def test_a_pod_reaches_the_other_nodes_pod(
    node: str, other: str, pings: Mapping[str, CommandResult], pods: Mapping[str, str]
) -> None:
    assert pings[node].rc == 0, _(
        "probe-{node} pings probe-{other} ({pod}) and gets no answer.", node=node, other=other, pod=pods[other]
    )


@pytest.mark.objective("source-address")
@towards_the_other_node
def test_pods_see_a_pod_with_its_own_address(
    node: str, other: str, sources: Mapping[str, SourceAddresses], pods: Mapping[str, str]
) -> None:
    source = sources[node].inside
    assert source, _("probe-{node} gets no web page from probe-{other}.", node=node, other=other)
    assert source == pods[node], _(
        "probe-{node} ({pod}) sends a request to probe-{other}, which sees it come from {source}: {node} changes the "
        "source address.",
        node=node,
        pod=pods[node],
        other=other,
        source=source,
    )


@pytest.mark.objective("source-address")
@of_each_node
def test_hosts_outside_the_cluster_see_a_pod_with_its_nodes_address(
    node: str, sources: Mapping[str, SourceAddresses], addresses: Mapping[str, str]
) -> None:
    source = sources[node].outside
    assert source, _(
        "probe-{node} gets no answer from f0-15, which is outside the cluster. f0-15 has no route back to pods, so "
        "their packets must leave with the address of their node.",
        node=node,
    )
    assert source == addresses[node], _(
        "f0-15 sees the request of probe-{node} come from {source}, but it should come from {node} ({address}).",
        node=node,
        source=source,
        address=addresses[node],
    )
