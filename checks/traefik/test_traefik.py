"""The objectives of the Traefik lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping, Sequence

import pytest

from checks.names import INGRESS_PORT, NODES, PROXIES, VIRTUAL_IP
from checks.permissions import Permissions, excess_listing
from checks.traefik.ingress import (
    HELLO,
    NO_CONTROLLER,
    NODE_PLACES,
    PLACES,
    PROGRAM,
    SPOOFED,
    UNKNOWN,
    WHOAMI,
    Ingresses,
    SiteAnswer,
)
from checks.traefik.one_node import Trial
from checks.workloads import are_containers_ready, waiting_reason, wrong_images
from labs.engine.messages import Message, _, listing

pytestmark = pytest.mark.usefixtures("every_host")
# Upstream's own roles allow to read all this, also for kinds of routes that this lab doesn't use.
READING = (
    *("services", "secrets", "nodes", "endpoints", "endpointslices.discovery.k8s.io", "namespaces", "configmaps"),
    *("ingresses.*", "ingressclasses.*", "*.traefik.io", "*.gateway.networking.k8s.io"),
)
UPDATING = ("ingresses/status.*", "*/status.gateway.networking.k8s.io")
of_each_node = pytest.mark.parametrize("node", NODES)
of_each_proxy = pytest.mark.parametrize("proxy", PROXIES)


@pytest.mark.objective("image")
def test_the_pods_run_an_image_that_was_pulled_from_the_labs_registry(ingresses: Ingresses) -> None:
    assert ingresses.pods, NO_CONTROLLER
    wrong = wrong_images(ingresses.pods, PROGRAM)
    assert not wrong, wrong[0]


@pytest.mark.objective("daemonset")
@of_each_node
def test_a_ready_controller_runs_on_the_node(node: str, ingresses: Ingresses) -> None:
    pods = ingresses.pods_on(node)
    assert pods, _(
        "No pod on {node} runs Traefik. The check looked for pods with port {port} of the node and for the name of the "
        "image.",
        node=node,
        port=INGRESS_PORT,
    )
    assert are_containers_ready(pods[0]), _(
        "The pod {pod} on {node} is not ready: {reason}.",
        pod=pods[0]["metadata"]["name"],
        node=node,
        reason=waiting_reason(pods[0]),
    )


@pytest.mark.objective("daemonset")
@pytest.mark.parametrize("place", NODE_PLACES)
def test_port_81_of_the_node_answers(place: str, port_answers: Mapping[str, SiteAnswer]) -> None:
    assert port_answers[place].status != "000", _("f0-15 gets no answer from {place}.", place=place)


@pytest.mark.objective("ingress-class")
def test_the_rules_name_a_class_that_exists(ingresses: Ingresses) -> None:
    assert ingresses.rules_for(WHOAMI), _("No Ingress has a rule for {site}.", site=WHOAMI)
    classless = ingresses.classless(WHOAMI)
    assert not classless, _("These Ingresses name no class (ingressClassName): {names}.", names=listing(classless))
    unknown = ingresses.unknown_classes(WHOAMI)
    assert not unknown, _(
        "These Ingresses name a class that does not exist: {ingresses}. Existing classes: {classes}.",
        ingresses=listing(f"{name} ({ingress_class})" for name, ingress_class in unknown.items()),
        classes=listing(ingresses.classes),
    )


@pytest.mark.objective("ingress-class")
def test_the_controller_is_allowed_to_read_what_it_needs(permissions: Permissions) -> None:
    assert not permissions.missing, _(
        "{user} lacks permissions that an ingress controller needs: {permissions}.",
        user=permissions.user,
        permissions=permissions.missing_listing,
    )


@pytest.mark.objective("ingress-class")
def test_the_controller_has_no_excess_permissions(permissions: Permissions) -> None:
    excess = permissions.excess(READING, UPDATING)
    assert not excess, _(
        "{user} has more permissions than an ingress controller needs, {excess}.",
        user=permissions.user,
        excess=excess_listing(excess),
    )


@pytest.mark.objective("proxies")
@of_each_proxy
def test_a_proxy_shows_the_site(proxy: str, repeated_answers: Mapping[str, Sequence[SiteAnswer]]) -> None:
    missed = _missed(repeated_answers[proxy])
    assert not missed, _not_shown(proxy, repeated_answers[proxy], missed)


@pytest.mark.objective("proxies")
def test_the_name_leads_to_the_virtual_ip(known_addresses: Mapping[str, str]) -> None:
    address, virtual_ip = known_addresses[WHOAMI], known_addresses[VIRTUAL_IP]
    assert address, _("The name {site} does not exist.", site=WHOAMI)
    assert address == virtual_ip, _(
        "The name {site} leads to {address}, but it should lead to the virtual IP of the proxies, {virtual_ip}.",
        site=WHOAMI,
        address=address,
        virtual_ip=virtual_ip,
    )


@pytest.mark.objective("proxies")
def test_the_name_shows_the_site(repeated_answers: Mapping[str, Sequence[SiteAnswer]]) -> None:
    missed = _missed(repeated_answers[WHOAMI])
    assert not missed, _not_shown(WHOAMI, repeated_answers[WHOAMI], missed)


@pytest.mark.objective("host-rules")
@pytest.mark.parametrize("site", [WHOAMI, HELLO])
def test_a_name_leads_to_a_service(site: str, sites: Mapping[str, SiteAnswer], ingresses: Ingresses) -> None:
    answer = sites[site]
    assert answer.pod, _(
        "f0-15 asks {place} for {site} and should get the page of a pod. It gets: {answer}.",
        place=VIRTUAL_IP,
        site=site,
        answer=answer.evidence,
    )
    assert ingresses.services_of(answer.pod), _(
        "The pod {pod} answers for {site}, but no Service leads to it.", pod=answer.pod, site=site
    )


@pytest.mark.objective("host-rules")
def test_two_names_lead_to_two_services(sites: Mapping[str, SiteAnswer], ingresses: Ingresses) -> None:
    both = ingresses.services_of(sites[WHOAMI].pod) & ingresses.services_of(sites[HELLO].pod)
    assert not both, _(
        "{site} and {other} should lead to two Services, but pods of the same one answer: {services}.",
        site=WHOAMI,
        other=HELLO,
        services=listing(sorted(both)),
    )


@pytest.mark.objective("host-rules")
@pytest.mark.parametrize("place", [VIRTUAL_IP, *NODE_PLACES])
def test_an_unknown_name_gets_404(place: str, unknown_answers: Mapping[str, SiteAnswer]) -> None:
    answer = unknown_answers[place]
    assert answer.status == "404", _(
        "f0-15 asks {place} for {site}, which has no rule, and should get status 404. It gets: {answer}.",
        place=place,
        site=UNKNOWN,
        answer=answer.evidence,
    )


@pytest.mark.objective("client-address")
@of_each_proxy
def test_the_application_sees_the_client_ip(
    proxy: str, answers: Mapping[str, SiteAnswer], known_addresses: Mapping[str, str]
) -> None:
    client_ip, answer = known_addresses["f0-15.frank.com"], answers[f"{proxy}.frank.com"]
    assert answer.pod, _no_page(proxy, answer)
    assert client_ip in answer.client_addresses, _(
        "f0-15 ({client_ip}) sends a request through {proxy}. In X-Forwarded-For and X-Real-Ip the application sees: "
        "{addresses}.",
        client_ip=client_ip,
        proxy=proxy,
        addresses=listing(answer.client_addresses, none=_("nothing")),
    )


@pytest.mark.objective("client-address")
@pytest.mark.parametrize("place", PLACES)
def test_a_spoofed_client_ip_is_ignored(place: str, spoofed_answers: Mapping[str, SiteAnswer]) -> None:
    answer = spoofed_answers[place]
    assert answer.pod, _no_page(place, answer)
    assert SPOOFED not in answer.client_addresses, _(
        "f0-15 sends {place} a request with the spoofed client IP {address}, and the application sees that address.",
        place=place,
        address=SPOOFED,
    )


@pytest.mark.objective("one-node")
@pytest.mark.parametrize("place", NODE_PLACES)
def test_one_node_is_enough(place: str, answers: Mapping[str, SiteAnswer]) -> None:
    assert answers[place].is_shown, _no_page(place, answers[place])


@pytest.mark.objective("one-node")
@of_each_proxy
@pytest.mark.parametrize(("gone", "left"), [("f0-13", "f0-14"), ("f0-14", "f0-13")])
def test_a_proxy_keeps_working_with_one_node(
    proxy: str, gone: str, left: str, one_node_trials: Mapping[tuple[str, str], Trial]
) -> None:
    trial = one_node_trials[proxy, left]
    assert trial.statuses, _(
        "nginx on {proxy} does not start with its configuration: {complaint}", proxy=proxy, complaint=trial.complaint
    )
    assert not trial.lost, _(
        "With the configuration of {proxy} and no answer from port {port} of {gone}, {count} of {total} requests get: "
        "{statuses}.",
        proxy=proxy,
        port=INGRESS_PORT,
        gone=gone,
        count=len(trial.lost),
        total=len(trial.statuses),
        statuses=listing(sorted(set(trial.lost))),
    )


def _missed(answers: Sequence[SiteAnswer]) -> Sequence[SiteAnswer]:
    return [answer for answer in answers if not answer.is_shown]


def _not_shown(place: str, answers: Sequence[SiteAnswer], missed: Sequence[SiteAnswer]) -> Message:
    return _(
        "f0-15 asks {place} for {site}. {count} of {total} requests do not get its page, but: {answer}.",
        place=place,
        site=WHOAMI,
        count=len(missed),
        total=len(answers),
        answer=missed[0].evidence,
    )


def _no_page(place: str, answer: SiteAnswer) -> Message:
    return _(
        "f0-15 asks {place} for {site} and should get its page. It gets: {answer}.",
        place=place,
        site=WHOAMI,
        answer=answer.evidence,
    )
