"""The ingress controller from the objects of the API, and what clients get through it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from testinfra.host import Host

from checks.http_answers import HttpAnswer, get_pages
from checks.names import INGRESS_PORT, NODES, PROXIES
from checks.routing_retry import is_routed, retry_until_routed
from checks.workloads import Object, account_of, container_of, of_kind, remaining_pods
from labs.engine.messages import Message, _

PROGRAM = "traefik"
WHOAMI, HELLO, UNKNOWN = "whoami.frank.com", "hello.frank.com", "nobody.frank.com"
SPOOFED = "203.0.113.7"
TIMES = 6
NO_CONTROLLER = _(
    "No pod runs Traefik. The check looked in all namespaces, for pods with port 81 of their node and for the name of "
    "the image."
)
NODE_PLACES = tuple(f"{node}.frank.com:{INGRESS_PORT}" for node in NODES)
# Every place where HTTP comes in, as f0-15 reaches it.
PLACES = (*NODE_PLACES, *(f"{proxy}.frank.com" for proxy in PROXIES))


@dataclass(frozen=True)
class SiteAnswer(HttpAnswer):
    """What a client gets; whoami's body tells what the pod saw."""

    @property
    def pod(self) -> str:
        """The name of the pod that answered, empty if it isn't one of the course's."""
        return self._line("Hostname")

    @property
    def client_addresses(self) -> Sequence[str]:
        """The client IP addresses that the application sees in its headers."""
        lines = [self._line(name) for name in ("X-Forwarded-For", "X-Real-Ip")]
        return [address.strip() for line in lines for address in line.split(",") if address]

    @property
    def is_shown(self) -> bool:
        """Whether a pod of the course answered with its page."""
        return self.status == "200" and bool(self.pod)

    @property
    def evidence(self) -> Message:
        """The answer in a few words."""
        first = next(iter(self.body.strip().splitlines()), "")
        if self.status == "000":
            return _("no answer")
        if self.pod:
            return _("status {status} from the pod {pod}", status=self.status, pod=self.pod)
        if first:
            return _("status {status} ({line})", status=self.status, line=first[:60])
        return _("status {status}", status=self.status)

    def _line(self, name: str) -> str:
        match = re.search(rf"^{name}: (.*?)\r?$", self.body, re.M)
        return match[1] if match else ""


class Ingresses:
    """Rules, classes and the controller that follows them, whatever their names."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self._objects = list(objects)

    @cached_property
    def pods(self) -> Sequence[Object]:
        """The controller's pods: they have port 81 of their node, or run Traefik."""
        pods = remaining_pods(self._objects)
        return [pod for pod in pods if _has_host_port(pod) or container_of(pod, PROGRAM)]

    @property
    def account(self) -> str:
        """The user as which the controller asks the API; empty while there is no controller."""
        return account_of(self.pods[0], self.pods[0]["metadata"]["namespace"]) if self.pods else ""

    @property
    def classes(self) -> Sequence[str]:
        """The names of the IngressClasses."""
        return sorted(item["metadata"]["name"] for item in of_kind(self._objects, "IngressClass"))

    def pods_on(self, node: str) -> Sequence[Object]:
        """Return the controller's pods on a node."""
        return [pod for pod in self.pods if pod["spec"].get("nodeName") == node]

    def rules_for(self, site: str) -> Mapping[str, str]:
        """Return the Ingresses that have a rule for a site, and the class of each."""
        hosts = {site, f"*.{site.partition('.')[2]}"}
        return {
            item["metadata"]["name"]: item["spec"].get("ingressClassName", "")
            for item in of_kind(self._objects, "Ingress")
            if hosts & {rule.get("host", "") for rule in item["spec"].get("rules", [])}
        }

    def classless(self, site: str) -> Sequence[str]:
        """Return the Ingresses with a rule for a site that name no class."""
        return [name for name, ingress_class in self.rules_for(site).items() if not ingress_class]

    def unknown_classes(self, site: str) -> Mapping[str, str]:
        """Return the Ingresses with a rule for a site whose class doesn't exist, and that class."""
        return {
            name: ingress_class
            for name, ingress_class in self.rules_for(site).items()
            if ingress_class and ingress_class not in self.classes
        }

    def services_of(self, pod: str) -> set[str]:
        """Return the Services that lead to a pod."""
        return {
            f"{item['metadata']['namespace']}/{item['metadata']['labels']['kubernetes.io/service-name']}"
            for item in of_kind(self._objects, "EndpointSlice")
            for endpoint in item.get("endpoints") or []
            if endpoint.get("targetRef", {}).get("name") == pod
        }


class Client:
    """f0-15 as a client: it is no node and no proxy."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def get(self, place: str, site: str, times: int = 1, spoofed: str = "") -> Sequence[SiteAnswer]:
        """Ask a place (a host, and a port) for a site several times, perhaps with a spoofed client address."""
        headers = ["-H", f"Host: {site}"]
        for header in ("X-Forwarded-For", "X-Real-IP") if spoofed else ():
            headers += ["-H", f"{header}: {spoofed}"]
        answers = get_pages(self._host, [f"http://{place}/"] * times, *headers, seconds=12)
        return [SiteAnswer(answer.status, answer.body) for answer in answers] or [SiteAnswer("000")]


class SiteClient(Client):
    """A client of sites that should exist: it asks again while Traefik may not know a site's rules and pods yet."""

    def __init__(self, host: Host, ingresses: Ingresses) -> None:
        super().__init__(host)
        self._ingresses = ingresses

    def get(self, place: str, site: str, times: int = 1, spoofed: str = "") -> Sequence[SiteAnswer]:
        """Ask as Client does. Without a rule there is nothing that Traefik could still learn of."""
        is_good = _are_routed if self._ingresses.rules_for(site) else bool
        return retry_until_routed(lambda: super(SiteClient, self).get(place, site, times, spoofed), is_good)


def _are_routed(answers: Sequence[SiteAnswer]) -> bool:
    return all(is_routed(answer.status) for answer in answers)


def _has_host_port(pod: Object) -> bool:
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports", []))
    return any(port.get("hostPort") == INGRESS_PORT for port in ports)
