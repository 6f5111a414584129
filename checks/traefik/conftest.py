"""Probes of the Traefik lab."""

from collections.abc import Mapping, Sequence

import pytest
from testinfra.host import Host

from checks.addresses import look_up
from checks.cluster import Cluster
from checks.connection import Hosts
from checks.names import NODES, PROXIES, VIRTUAL_IP
from checks.parallel import parallel_map
from checks.permissions import Permissions
from checks.routing_retry import retry_until_routed
from checks.traefik.ingress import (
    HELLO,
    NO_CONTROLLER,
    NODE_PLACES,
    PLACES,
    SPOOFED,
    TIMES,
    UNKNOWN,
    WHOAMI,
    Client,
    Ingresses,
    SiteAnswer,
    SiteClient,
)
from checks.traefik.one_node import Trial, try_one_node
from checks.workloads import Object

NEEDED = (
    ("list", "services"),
    ("list", "endpointslices.discovery.k8s.io"),
    ("list", "ingresses.networking.k8s.io"),
)


@pytest.fixture(scope="session")
def ingresses(objects: Sequence[Object]) -> Ingresses:
    """Rules, classes and the controller."""
    return Ingresses(objects)


@pytest.fixture(scope="session")
def permissions(cluster: Cluster, ingresses: Ingresses, namespaces: Sequence[str]) -> Permissions:
    """What the controller is allowed to do."""
    assert ingresses.pods, NO_CONTROLLER
    return cluster.permissions(ingresses.account, namespaces, NEEDED)


@pytest.fixture(scope="session")
def client(f0_15: Host) -> Client:
    """A client that asks once."""
    return Client(f0_15)


@pytest.fixture(scope="session")
def site_client(f0_15: Host, ingresses: Ingresses) -> SiteClient:
    """A client of sites that should exist."""
    return SiteClient(f0_15, ingresses)


@pytest.fixture(scope="session")
def port_answers(client: Client) -> Mapping[str, SiteAnswer]:
    """What port 81 of each node answers."""
    return parallel_map(lambda place: client.get(place, UNKNOWN)[0], NODE_PLACES)


@pytest.fixture(scope="session")
def repeated_answers(site_client: SiteClient) -> Mapping[str, Sequence[SiteAnswer]]:
    """What a client gets from each proxy, and from the site's own name, several times."""
    places = {**{proxy: f"{proxy}.frank.com" for proxy in PROXIES}, WHOAMI: WHOAMI}
    return parallel_map(lambda way: site_client.get(places[way], WHOAMI, TIMES), places)


@pytest.fixture(scope="session")
def sites(site_client: SiteClient) -> Mapping[str, SiteAnswer]:
    """What the virtual IP gives for two names."""
    return parallel_map(lambda site: site_client.get(VIRTUAL_IP, site)[0], (WHOAMI, HELLO))


@pytest.fixture(scope="session")
def unknown_answers(client: Client) -> Mapping[str, SiteAnswer]:
    """What each node and the virtual IP give for a name without a rule, at the latest when old rules are gone."""

    def ask(place: str) -> SiteAnswer:
        return retry_until_routed(lambda: client.get(place, UNKNOWN)[0], lambda answer: answer.status == "404")

    return parallel_map(ask, (VIRTUAL_IP, *NODE_PLACES))


@pytest.fixture(scope="session")
def answers(site_client: SiteClient) -> Mapping[str, SiteAnswer]:
    """What a client gets at each place."""
    return parallel_map(lambda place: site_client.get(place, WHOAMI)[0], PLACES)


@pytest.fixture(scope="session")
def spoofed_answers(site_client: SiteClient) -> Mapping[str, SiteAnswer]:
    """What a client with a spoofed address gets at each place."""
    return parallel_map(lambda place: site_client.get(place, WHOAMI, spoofed=SPOOFED)[0], PLACES)


@pytest.fixture(scope="session")
def known_addresses(f0_15: Host) -> Mapping[str, str]:
    """The addresses that f0-15 finds for the site's name, for the virtual IP, and for itself."""
    return look_up(f0_15, (WHOAMI, VIRTUAL_IP, "f0-15.frank.com"))


@pytest.fixture(scope="session")
def one_node_trials(hosts: Hosts) -> Mapping[tuple[str, str], Trial]:
    """What each proxy's configuration does with requests while only one node answers, by proxy and that node."""
    cases = [(proxy, node) for proxy in PROXIES for node in NODES]
    return parallel_map(lambda case: try_one_node(hosts[case[0]], *case), cases)
