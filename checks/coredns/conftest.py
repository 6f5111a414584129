"""What the checks of the CoreDNS lab look at: the DNS pods as the API has them, and what they answer."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

import pytest
from testinfra.host import Host

from checks.rights import beyond
from checks.side_by_side import of_each
from checks.workloads import Object, container_of, is_selected
from labs.engine.errors import LabError
from labs.engine.hosts.readiness import wait_until

if TYPE_CHECKING:
    from checks.conftest import Cluster

PROGRAM = "coredns"
NODES = ("f0-13", "f0-14")
DNS = "10.254.0.2"
API_NAME = "kubernetes.default.svc.cluster.local"
OUTSIDE = ("harbor.frank.com", "f0-11.frank.com")
NONSENSE = ("no-such-host.frank.com", "no-such-name.example", f"no-such-service.{API_NAME.partition('.')[2]}")
NEEDED = (("list", "services"), ("list", "namespaces"), ("list", "endpointslices.discovery.k8s.io"))
# Upstream's own role has pods, nodes and Endpoints as well, for Corefiles other than ours.
READING = ("services", "namespaces", "endpointslices.discovery.k8s.io", "endpoints", "pods", "nodes")


class Dig(Protocol):
    """How `dig` is asked."""

    def __call__(self, node: str, server: str, question: str, *options: str) -> "Answer":
        """Ask from the probe pod of `node`."""


# The network namespace in which somebody has this address.
NETWORK_OF = "for name in $(ls /run/netns); do sudo ip -n $name -4 -brief address | grep -q ' %s/' && echo $name; done"


@dataclass(frozen=True)
class Answer:
    """What a name server says: a status (none when it says nothing), records, and for how many seconds they hold."""

    status: str
    records: frozenset[str] = frozenset()
    ttl: int = 0

    def __str__(self) -> str:
        return ", ".join(sorted(self.records)) or {"NOERROR": "no record"}.get(self.status, self.status) or "no answer"


class Dns:
    """The Deployment that runs CoreDNS, whatever its name, and what belongs to it."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self._objects = list(objects)

    @cached_property
    def deployment(self) -> Object | None:
        """The first Deployment whose pods run an image named after CoreDNS."""
        return next((one for one in self._of("Deployment") if container_of(one["spec"]["template"], PROGRAM)), None)

    @cached_property
    def pods(self) -> list[Object]:
        """The pods of that Deployment which are not on their way out."""
        if self.deployment is None:
            return []
        there = (pod for pod in self._of("Pod") if "deletionTimestamp" not in pod["metadata"])
        return [pod for pod in there if is_selected(pod, self.deployment)]

    @property
    def account(self) -> str:
        """The user that the DNS pods are to the API."""
        assert self.deployment is not None, "No Deployment runs CoreDNS."
        name = self.deployment["spec"]["template"]["spec"].get("serviceAccountName", "default")
        return f"system:serviceaccount:{self.deployment['metadata']['namespace']}:{name}"

    @property
    def service(self) -> Object | None:
        """The Service at the address that every pod asks."""
        return next((one for one in self._of("Service") if one["spec"].get("clusterIP") == DNS), None)

    def headless(self) -> Mapping[str, set[str]]:
        """The headless Services that have pods: their names, and the addresses of their ready pods."""
        services = (one for one in self._of("Service") if one["spec"].get("clusterIP") == "None")
        found = {_full_name(one): set(self.ready_endpoints(one)) for one in services}
        return {name: addresses for name, addresses in found.items() if addresses}

    def ready_endpoints(self, service: Object) -> Mapping[str, str]:
        """The ready addresses behind a Service, and the node of each."""
        meta = service["metadata"]
        return {
            address: str(endpoint.get("nodeName", ""))
            for one in self._of("EndpointSlice")
            if one["metadata"]["namespace"] == meta["namespace"]
            and one["metadata"].get("labels", {}).get("kubernetes.io/service-name") == meta["name"]
            for endpoint in one.get("endpoints") or []
            if endpoint.get("conditions", {}).get("ready", True)
            for address in endpoint["addresses"]
        }

    def _of(self, kind: str) -> list[Object]:
        return [one for one in self._objects if one["kind"] == kind]


@pytest.fixture(scope="session")
def dns(cluster: "Cluster") -> Dns:
    """CoreDNS as the API has it."""
    return Dns(cluster.list("deployments", "pods", "services", "endpointslices"))


@pytest.fixture(scope="session")
def rights(cluster: "Cluster", dns: Dns) -> Mapping[tuple[str, str], bool]:
    """Whether the DNS pods may do what they need to."""
    return of_each(lambda right: cluster.may(dns.account, *right), NEEDED)


