"""The objectives of the CoreDNS lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping

import pytest

from checks.coredns.dns import API, DNS, NONSENSE, OUTSIDE, PROGRAM, SHORT_NAMES, ClusterDns, DnsAnswer
from checks.names import NODES
from checks.permissions import Permissions, excess_listing
from checks.workloads import wrong_images
from labs.engine.messages import Message, _, lines, listing

pytestmark = pytest.mark.usefixtures("every_host")
# Upstream's own role includes pods, nodes and Endpoints as well, for other Corefiles than ours.
READING = ("services", "namespaces", "endpointslices.discovery.k8s.io", "endpoints", "pods", "nodes")
of_each_node = pytest.mark.parametrize("node", NODES)
NO_SERVICE = _("No Service has the address {address}, which every pod has in its resolv.conf.", address=DNS)
NO_HEADLESS = _("There is no headless Service (clusterIP: None) with a ready pod whose name could be looked up.")


@pytest.mark.objective("image")
def test_the_pods_run_an_image_that_was_pulled_from_the_labs_registry(dns: ClusterDns) -> None:
    assert dns.workload.deployment, dns.workload.absence
    assert dns.workload.pods, _("The Deployment that runs {program} has no pods.", program=PROGRAM)
    wrong = wrong_images(dns.workload.pods, PROGRAM)
    assert not wrong, wrong[0]


@pytest.mark.objective("deployment")
def test_the_deployment_is_available(dns: ClusterDns) -> None:
    assert not dns.workload.unavailable, dns.workload.unavailable


@pytest.mark.objective("deployment")
def test_the_pods_are_allowed_to_read_what_names_are_made_of(permissions: Permissions) -> None:
    assert not permissions.missing, _(
        "{user} lacks permissions that a name server needs: {permissions}.",
        user=permissions.user,
        permissions=permissions.missing_listing,
    )


@pytest.mark.objective("deployment")
def test_the_pods_have_no_excess_permissions(permissions: Permissions) -> None:
    excess = permissions.excess(READING)
    assert not excess, _(
        "{user} has more permissions than a name server needs, {excess}.",
        user=permissions.user,
        excess=excess_listing(excess),
    )


@pytest.mark.objective("service")
@of_each_node
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_the_agreed_address_answers(
    transport: str, node: str, dns: ClusterDns, transports: Mapping[tuple[str, str], DnsAnswer]
) -> None:
    assert dns.service, NO_SERVICE
    assert dns.endpoints, _(
        "The Service {name} ({address}) has no ready pod behind it.", name=dns.service["metadata"]["name"], address=DNS
    )
    assert transports[node, transport].status, _(
        "probe-{node} asks {address} by {transport} and gets no answer.", node=node, address=DNS, transport=transport
    )


@pytest.mark.objective("service-names")
@of_each_node
def test_a_pod_finds_services_by_their_names(
    node: str, dns: ClusterDns, wrong_service_answers: Mapping[str, Mapping[str, DnsAnswer]]
) -> None:
    assert dns.service, NO_SERVICE
    assert not wrong_service_answers[node], _(
        "probe-{node} looks up Services and should get only the address of each. {answers}",
        node=node,
        answers=_each(wrong_service_answers[node], dns.service_names),
    )


@pytest.mark.objective("search-list")
@of_each_node
@pytest.mark.parametrize("name", SHORT_NAMES)
def test_a_pod_finds_services_by_short_names(name: str, node: str, short_names: Mapping[tuple[str, str], str]) -> None:
    assert short_names[node, name] == API, _(
        "probe-{node} looks up {name} and should find {expected}. It finds {address}.",
        node=node,
        name=name,
        expected=API,
        address=short_names[node, name] or _("nothing"),
    )


@pytest.mark.objective("headless")
def test_the_name_of_a_headless_service_gives_the_addresses_of_its_pods(
    dns: ClusterDns, wrong_headless: Mapping[str, DnsAnswer]
) -> None:
    assert dns.headless, NO_HEADLESS
    expected = {name: listing(sorted(addresses)) for name, addresses in dns.headless.items()}
    assert not wrong_headless, _(
        "The name of a headless Service should give the addresses of its pods. {answers}",
        answers=_each(wrong_headless, expected),
    )


@pytest.mark.objective("headless")
def test_addresses_of_services_and_pods_have_names(dns: ClusterDns, wrong_reverse: Mapping[str, DnsAnswer]) -> None:
    assert dns.headless, NO_HEADLESS
    expected = {address: _("a name that ends in {name}", name=name) for address, name in dns.reverse_names.items()}
    assert not wrong_reverse, _(
        "Addresses of Services and pods should have names. {answers}", answers=_each(wrong_reverse, expected)
    )


@pytest.mark.objective("forwarding")
@of_each_node
@pytest.mark.parametrize("name", OUTSIDE)
def test_a_pod_finds_the_hosts_outside_the_cluster(
    name: str,
    node: str,
    outside_answers: Mapping[str, Mapping[str, DnsAnswer]],
    known_addresses: Mapping[str, str],
) -> None:
    answer = outside_answers[node][name]
    assert answer.records == {known_addresses[name]}, _(
        "probe-{node} looks up {name}, which has the address {expected}. The answer is: {answer}.",
        node=node,
        name=name,
        expected=known_addresses[name],
        answer=answer.evidence,
    )


@pytest.mark.objective("forwarding")
@of_each_node
@pytest.mark.parametrize("name", NONSENSE)
def test_a_name_that_is_not_registered_does_not_exist(
    name: str, node: str, nonsense_answers: Mapping[str, Mapping[str, DnsAnswer]]
) -> None:
    answer = nonsense_answers[node][name]
    assert answer.status == "NXDOMAIN", _(
        "probe-{node} looks up {name}, which does not exist, so the answer should be NXDOMAIN. It is: {answer}.",
        node=node,
        name=name,
        answer=answer.evidence,
    )


@pytest.mark.objective("replicas")
def test_a_pod_of_each_node_is_behind_the_service(dns: ClusterDns) -> None:
    assert dns.service, NO_SERVICE
    nodes = sorted(set(dns.endpoints.values()))
    assert len(nodes) > 1, _(
        "Ready pods behind {address}: {count}, on these nodes: {nodes}. "
        "With pods on two nodes, names can still be looked up while one of them reboots.",
        address=DNS,
        count=len(dns.endpoints),
        nodes=listing(nodes),
    )


@pytest.mark.objective("replicas")
def test_each_pod_answers_by_itself(dns: ClusterDns, silent_endpoints: Mapping[str, str]) -> None:
    assert dns.service, NO_SERVICE
    assert dns.endpoints, _("There is no ready pod behind {address}.", address=DNS)
    assert not silent_endpoints, _(
        "These pods are behind {address}, but do not answer when they are asked directly: {pods}.",
        address=DNS,
        pods=listing(f"{address} ({node})" for address, node in silent_endpoints.items()),
    )


def _each(answers: Mapping[str, DnsAnswer], expected: Mapping[str, object]) -> Message:
    return lines(
        (
            _("{name}: expected {expected}, got {answer}.", name=name, expected=expected[name], answer=answer.evidence)
            for name, answer in answers.items()
        ),
        separator=" ",
    )
