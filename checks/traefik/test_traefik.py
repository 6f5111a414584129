"""The objectives of the Traefik lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from checks.rights import shortened
from checks.traefik.conftest import HELLO, MADE_UP, NEEDED, NOBODY, PLACES, PORT, PROGRAM, VIP, WHOAMI
from checks.workloads import container_of
from labs.engine.errors import LabError

if TYPE_CHECKING:
    from checks.traefik.conftest import Answer, Ingresses, Visit

pytestmark = pytest.mark.usefixtures("every_host")
REGISTRY = "harbor.frank.com/"
of_each_node = pytest.mark.parametrize("node", ["f0-13", "f0-14"])
of_each_proxy = pytest.mark.parametrize("proxy", ["f0-11", "f0-12"])


@pytest.mark.objective("image")
def test_the_pods_run_an_image_that_was_pulled_from_the_labs_registry(ingresses: "Ingresses") -> None:
    runs = [(pod, own) for pod in ingresses.pods if (own := container_of(pod, PROGRAM))]
    assert runs, "No pod runs Traefik (looked for by the name of the image, in all namespaces)."
    for pod, own in runs:
        name, image = pod["metadata"]["name"], own["image"]
        assert image.startswith(REGISTRY), f"The pod {name} takes its image from elsewhere: {image}."
        states = pod["status"].get("containerStatuses", [])
        assert any(one.get("imageID", "").startswith(REGISTRY) for one in states), (
            f"The node of the pod {name} has not pulled {image}: {_reason(states)}."
        )


@pytest.mark.objective("daemonset")
@of_each_node
def test_a_ready_controller_runs_on_the_node(node: str, ingresses: "Ingresses") -> None:
    pods = [one for one in ingresses.pods if one["spec"].get("nodeName") == node]
    assert pods, f"No pod on {node} runs Traefik (looked for by the name of the image), or has port {PORT} of the node."
    name, states = pods[0]["metadata"]["name"], pods[0]["status"].get("containerStatuses", [])
    assert states and all(one["ready"] for one in states), f"The pod {name} on {node} is not ready: {_reason(states)}."


@pytest.mark.objective("daemonset")
@of_each_node
def test_port_81_of_the_node_answers(node: str, visit: "Visit") -> None:
    answer = visit(f"{node}.frank.com:{PORT}", NOBODY)[0]
    assert answer.status != "000", f"Nobody answers at port {PORT} of {node}."


@pytest.mark.objective("ingress-class")
def test_the_rules_name_a_class_that_exists(ingresses: "Ingresses") -> None:
    rules = ingresses.rules_for(WHOAMI)
    assert rules, f"No Ingress has a rule for {WHOAMI}."
    for name, wanted in rules.items():
        assert wanted, f"The Ingress {name} names no class (ingressClassName)."
        assert wanted in ingresses.classes, (
            f"The Ingress {name} is of the class '{wanted}'. There is: {', '.join(ingresses.classes) or 'no class'}."
        )


@pytest.mark.objective("ingress-class")
def test_the_controller_may_read_what_it_needs(ingresses: "Ingresses", rights: Mapping[tuple[str, str], bool]) -> None:
    missing = [" ".join(right) for right in NEEDED if not rights[right]]
    assert not missing, f"{ingresses.account} may not: {', '.join(missing)}."


@pytest.mark.objective("ingress-class")
def test_the_controller_may_do_nothing_else(ingresses: "Ingresses", needless_rights: Mapping[str, list[str]]) -> None:
    for namespace, needless in needless_rights.items():
        assert not needless, (
            f"{ingresses.account} may do more than an ingress controller needs, "
            f"in the namespace {namespace}: {shortened(needless)}."
        )


@pytest.mark.objective("proxies")
@of_each_proxy
def test_a_proxy_shows_the_site(proxy: str, ways: Mapping[str, Sequence["Answer"]]) -> None:
    _assert_shown(f"{proxy} is asked for {WHOAMI}", ways[proxy])


@pytest.mark.objective("proxies")
def test_the_name_leads_to_the_moving_address(known_addresses: Mapping[str, str]) -> None:
    found, vip = known_addresses[WHOAMI], known_addresses[VIP]
    assert found, f"The name {WHOAMI} does not exist."
    assert found == vip, f"The name {WHOAMI} leads to {found}; the address that moves between the proxies is {vip}."


@pytest.mark.objective("proxies")
def test_the_name_shows_the_site(ways: Mapping[str, Sequence["Answer"]]) -> None:
    _assert_shown(f"f0-15 opens http://{WHOAMI}/", ways[WHOAMI])


@pytest.mark.objective("host-rules")
def test_two_names_lead_to_two_services(sites: Mapping[str, "Answer"], ingresses: "Ingresses") -> None:
    for site, answer in sites.items():
        assert answer.pod, f"{VIP} is asked for {site}: {answer}."
    services = {site: ingresses.services_of(answer.pod) for site, answer in sites.items()}
    for site, answer in sites.items():
        assert services[site], f"{site} is answered by the pod {answer.pod}, which stands behind no Service."
    both = services[WHOAMI] & services[HELLO]
    assert not both, f"{WHOAMI} and {HELLO} are answered by pods of the same Service: {', '.join(sorted(both))}."


@pytest.mark.objective("host-rules")
def test_an_unknown_name_gets_404(unknown: Mapping[str, "Answer"]) -> None:
    for place, answer in unknown.items():
        assert answer.status == "404", f"{place} is asked for {NOBODY}, which nobody has: {answer}."


@pytest.mark.objective("client-address")
@of_each_proxy
def test_the_application_is_told_who_visits(
    proxy: str, told: Mapping[str, "Answer"], known_addresses: Mapping[str, str]
) -> None:
    own, answer = known_addresses["f0-15.frank.com"], told[proxy]
    assert answer.pod, f"{proxy} is asked for {WHOAMI}: {answer}."
    assert own in answer.visitors, (
        f"f0-15 ({own}) visits by {proxy}. In X-Forwarded-For and X-Real-Ip the application finds: "
        f"{', '.join(answer.visitors) or 'nothing'}."
    )


@pytest.mark.objective("client-address")
@pytest.mark.parametrize("place", PLACES)
def test_a_made_up_address_is_not_believed(place: str, told_of_a_liar: Mapping[str, "Answer"]) -> None:
    answer = told_of_a_liar[place]
    assert answer.pod, f"f0-15 asks {place} for {WHOAMI}: {answer}."
    assert MADE_UP not in answer.visitors, (
        f"f0-15 asks {place} and claims to be {MADE_UP}, which it is not: the application is told so."
    )


@pytest.mark.objective("one-node")
@of_each_node
def test_a_node_is_enough(node: str, told: Mapping[str, "Answer"]) -> None:
    place = f"port {PORT} of {node}"
    _assert_shown(f"f0-15 asks {place} for {WHOAMI}", [told[place]])


@pytest.mark.objective("one-node")
@of_each_proxy
@pytest.mark.parametrize(("gone", "left"), [("f0-13", "f0-14"), ("f0-14", "f0-13")])
def test_a_proxy_goes_on_with_one_node(
    proxy: str, gone: str, left: str, with_one_node: Mapping[tuple[str, str], Sequence[str]]
) -> None:
    said = [line for line in with_one_node[proxy, left] if line]
    if said[:1] != ["ready"]:
        raise LabError(f"{proxy} could not be tried in a network of its own: {' '.join(said) or 'it says nothing'}.")
    statuses = [line for line in said if line.isdecimal()]
    assert statuses, f"nginx on {proxy} does not start with its configuration: {said[-1]}"
    lost = [one for one in statuses if one != "200"]
    assert not lost, (
        f"With the configuration of {proxy}, but nobody at port {PORT} of {gone}, "
        f"{len(lost)} of {len(statuses)} requests get {', '.join(sorted(set(lost)))}."
    )


def _assert_shown(what: str, answers: Sequence["Answer"]) -> None:
    bad = [one for one in answers if one.status != "200" or not one.pod]
    times = f", {len(answers)} times" if len(answers) > 1 else ""
    lost = f"{len(bad)} times " if len(bad) < len(answers) else ""
    assert not bad, f"{what}{times}: {lost}{bad[0]}."


def _reason(states: list[dict[str, dict[str, dict[str, str]]]]) -> str:
    reasons = [one.get("state", {}).get("waiting", {}).get("reason", "") for one in states]
    return " ".join(filter(None, reasons)) or "nothing is said about why"