@pytest.fixture(scope="session")
def needless_rights(cluster: "Cluster", dns: Dns) -> Mapping[str, list[str]]:
    """What the DNS pods may do beyond that, in each namespace."""
    return {namespace: beyond(rules, READING) for namespace, rules in cluster.rules(dns.account).items()}


@pytest.fixture(scope="session")
def networks(nodes: Mapping[str, Host], pods: Mapping[str, str]) -> Mapping[str, str]:
    """The network namespaces of the probe pods, as `ip netns` names them on their nodes."""
    found = of_each(lambda node: nodes[node].run("sh -c %s", NETWORK_OF % pods[node]).stdout.strip(), NODES)
    for node, name in found.items():
        if not name:
            raise LabError(f"The network of probe-{node} is not to be found. `invoke lab.status` shows the cluster.")
    return found


@pytest.fixture(scope="session")
def dig(nodes: Mapping[str, Host], networks: Mapping[str, str]) -> Dig:
    """Ask a name server from the probe pod of a node: for a name's addresses, or for an address's names."""

    def ask(node: str, server: str, question: str, *options: str) -> Answer:
        words = ["-x", question] if _is_address(question) else [f"{question}.", "A"]
        words = [f"@{server}", "+time=1", "+tries=3", "+noall", "+comments", "+answer", *options, *words]
        # The probe's image has no dig. The node's own does it, in the network of the pod.
        command = "timeout 5 sudo ip netns exec" + " %s" * (len(words) + 2)
        result = nodes[node].run(command, networks[node], "dig", *words)
        # Then nobody was asked: the probe has been replaced meanwhile.
        if "network namespace" in result.stderr:
            raise LabError(f"Nothing can be asked from the network of probe-{node}: {result.stderr.strip()}")
        said = result.stdout
        status = re.search(r"status: (\w+)", said)
        lines = (line.split() for line in said.splitlines() if line and not line.startswith(";"))
        records = [line for line in lines if len(line) == 5]
        ttl = max((int(one[1]) for one in records), default=0)
        return Answer(status[1] if status else "", frozenset(one[4] for one in records), ttl)

    return ask


@pytest.fixture(scope="session")
def transports(dig: Dig) -> Mapping[tuple[str, str], Answer]:
    """What a pod of each node hears from the agreed address by UDP and by TCP."""
    return of_each(
        lambda way: dig(way[0], DNS, API_NAME, "+tcp" if way[1] == "TCP" else "+notcp"),
        [(node, transport) for node in NODES for transport in ("UDP", "TCP")],
    )


@pytest.fixture(scope="session")
def asked(dig: Dig) -> Callable[[str, Iterable[str]], Mapping[str, Answer]]:
    """What a pod of a node hears from the agreed address about full names."""
    return lambda node, names: of_each(lambda name: dig(node, DNS, name), names)


@pytest.fixture(scope="session")
def short_names(cluster: "Cluster") -> Mapping[tuple[str, str], str]:
    """The addresses that the probe pods' own resolver finds for short names; empty where it finds none."""
    questions = [(node, name) for node in NODES for name in ("kubernetes.default", "kubernetes.default.svc")]
    return of_each(lambda one: _resolve(cluster, *one), questions)


@pytest.fixture(scope="session")
def known_addresses(f0_12: Host) -> Mapping[str, str]:
    """The addresses of names of frank.com, as a host outside the cluster knows them."""
    said = f0_12.run("getent ahostsv4 %s; getent ahostsv4 %s", *OUTSIDE).stdout
    found = [line.split()[0] for line in said.splitlines() if "STREAM" in line]
    return dict(zip(OUTSIDE, found, strict=True))


def once_caches_agree(ask: Callable[[], Answer], expected: Collection[str]) -> Answer:
    """What is answered. Other records than expected may come from a cache: then, what is answered once they expire."""
    answers = [ask()]

    def agrees() -> bool:
        answers.append(ask())
        return answers[-1].records == expected

    if answers[0].records and answers[0].records != expected:
        wait_until(agrees, answers[0].ttl + 1)
    return answers[-1]


def _resolve(cluster: "Cluster", node: str, name: str) -> str:
    # ping says what it has resolved, whoever answers then.
    said = cluster.exec("kube-system", f"probe-{node}", "timeout", "4", "ping", "-c1", "-W1", name).stdout
    found = re.match(r"PING \S+ \(([\d.]+)\)", said)
    return found[1] if found else ""


def _full_name(service: Object) -> str:
    return f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
