"""The objectives of the dashboard lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from checks.dashboard.conftest import NODES, PROGRAMS, PROXIES, SITE, beyond_looking
from checks.rights import shortened
from checks.workloads import container_of

if TYPE_CHECKING:
    from checks.conftest import Cluster
    from checks.dashboard.conftest import Ask, Dashboard, Reply, Token

pytestmark = pytest.mark.usefixtures("every_host")
REGISTRY = "harbor.frank.com/"
NONE_RUNS = "No Deployment runs a dashboard (looked for by the name of the image, in all namespaces)."
NO_ENTRY = ("401", "403")
of_each_token = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.objective(name)) for name in ("admin", "viewer")]
)


@pytest.mark.objective("image")
def test_the_pods_run_an_image_that_was_pulled_from_the_labs_registry(dashboard: "Dashboard") -> None:
    assert dashboard.pods, NONE_RUNS
    for pod in dashboard.pods:
        name, own = pod["metadata"]["name"], container_of(pod, *PROGRAMS)
        assert own, f"The pod {name} runs no dashboard."
        assert own["image"].startswith(REGISTRY), f"The pod {name} takes its image from elsewhere: {own['image']}."
        states = pod["status"].get("containerStatuses", [])
        assert any(one.get("imageID", "").startswith(REGISTRY) for one in states), (
            f"The node of the pod {name} has not pulled {own['image']}: {_reason(states)}."
        )


@pytest.mark.objective("running")
def test_the_deployment_is_available(dashboard: "Dashboard") -> None:
    assert dashboard.deployment, NONE_RUNS
    name, wanted = dashboard.deployment["metadata"]["name"], dashboard.deployment["spec"].get("replicas", 1)
    ready = dashboard.deployment["status"].get("readyReplicas", 0)
    assert wanted, f"The Deployment {name} wants no pod at all (replicas: 0)."
    assert ready == wanted, f"{ready} of the {wanted} pods of the Deployment {name} are ready."


@pytest.mark.objective("running")
@pytest.mark.parametrize("node", NODES)
def test_traefik_leads_to_it(
    node: str, dashboard: "Dashboard", through_traefik: Mapping[tuple[str, str], "Reply"]
) -> None:
    assert dashboard.rules, f"No Ingress has a rule for {SITE}."
    page, api = through_traefik[node, "/"], through_traefik[node, "/clusters/main/api"]
    assert page.status == "200", f"Traefik on {node} is asked for {SITE} and gives: {page}."
    assert api.status in ("200", *NO_ENTRY), (
        f"{SITE} by Traefik on {node} shows a page, but /clusters/main/api, which should lead to the API, gives: {api}."
    )


@pytest.mark.objective("https")
@pytest.mark.parametrize("way", [*PROXIES, SITE])
def test_the_certificate_is_valid(way: str, handshakes: Mapping[str, str]) -> None:
    by = "" if way == SITE else f", through {way},"
    assert not handshakes[way], f"f0-15 asks for https://{SITE}/{by} and gets: {handshakes[way]}."


@pytest.mark.objective("https")
@pytest.mark.parametrize("proxy", PROXIES)
def test_http_leads_to_the_same_page_by_https(proxy: str, over_http: Mapping[str, "Reply"]) -> None:
    answer = over_http[proxy]
    led = f", on to {answer.body}" if answer.body else ""
    assert answer.body == f"https://{SITE}/some/page", (
        f"f0-15 asks {proxy} for http://{SITE}/some/page and should be led to https. It gets: {answer}{led}."
    )


@of_each_token
def test_the_token_is_there_and_ends_by_itself(name: str, tokens: Mapping[str, "Token"]) -> None:
    token = tokens[name]
    assert token.text, f"There is no token in {token.place}."
    assert token.claims, (
        f"What is in {token.place} is no token of a ServiceAccount: those have three parts, and two dots."
    )
    assert token.end, f"A token should end by itself. Not so {token}: who finds it may use it for ever."


@pytest.mark.objective("admin")
def test_the_admin_sees_all_namespaces(tokens: Mapping[str, "Token"], ask: "Ask", cluster: "Cluster") -> None:
    there = {one["metadata"]["name"] for one in cluster.list("namespaces")}
    answer = ask("/api/v1/namespaces", "admin")
    assert answer.status == "200", f"Asked for the namespaces with {tokens['admin']}, the dashboard gives: {answer}."
    unseen = ", ".join(sorted(there - answer.items))
    assert not unseen, f"Namespaces that are not seen through the dashboard: {unseen}."


@pytest.mark.objective("admin")
def test_the_admin_sees_all_that_is_in_them(tokens: Mapping[str, "Token"], ask: "Ask") -> None:
    answer = ask("/api/v1/secrets?limit=1", "admin")
    assert answer.status == "200", f"Asked for the Secrets with {tokens['admin']}, the dashboard gives: {answer}."


@pytest.mark.objective("viewer")
def test_the_viewer_lists_the_pods_of_all_namespaces(tokens: Mapping[str, "Token"], ask: "Ask") -> None:
    answer = ask("/api/v1/pods", "viewer")
    assert answer.status == "200", f"Asked for all pods with {tokens['viewer']}, the dashboard gives: {answer}."
    assert answer.items, "The dashboard gives the viewer a list of pods with nothing in it."


@pytest.mark.objective("viewer")
def test_the_viewer_reads_logs(tokens: Mapping[str, "Token"], ask: "Ask") -> None:
    answer = ask("/api/v1/namespaces/kube-system/pods/probe-f0-13/log?tailLines=1", "viewer")
    assert answer.status == "200", f"Asked for a pod's log with {tokens['viewer']}, the dashboard gives: {answer}."


@pytest.mark.objective("viewer")
def test_the_viewer_reads_no_secrets(tokens: Mapping[str, "Token"], ask: "Ask") -> None:
    answer = ask("/api/v1/secrets?limit=1", "viewer")
    assert answer.status == "403", (
        f"Asked for all Secrets with {tokens['viewer']}, the dashboard should refuse. It gives: {answer}."
    )


@pytest.mark.objective("viewer")
def test_the_viewer_may_only_look(viewers_rights: Mapping[str, "Reply"], tokens: Mapping[str, "Token"]) -> None:
    for namespace, answer in viewers_rights.items():
        assert "resourceRules" in answer.content.get("status", ()), (
            f"Asked what {tokens['viewer']} may do, the dashboard gives: {answer}."
        )
        more = "; ".join(beyond_looking(answer))
        assert not more, f"In the namespace {namespace}, {tokens['viewer']} allows more than to look: {more}."


@pytest.mark.objective("no-token")
@pytest.mark.parametrize("token", ["none", "nonsense"])
def test_without_a_valid_token_there_is_no_data(token: str, refusals: Mapping[tuple[str, str], "Reply"]) -> None:
    shown = {"none": "without a token", "nonsense": "with a token that nobody has issued"}[token]
    for (kind_of_token, asked), answer in refusals.items():
        seen = f", with {', '.join(sorted(answer.items)[:3])} …" if answer.items else ""
        assert kind_of_token != token or (answer.status in NO_ENTRY and not answer.items), (
            f"Asked for {asked} {shown}, the dashboard should refuse. It gives: {answer}{seen}"
        )


@pytest.mark.objective("own-account")
def test_the_dashboards_own_account_may_do_nothing(
    dashboard: "Dashboard", own_rights: Mapping[tuple[str, str], list[str]]
) -> None:
    assert dashboard.pods, NONE_RUNS
    for (account, namespace), rights in own_rights.items():
        assert not rights, (
            f"Who gets into the dashboard's pod is {account} and may, "
            f"in the namespace {namespace}: {shortened(rights)}."
        )


def _reason(states: list[dict[str, dict[str, dict[str, str]]]]) -> str:
    reasons = [one.get("state", {}).get("waiting", {}).get("reason", "") for one in states]
    return " ".join(filter(None, reasons)) or "the image is not from there"
