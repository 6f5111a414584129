"""What the checks of the Traefik lab look at: the ingress controller as the API has it, and what visitors get."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import pytest
from testinfra.host import Host

from checks import answers
from checks.new_routes import is_led, once_routes_are_new
from checks.rights import beyond
from checks.side_by_side import of_each
from checks.workloads import Object, container_of

if TYPE_CHECKING:
    from checks.conftest import Cluster

PROGRAM = "traefik"
NODES = ("f0-13", "f0-14")
PROXIES = ("f0-11", "f0-12")
PORT = 81
# Every place where HTTP comes in, as f0-15 asks it.
PLACES = {f"port {PORT} of {node}": f"{node}.frank.com:{PORT}" for node in NODES} | {
    proxy: f"{proxy}.frank.com" for proxy in PROXIES
}
WHOAMI, HELLO, NOBODY = "whoami.frank.com", "hello.frank.com", "nobody.frank.com"
VIP = "f0-api.frank.com"
MADE_UP = "203.0.113.7"
TIMES = 6
NEEDED = (
    ("list", "services"),
    ("list", "endpointslices.discovery.k8s.io"),
    ("list", "ingresses.networking.k8s.io"),
)
# What upstream's own roles let it read, for kinds of routes too that this lab does not use; and the one thing to write.
READING = (
    *("services", "secrets", "nodes", "endpoints", "endpointslices.discovery.k8s.io", "namespaces", "configmaps"),
    *("ingresses.*", "ingressclasses.*", "*.traefik.io", "*.gateway.networking.k8s.io"),
)
UPDATING = ("ingresses/status.*", "*/status.gateway.networking.k8s.io")


# A proxy's own configuration in a network of its own, where port 81 answers on one node and is refused on the other.
# Nothing of it outlives the command: processes, addresses, files are the namespaces'.
ONE_NODE = r"""
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log/nginx && ip link set lo up || exit 1
for name in f0-11 f0-12 f0-13 f0-14 f0-api; do
  ip address add "$(getent hosts $name.frank.com | awk 'NR == 1 {print $1}')/32" dev lo
done
printf 'pid /run/node.pid; events {} http { access_log off; server { listen %s; return 200; } }' \
  "$(getent hosts "$2.frank.com" | awk 'NR == 1 {print $1}'):81" > /run/node.conf
nginx -c /run/node.conf || exit 1
echo ready
nginx 2>&1 || exit 0
curl -s -m 4 -o /dev/null -w '%{http_code}\n' -H 'Host: whoami.frank.com' $(yes "http://$1.frank.com/" | head -n "$3")
"""


@dataclass(frozen=True)
class Answer:
    """What a visitor gets: a status (000 for no answer at all) and, from whoami, what the pod saw."""

    status: str
    body: str

    @property
    def pod(self) -> str:
        """The name of the pod that answered, empty when it was none of ours."""
        return self._line("Hostname")

    @property
    def visitors(self) -> list[str]:
        """The addresses that the application was told its visitor has."""
        return [one.strip() for name in ("X-Forwarded-For", "X-Real-Ip") for one in self._line(name).split(",") if one]

    def __str__(self) -> str:
        first = next(iter(self.body.strip().splitlines()), "")
        what = f" from the pod {self.pod}" if self.pod else f" ({first[:60]})" if first else ""
        return "no answer" if self.status == "000" else f"status {self.status}{what}"

    def _line(self, name: str) -> str:
        found = re.search(rf"^{name}: (.*?)\r?$", self.body, re.M)
        return found[1] if found else ""


class Visit(Protocol):
    """How f0-15, as a visitor, asks."""

    def __call__(self, at: str, site: str, times: int = 1, claim: str = "") -> Sequence[Answer]:
        """Ask `at` (a host, and a port) for a site some times; `claim` is an address to pretend to have."""


class Ingresses:
    """Rules, classes and the controller that follows them, whatever their names."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self._objects = list(objects)

    @cached_property
    def pods(self) -> list[Object]:
        """The controller's pods: those that run Traefik, else those that have port 81 of their node."""
        pods = [one for one in self._of("Pod") if "deletionTimestamp" not in one["metadata"]]
        return [one for one in pods if container_of(one, PROGRAM)] or [one for one in pods if _has_host_port(one)]

    @property
    def account(self) -> str:
        """The user that the controller is to the API."""
        assert self.pods, "No pod runs Traefik (looked for by the name of the image), and none has port 81 of its node."
        spec = self.pods[0]["spec"]
        return f"system:serviceaccount:{self.pods[0]['metadata']['namespace']}:{spec['serviceAccountName']}"

    @property
    def classes(self) -> set[str]:
        """The names of the IngressClasses."""
        return {one["metadata"]["name"] for one in self._of("IngressClass")}

    def rules_for(self, site: str) -> Mapping[str, str]:
        """The Ingresses that have a rule for a site, and the class that each names."""
        wanted = {site, f"*.{site.partition('.')[2]}"}
        return {
            one["metadata"]["name"]: one["spec"].get("ingressClassName", "")
            for one in self._of("Ingress")
            if wanted & {rule.get("host", "") for rule in one["spec"].get("rules", [])}
        }

    def services_of(self, pod: str) -> set[str]:
        """The Services that a pod stands behind."""
        return {
            f"{one['metadata']['namespace']}/{one['metadata']['labels']['kubernetes.io/service-name']}"
            for one in self._of("EndpointSlice")
            for endpoint in one.get("endpoints") or []
            if endpoint.get("targetRef", {}).get("name") == pod
        }

    def _of(self, kind: str) -> list[Object]:
        return [one for one in self._objects if one["kind"] == kind]


