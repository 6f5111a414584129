"""The cluster's name server from the objects of the API, and the answers of name servers."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from testinfra.host import Host

from checks.names import probe
from checks.workloads import Object, Workload, of_kind
from labs.engine.errors import LabError
from labs.engine.messages import Message, _, listing, verbatim
from labs.engine.waiting import wait_until

PROGRAM = "coredns"
DNS = "10.254.0.2"  # what kubelet writes into every pod's resolv.conf (clusterDNS)
API = "10.254.0.1"
API_NAME = "kubernetes.default.svc.cluster.local"
SHORT_NAMES = ("kubernetes.default", "kubernetes.default.svc")
OUTSIDE = ("harbor.frank.com", "f0-11.frank.com")
NONSENSE = ("no-such-host.frank.com", "no-such-name.example", f"no-such-service.{API_NAME.partition('.')[2]}")

# The network namespace that has this address, as `ip netns` names it.
NETWORK_OF = "for name in $(ls /run/netns); do sudo ip -n $name -4 -brief address | grep -q ' %s/' && echo $name; done"

# The probe pod's image has no dig, so the node's dig runs in the pod's network. All questions are asked at once.
DIG = """\
network=$1; shift
sudo ip netns exec "$network" sh -c '
for question; do
  (answer=$(timeout 5 dig +time=1 +tries=3 +noall +comments +answer $question); echo "===== $question
$answer") &
done
wait' sh "$@"
"""


@dataclass(frozen=True)
class DnsAnswer:
    """What a name server answers: a status (empty if there is no answer), records, and their TTL in seconds."""

    status: str
    records: frozenset[str] = frozenset()
    ttl: int = 0

    @property
    def evidence(self) -> Message:
        """The answer in a few words."""
        if self.records:
            return listing(sorted(self.records))
        return {"": _("no answer"), "NOERROR": _("no record")}.get(self.status, verbatim(self.status))


NO_ANSWER = DnsAnswer("")


class DnsClient:
    """The probe pods as clients of name servers.

    Args:
        nodes: the hosts by name
        networks: the network namespace of the probe pod on each node
    """

    def __init__(self, nodes: Mapping[str, Host], networks: Mapping[str, str]) -> None:
        self._nodes, self._networks = nodes, networks

    def ask(self, node: str, questions: Iterable[str]) -> Mapping[str, DnsAnswer]:
        """Ask from the probe pod of a node. Each question is made by `question`."""
        questions = list(questions)
        command = "sh -c %s sh" + " %s" * (len(questions) + 1)
        result = self._nodes[node].run(command, DIG, self._networks[node], *questions)
        # No name server was asked when the probe pod has been replaced in the meantime.
        if "network namespace" in result.stderr:
            raise _no_network(node)
        answers = dict(part.partition("\n")[::2] for part in result.stdout.split("===== ")[1:])
        return {question: parse_answer(answers.get(question, "")) for question in questions}

    def look_up(self, node: str, server: str, names: Iterable[str]) -> Mapping[str, DnsAnswer]:
        """Ask a server for the addresses of full names, or for the names of addresses."""
        questions = {name: question(server, name) for name in names}
        answers = self.ask(node, questions.values())
        return {name: answers[text] for name, text in questions.items()}


class ClusterDns:
    """CoreDNS, whatever its names, and the Services of the cluster."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self._objects = list(objects)

    @cached_property
    def workload(self) -> Workload:
        """What answers for the address of the cluster's name server, or runs CoreDNS."""
        return Workload(self._objects, PROGRAM, services=[self.service] if self.service else [])

    @cached_property
    def service(self) -> Object | None:
        """The Service with the address that every pod asks."""
        services = of_kind(self._objects, "Service")
        return next((service for service in services if service["spec"].get("clusterIP") == DNS), None)

    @property
    def service_names(self) -> Mapping[str, str]:
        """The full names that must exist while CoreDNS runs, and their addresses."""
        return {API_NAME: API} | ({full_name(self.service): DNS} if self.service else {})

    @cached_property
    def endpoints(self) -> Mapping[str, str]:
        """The addresses of the ready pods behind that Service, and the node of each."""
        return self._ready_endpoints(self.service) if self.service else {}

    @cached_property
    def headless(self) -> Mapping[str, set[str]]:
        """The names of the headless Services that have ready pods, and the addresses of these pods."""
        services = (item for item in of_kind(self._objects, "Service") if item["spec"].get("clusterIP") == "None")
        addresses = {full_name(service): set(self._ready_endpoints(service)) for service in services}
        return {name: pods for name, pods in addresses.items() if pods}

    @property
    def reverse_names(self) -> Mapping[str, str]:
        """The addresses of the API and of the pods of headless Services, and how the name of each must end."""
        return {API: f"{API_NAME}."} | {
            address: f".{name.partition('.')[2]}." for name, addresses in self.headless.items() for address in addresses
        }

    def _ready_endpoints(self, service: Object) -> Mapping[str, str]:
        meta = service["metadata"]
        return {
            address: str(endpoint.get("nodeName", ""))
            for item in of_kind(self._objects, "EndpointSlice")
            if item["metadata"]["namespace"] == meta["namespace"]
            and item["metadata"].get("labels", {}).get("kubernetes.io/service-name") == meta["name"]
            for endpoint in item.get("endpoints") or []
            if endpoint.get("conditions", {}).get("ready", True)
            for address in endpoint["addresses"]
        }


def find_network(nodes: Mapping[str, Host], pods: Mapping[str, str], node: str) -> str:
    """Return the network namespace of a node's probe pod. Raises LabError if there is none."""
    name: str = nodes[node].run("sh -c %s", NETWORK_OF % pods[node]).stdout.strip()
    if not name:
        raise _no_network(node)
    return name


def question(server: str, name: str, *options: str) -> str:
    """Return the words with which dig asks a server: for a name's addresses, or for an address's names."""
    words = ["-x", name] if re.fullmatch(r"[\d.]+", name) else [f"{name}.", "A"]
    return " ".join([f"@{server}", *options, *words])


def parse_answer(output: str) -> DnsAnswer:
    """Return the answer in dig's output."""
    status = re.search(r"status: (\w+)", output)
    lines = (line.split() for line in output.splitlines() if line and not line.startswith(";"))
    records = [line for line in lines if len(line) == 5]
    ttl = max((int(record[1]) for record in records), default=0)
    return DnsAnswer(status[1] if status else "", frozenset(record[4] for record in records), ttl)


def retry_until_caches_agree(
    ask: Callable[[], Mapping[str, DnsAnswer]], expected: Mapping[str, Collection[str]]
) -> Mapping[str, DnsAnswer]:
    """Return the answers by name. Records other than expected may come from a cache: wait until those expire."""
    rounds = [ask()]

    def outdated() -> Sequence[DnsAnswer]:
        return [item for name, item in rounds[-1].items() if item.records and item.records != expected[name]]

    def agree() -> bool:
        rounds.append(ask())
        return not outdated()

    if stale := outdated():
        wait_until(agree, max(answer.ttl for answer in stale) + 1)
    return rounds[-1]


def full_name(service: Object) -> str:
    """Return the DNS name of a Service."""
    return f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"


def _no_network(node: str) -> LabError:
    return LabError(
        "cluster-not-ready",
        _("The network namespace of {pod} does not exist on {node}.", pod=probe(node), node=node),
        _("Run `invoke lab.status` to see the state of the cluster."),
    )
