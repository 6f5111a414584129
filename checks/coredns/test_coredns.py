"""The objectives of the CoreDNS lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import pytest

from checks.coredns.conftest import API_NAME, DNS, NEEDED, NONSENSE, OUTSIDE, PROGRAM, once_caches_agree
from checks.rights import shortened
from checks.side_by_side import of_each
from checks.workloads import container_of

if TYPE_CHECKING:
    from checks.coredns.conftest import Answer, Dig, Dns

    Ask = Callable[[str, Iterable[str]], Mapping[str, Answer]]

pytestmark = pytest.mark.usefixtures("every_host")
API = "10.254.0.1"
REGISTRY = "harbor.frank.com/"
from_each_node = pytest.mark.parametrize("node", ["f0-13", "f0-14"])


@pytest.mark.objective("image")
def test_the_pods_run_an_image_that_was_pulled_from_the_labs_registry(dns: "Dns") -> None:
    assert dns.pods, "No pod of a Deployment runs CoreDNS (looked for by the name of the image, in all namespaces)."
    for pod in dns.pods:
        name, own = pod["metadata"]["name"], container_of(pod, PROGRAM)
        assert own, f"The pod {name} runs no CoreDNS."
        image = own["image"]
        assert image.startswith(REGISTRY), f"The pod {name} takes its image from elsewhere: {image}."
        states = pod["status"].get("containerStatuses", [])
        assert any(one.get("imageID", "").startswith(REGISTRY) for one in states), (
            f"The node of the pod {name} has not pulled {image}: {_reason(states)}."
        )


@pytest.mark.objective("deployment")
def test_the_deployment_is_available(dns: "Dns") -> None:
    assert dns.deployment, "No Deployment runs CoreDNS (looked for by the name of the image, in all namespaces)."
    name, wanted = dns.deployment["metadata"]["name"], dns.deployment["spec"].get("replicas", 1)
    ready = dns.deployment["status"].get("readyReplicas", 0)
    assert wanted, f"The Deployment {name} wants no pod at all (replicas: 0)."
    assert ready == wanted, f"{ready} of the {wanted} pods of the Deployment {name} are ready."


@pytest.mark.objective("deployment")
def test_the_pods_may_read_what_names_are_made_of(dns: "Dns", rights: Mapping[tuple[str, str], bool]) -> None:
    missing = [" ".join(right) for right in NEEDED if not rights[right]]
    assert not missing, f"{dns.account} may not: {', '.join(missing)}."


@pytest.mark.objective("deployment")
def test_the_pods_may_do_nothing_else(dns: "Dns", needless_rights: Mapping[str, list[str]]) -> None:
    for namespace, needless in needless_rights.items():
        assert not needless, (
            f"{dns.account} may do more than a name server needs, in the namespace {namespace}: {shortened(needless)}."
        )


@pytest.mark.objective("service")
@from_each_node
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_the_agreed_address_answers(
    transport: str, node: str, dns: "Dns", transports: Mapping[tuple[str, str], "Answer"]
) -> None:
    assert dns.service, f"No Service has the address {DNS}, which every pod has in its resolv.conf."
    name = dns.service["metadata"]["name"]
    assert dns.ready_endpoints(dns.service), f"The Service {name} ({DNS}) has no ready pod behind it."
    assert transports[node, transport].status, f"probe-{node} asks {DNS} by {transport} and gets no answer."


@pytest.mark.objective("service-names")
@from_each_node
def test_a_pod_finds_services_by_their_names(node: str, dns: "Dns", asked: "Ask") -> None:
    assert dns.service
    meta = dns.service["metadata"]
    expected = {API_NAME: API, f"{meta['name']}.{meta['namespace']}.svc.cluster.local": DNS}
    for name, answer in asked(node, expected).items():
        assert answer.records == {expected[name]}, (
            f"probe-{node} asks for {name}, a Service at {expected[name]}, and gets: {answer}."
        )


@pytest.mark.objective("search-list")
@from_each_node
def test_a_pod_finds_services_by_short_names(node: str, short_names: Mapping[tuple[str, str], str]) -> None:
    for (asking, name), address in short_names.items():
        assert asking != node or address == API, (
            f"probe-{node} looks up {name}, which is {API}, and finds {address or 'nothing'}."
        )


@pytest.mark.objective("headless")
def test_the_name_of_a_headless_service_gives_the_addresses_of_its_pods(dig: "Dig", dns: "Dns") -> None:
    services = dns.headless()
    assert services, "No headless Service (clusterIP: None) with a ready pod behind it is there to be looked up."
    heard = of_each(lambda name: once_caches_agree(lambda: dig("f0-13", DNS, name), services[name]), services)
    for name, answer in heard.items():
        assert answer.records == services[name], (
            f"{name} is headless; its pods are {', '.join(sorted(services[name]))}, its name gives: {answer}."
        )


@pytest.mark.objective("headless")
def test_addresses_of_services_and_pods_have_names(dig: "Dig", dns: "Dns") -> None:
    services = dns.headless()
    assert services, "No headless Service (clusterIP: None) with a ready pod behind it is there to be looked up."
    expected = {API: f"{API_NAME}."} | {
        address: f".{name.partition('.')[2]}." for name, addresses in services.items() for address in addresses
    }
    for address, answer in of_each(lambda address: dig("f0-13", DNS, address), expected).items():
        assert any(record.endswith(expected[address]) for record in answer.records), (
            f"The name of {address} should end in {expected[address]} The answer is: {answer}."
        )


@pytest.mark.objective("forwarding")
@from_each_node
def test_a_pod_finds_the_hosts_outside_the_cluster(node: str, asked: "Ask", known_addresses: Mapping[str, str]) -> None:
    for name, answer in asked(node, OUTSIDE).items():
        assert answer.records == {known_addresses[name]}, (
            f"probe-{node} asks for {name}, which is {known_addresses[name]}, and gets: {answer}."
        )


@pytest.mark.objective("forwarding")
@from_each_node
def test_a_name_that_nobody_has_does_not_exist(node: str, asked: "Ask") -> None:
    for name, answer in asked(node, NONSENSE).items():
        assert answer.status == "NXDOMAIN", f"probe-{node} asks for {name}, which nobody has, and gets: {answer}."


@pytest.mark.objective("replicas")
def test_a_pod_of_each_node_stands_behind_the_service(dns: "Dns") -> None:
    assert dns.service, f"No Service has the address {DNS}."
    behind = dns.ready_endpoints(dns.service)
    nodes = sorted(set(behind.values()))
    assert len(nodes) > 1, (
        f"Ready pods behind {DNS}: {len(behind)}, on {' and '.join(nodes) or 'no node'}. "
        "When that one is replaced, or its node reboots, nobody answers."
    )


@pytest.mark.objective("replicas")
def test_each_pod_answers_by_itself(dig: "Dig", dns: "Dns") -> None:
    assert dns.service, f"No Service has the address {DNS}."
    behind = dns.ready_endpoints(dns.service)
    assert behind, f"There is no ready pod behind {DNS}."
    for address, answer in of_each(lambda address: dig("f0-13", address, API_NAME), behind).items():
        assert answer.status, f"The pod {address} of {behind[address]} stands behind {DNS} and does not answer."


def _reason(states: list[dict[str, dict[str, dict[str, str]]]]) -> str:
    reasons = [one.get("state", {}).get("waiting", {}).get("reason", "") for one in states]
    return " ".join(filter(None, reasons)) or "the image is not from there"