@pytest.fixture(scope="session")
def ingresses(cluster: "Cluster") -> Ingresses:
    """What the API has of it all."""
    return Ingresses(cluster.list("pods", "ingresses", "ingressclasses", "endpointslices"))


@pytest.fixture(scope="session")
def rights(cluster: "Cluster", ingresses: Ingresses) -> Mapping[tuple[str, str], bool]:
    """Whether the controller may do what it needs to."""
    account = ingresses.account
    return of_each(lambda right: cluster.may(account, *right), NEEDED)


@pytest.fixture(scope="session")
def needless_rights(cluster: "Cluster", ingresses: Ingresses) -> Mapping[str, list[str]]:
    """What the controller may do beyond that, in each namespace."""
    rules = cluster.rules(ingresses.account)
    return {namespace: beyond(those, READING, UPDATING) for namespace, those in rules.items()}


@pytest.fixture(scope="session")
def visit(f0_15: Host) -> Visit:
    """Ask as a visitor: from a host that is no node and no proxy."""

    def ask(at: str, site: str, times: int = 1, claim: str = "") -> Sequence[Answer]:
        headers = ["-H", f"Host: {site}"]
        for header in ("X-Forwarded-For", "X-Real-IP") if claim else ():
            headers += ["-H", f"{header}: {claim}"]
        found = answers.visit(f0_15, [f"http://{at}/"] * times, *headers, seconds=12)
        return [Answer(*one) for one in found] or [Answer("000", "")]

    return ask


@pytest.fixture(scope="session")
def ask_for_site(visit: Visit, ingresses: Ingresses) -> Visit:
    """Ask as a visitor for a site that should be there: again while Traefik may not have heard of its rule and pods."""

    def ask(at: str, site: str, times: int = 1, claim: str = "") -> Sequence[Answer]:
        # Without a rule there is nothing to hear of.
        is_good = _are_all_led if ingresses.rules_for(site) else bool
        return once_routes_are_new(lambda: visit(at, site, times, claim), is_good)

    return ask


@pytest.fixture(scope="session")
def ways(ask_for_site: Visit) -> Mapping[str, Sequence[Answer]]:
    """What visitors get who ask each proxy, and the site's own name, several times."""
    places = {**{proxy: f"{proxy}.frank.com" for proxy in PROXIES}, WHOAMI: WHOAMI}
    return of_each(lambda way: ask_for_site(places[way], WHOAMI, TIMES), places)


@pytest.fixture(scope="session")
def sites(ask_for_site: Visit) -> Mapping[str, Answer]:
    """What the moving address gives for two names."""
    return of_each(lambda site: ask_for_site(VIP, site)[0], (WHOAMI, HELLO))


@pytest.fixture(scope="session")
def unknown(visit: Visit) -> Mapping[str, Answer]:
    """What each node and the moving address give for a name that nobody has: at the latest when old rules are gone."""

    def ask(place: str) -> Answer:
        return once_routes_are_new(lambda: visit(place, NOBODY)[0], lambda answer: answer.status == "404")

    return of_each(ask, (VIP, *(f"{node}.frank.com:{PORT}" for node in NODES)))


@pytest.fixture(scope="session")
def told(ask_for_site: Visit) -> Mapping[str, Answer]:
    """What the application is told of a visitor at each place."""
    return of_each(lambda place: ask_for_site(PLACES[place], WHOAMI)[0], PLACES)


@pytest.fixture(scope="session")
def told_of_a_liar(ask_for_site: Visit) -> Mapping[str, Answer]:
    """What the application is told of a visitor at each place who claims to have another address."""
    return of_each(lambda place: ask_for_site(PLACES[place], WHOAMI, claim=MADE_UP)[0], PLACES)


@pytest.fixture(scope="session")
def known_addresses(f0_15: Host) -> Mapping[str, str]:
    """The addresses that f0-15 finds for the site's name, for the moving address, and for itself."""
    return of_each(lambda name: _first(f0_15.run("getent ahostsv4 %s", name).stdout), (WHOAMI, VIP, "f0-15.frank.com"))


@pytest.fixture(scope="session")
def with_one_node(hosts: Mapping[str, Host]) -> Mapping[tuple[str, str], Sequence[str]]:
    """What each proxy's configuration does with requests while only one node answers: `ready`, then a status each."""

    def ask(case: tuple[str, str]) -> Sequence[str]:
        proxy, node = case
        own = "timeout 20 sudo unshare --net --mount --pid --fork --kill-child sh -c %s sh %s %s %s"
        return str(hosts[proxy].run(own, ONE_NODE, proxy, node, str(TIMES)).stdout).split("\n")

    return of_each(ask, [(proxy, node) for proxy in PROXIES for node in NODES])


def _are_all_led(answers: Sequence[Answer]) -> bool:
    return all(is_led(one.status) for one in answers)


def _has_host_port(pod: Object) -> bool:
    ports = (port for one in pod["spec"]["containers"] for port in one.get("ports", []))
    return any(port.get("hostPort") == PORT for port in ports)


def _first(text: str) -> str:
    return next(iter(text.split()), "")
