"""Probes of the dashboard lab."""

import json
from collections.abc import Mapping, Sequence

import pytest
from testinfra.host import Host

from checks.cluster import Cluster
from checks.dashboard.site import (
    API,
    CA,
    CURL,
    LOG,
    NAMESPACES,
    PAGE,
    PODS,
    REVIEWS,
    SECRETS,
    SITE,
    ApiClient,
    Dashboard,
    Reply,
    curl_complaint,
    get_reply,
    is_site_reply,
)
from checks.dashboard.tokens import Token
from checks.names import INGRESS_PORT, NODES, PROXIES
from checks.parallel import parallel_map
from checks.permissions import SECRET_RESOURCES, excess_permissions, rules_review
from checks.routing_retry import retry_until_routed
from checks.workloads import Object
from labs.engine.messages import Message


@pytest.fixture(scope="session")
def dashboard(objects: Sequence[Object]) -> Dashboard:
    """The dashboard and what belongs to it."""
    return Dashboard(objects)


@pytest.fixture(scope="session")
def traefik_replies(f0_15: Host, dashboard: Dashboard) -> Mapping[tuple[str, str], Reply]:
    """What Traefik on each node gives for the dashboard's name: its page, and the API behind it."""
    command = f"{CURL} -w %s -H %s %s"

    def get(node: str, path: str) -> Reply:
        return get_reply(f0_15, command, r"\n%{http_code}", f"Host: {SITE}", f"http://{node}:{INGRESS_PORT}{path}")

    # Without a rule there is nothing that Traefik could still learn of.
    is_good = is_site_reply if dashboard.ingresses else lambda _reply: True
    ways = [(node, path) for node in NODES for path in (PAGE, API)]
    return parallel_map(lambda way: retry_until_routed(lambda: get(*way), is_good), ways)


@pytest.fixture(scope="session")
def handshake_errors(f0_15: Host) -> Mapping[str, Message | None]:
    """Why f0-15, which trusts only the lab's CA, rejects a certificate: that of each proxy, and by the name alone.

    None for a valid certificate, whatever the answer is after the handshake.
    """
    command = f"{CURL} -o /dev/null --cacert {CA} --connect-to %s -w %s %s"

    def error(way: str) -> Message | None:
        result = f0_15.run(command, ":::" if way == SITE else f"::{way}:", "%{time_appconnect}", f"https://{SITE}/")
        is_done = float(result.stdout or 0) > 0
        return None if is_done else curl_complaint(result.stderr)

    return parallel_map(error, (*PROXIES, SITE))


@pytest.fixture(scope="session")
def redirects(f0_15: Host) -> Mapping[str, Reply]:
    """Where each proxy redirects clients that use HTTP: that address is the body."""
    command = f"{CURL} -o /dev/null --connect-to %s -w %s %s"
    page = f"http://{SITE}/some/page"
    return parallel_map(
        lambda proxy: get_reply(f0_15, command, f"::{proxy}:", r"%{redirect_url}\n%{http_code}", page), PROXIES
    )


@pytest.fixture(scope="session")
def api_client(f0_13: Host) -> ApiClient:
    """A client of the API behind the dashboard."""
    return ApiClient(f0_13)


@pytest.fixture(scope="session")
def tokens(f0_13: Host) -> Mapping[str, Token]:
    """The tokens at their agreed places; the text of a missing one is empty."""

    def read(name: str) -> Token:
        return Token(f"f0-13:~/{name}.token", f0_13.run("cat %s", f"{name}.token").stdout.strip())

    return parallel_map(read, ("admin", "viewer"))


@pytest.fixture(scope="session")
def admin_replies(api_client: ApiClient) -> Mapping[str, Reply]:
    """What the administrator gets through the dashboard, by path."""
    return parallel_map(lambda path: api_client.ask(path, "admin"), (NAMESPACES, SECRETS))


@pytest.fixture(scope="session")
def unseen_namespaces(admin_replies: Mapping[str, Reply], namespaces: Sequence[str]) -> Sequence[str]:
    """The namespaces that the administrator doesn't see through the dashboard."""
    return sorted(set(namespaces) - admin_replies[NAMESPACES].items)


@pytest.fixture(scope="session")
def viewer_replies(api_client: ApiClient) -> Mapping[str, Reply]:
    """What the viewer gets through the dashboard, by path."""
    return parallel_map(lambda path: api_client.ask(path, "viewer"), (PODS, LOG, SECRETS))


@pytest.fixture(scope="session")
def viewer_reviews(api_client: ApiClient, dashboard: Dashboard) -> Mapping[str, Reply]:
    """What the API answers, by namespace, when the viewer asks through the dashboard what it is allowed to do."""

    def review(namespace: str) -> Reply:
        return api_client.ask(REVIEWS, "viewer", json.dumps(rules_review(namespace)))

    return parallel_map(review, sorted({"default", "kube-system", dashboard.workload.namespace}))


@pytest.fixture(scope="session")
def unanswered_reviews(viewer_reviews: Mapping[str, Reply]) -> Mapping[str, Reply]:
    """Those of these answers that say nothing about permissions."""
    return {name: reply for name, reply in viewer_reviews.items() if reply.rules is None}


@pytest.fixture(scope="session")
def viewer_excess(viewer_reviews: Mapping[str, Reply]) -> Mapping[str, Sequence[str]]:
    """The viewer's permissions in each namespace other than reading everything but Secrets, if there are any."""
    excess = {
        name: excess_permissions(reply.rules or (), reading=("*",), hidden=SECRET_RESOURCES)
        for name, reply in viewer_reviews.items()
    }
    return {name: permissions for name, permissions in excess.items() if permissions}


@pytest.fixture(scope="session")
def refusals(api_client: ApiClient) -> Mapping[tuple[str, str], Reply]:
    """What clients get who show no token, or one that was never issued."""
    kinds = ("namespaces", "pods", "secrets")
    questions = [(token, kind) for token in ("none", "nonsense") for kind in kinds]
    return parallel_map(lambda question: api_client.ask(f"/api/v1/{question[1]}", question[0]), questions)


@pytest.fixture(scope="session")
def own_excess(
    cluster: Cluster, dashboard: Dashboard, namespaces: Sequence[str]
) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """The permissions of the dashboard's own accounts, by account and namespace, if there are any."""
    permissions = parallel_map(lambda account: cluster.permissions(account, namespaces), dashboard.accounts)
    return {account: excess for account in dashboard.accounts if (excess := permissions[account].excess())}
