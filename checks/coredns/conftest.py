"""Probes of the CoreDNS lab."""

from collections.abc import Mapping, Sequence

import pytest
from testinfra.host import Host

from checks.addresses import look_up_hosts
from checks.cluster import Cluster
from checks.coredns.dns import (
    API_NAME,
    DNS,
    NONSENSE,
    OUTSIDE,
    SHORT_NAMES,
    ClusterDns,
    DnsAnswer,
    DnsClient,
    find_network,
    question,
    retry_until_caches_agree,
)
from checks.names import NODES
from checks.parallel import parallel_map
from checks.permissions import Permissions
from checks.workloads import Object

NEEDED = (("list", "services"), ("list", "namespaces"), ("list", "endpointslices.discovery.k8s.io"))

# Only resolves: wget tells the address before it connects. The names are looked up at once.
RESOLVE = """\
resolve() { timeout 4 wget --spider -T 1 "http://$1:443/" 2>&1 | sed -n 's/^Connecting to .* (\\([0-9.]*\\):.*/\\1/p'; }
for name; do (echo "$name $(resolve "$name")") & done
wait
"""


@pytest.fixture(scope="session")
def dns(objects: Sequence[Object]) -> ClusterDns:
    """CoreDNS and the cluster's Services."""
    return ClusterDns(objects)


@pytest.fixture(scope="session")
def permissions(cluster: Cluster, dns: ClusterDns, namespaces: Sequence[str]) -> Permissions:
    """What the DNS pods are allowed to do."""
    assert dns.workload.deployment, dns.workload.absence
    return cluster.permissions(dns.workload.account, namespaces, NEEDED)


@pytest.fixture(scope="session")
def dns_client(nodes: Mapping[str, Host], pods: Mapping[str, str]) -> DnsClient:
    """The probe pods as clients of name servers."""
    return DnsClient(nodes, parallel_map(lambda node: find_network(nodes, pods, node), NODES))


@pytest.fixture(scope="session")
def transports(dns_client: DnsClient) -> Mapping[tuple[str, str], DnsAnswer]:
    """The answers that a pod of each node gets from the agreed address, by node and transport."""
    questions = {"UDP": question(DNS, API_NAME, "+notcp"), "TCP": question(DNS, API_NAME, "+tcp")}
    answers = parallel_map(lambda node: dns_client.ask(node, questions.values()), NODES)
    return {(node, way): answers[node][text] for node in NODES for way, text in questions.items()}


@pytest.fixture(scope="session")
def service_answers(dns_client: DnsClient, dns: ClusterDns) -> Mapping[str, Mapping[str, DnsAnswer]]:
    """The answers that a pod of each node gets for the full names of Services."""
    return parallel_map(lambda node: dns_client.look_up(node, DNS, dns.service_names), NODES)


@pytest.fixture(scope="session")
def wrong_service_answers(
    dns: ClusterDns, service_answers: Mapping[str, Mapping[str, DnsAnswer]]
) -> Mapping[str, Mapping[str, DnsAnswer]]:
    """Those of these answers that aren't just the Service's address."""
    expected = dns.service_names
    return {
        node: {name: answer for name, answer in answers.items() if answer.records != {expected[name]}}
        for node, answers in service_answers.items()
    }


@pytest.fixture(scope="session")
def short_names(cluster: Cluster) -> Mapping[tuple[str, str], str]:
    """The addresses that the resolver of each node's probe pod finds for short names; empty where it finds none."""

    def resolve(node: str) -> Mapping[str, str]:
        output = cluster.exec(node, "sh", "-c", RESOLVE, "sh", *SHORT_NAMES).stdout
        return dict(line.partition(" ")[::2] for line in output.splitlines())

    addresses = parallel_map(resolve, NODES)
    return {(node, name): addresses[node].get(name, "") for node in NODES for name in SHORT_NAMES}


@pytest.fixture(scope="session")
def wrong_headless(dns_client: DnsClient, dns: ClusterDns) -> Mapping[str, DnsAnswer]:
    """The answers for names of headless Services that aren't the addresses of their pods."""
    answers = retry_until_caches_agree(lambda: dns_client.look_up("f0-13", DNS, dns.headless), dns.headless)
    return {name: answer for name, answer in answers.items() if answer.records != dns.headless[name]}


@pytest.fixture(scope="session")
def wrong_reverse(dns_client: DnsClient, dns: ClusterDns) -> Mapping[str, DnsAnswer]:
    """The answers for addresses that aren't names in the expected domain."""
    expected = dns.reverse_names
    answers = dns_client.look_up("f0-13", DNS, expected)
    return {
        address: answer
        for address, answer in answers.items()
        if not any(record.endswith(expected[address]) for record in answer.records)
    }


@pytest.fixture(scope="session")
def outside_answers(dns_client: DnsClient) -> Mapping[str, Mapping[str, DnsAnswer]]:
    """The answers that a pod of each node gets for hosts outside the cluster."""
    return parallel_map(lambda node: dns_client.look_up(node, DNS, OUTSIDE), NODES)


@pytest.fixture(scope="session")
def nonsense_answers(dns_client: DnsClient) -> Mapping[str, Mapping[str, DnsAnswer]]:
    """The answers that a pod of each node gets for names that don't exist."""
    return parallel_map(lambda node: dns_client.look_up(node, DNS, NONSENSE), NODES)


@pytest.fixture(scope="session")
def silent_endpoints(dns_client: DnsClient, dns: ClusterDns) -> Mapping[str, str]:
    """The ready pods behind the Service that don't answer when asked directly, and the node of each."""
    questions = {address: question(address, API_NAME) for address in dns.endpoints}
    answers = dns_client.ask("f0-13", questions.values())
    return {address: dns.endpoints[address] for address, text in questions.items() if not answers[text].status}


@pytest.fixture(scope="session")
def known_addresses(f0_12: Host) -> Mapping[str, str]:
    """The addresses of names of frank.com, as a host outside the cluster finds them."""
    return look_up_hosts(f0_12, OUTSIDE)
