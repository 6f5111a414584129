"""The objectives of the dashboard lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping, Sequence

import pytest

from checks.dashboard.site import API, LOG, NAMESPACES, NO_ENTRY, PAGE, PODS, PROGRAMS, SECRETS, SITE, Dashboard, Reply
from checks.dashboard.tokens import Token
from checks.names import NODES, PROXIES
from checks.permissions import excess_listing
from checks.workloads import wrong_images
from labs.engine.messages import Message, _, lines, listing

pytestmark = pytest.mark.usefixtures("every_host")
of_each_token = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.objective(name)) for name in ("admin", "viewer")]
)
WITHOUT = {"none": _("without a token"), "nonsense": _("with a token that was never issued")}


@pytest.mark.objective("image")
def test_the_pods_run_an_image_that_was_pulled_from_the_labs_registry(dashboard: Dashboard) -> None:
    assert dashboard.workload.deployment, dashboard.workload.absence
    assert dashboard.workload.pods, _("The Deployment of the dashboard has no pods.")
    wrong = wrong_images(dashboard.workload.pods, *PROGRAMS)
    assert not wrong, wrong[0]


@pytest.mark.objective("running")
def test_the_deployment_is_available(dashboard: Dashboard) -> None:
    assert not dashboard.workload.unavailable, dashboard.workload.unavailable


@pytest.mark.objective("running")
@pytest.mark.parametrize("node", NODES)
def test_traefik_leads_to_it(node: str, dashboard: Dashboard, traefik_replies: Mapping[tuple[str, str], Reply]) -> None:
    page, api = traefik_replies[node, PAGE], traefik_replies[node, API]
    assert dashboard.ingresses, _("No Ingress has a rule for {site}.", site=SITE)
    assert page.status == "200", _(
        "f0-15 asks Traefik on {node} for {site} and should get a page. It gets: {reply}.",
        node=node,
        site=SITE,
        reply=page.evidence,
    )
    assert api.status in ("200", *NO_ENTRY), _(
        "Traefik on {node} shows a page for {site}, but {path}, which should lead to the API, gives: {reply}.",
        node=node,
        site=SITE,
        path=API,
        reply=api.evidence,
    )


@pytest.mark.objective("https")
@pytest.mark.parametrize("proxy", PROXIES)
def test_the_certificate_of_a_proxy_is_valid(proxy: str, handshake_errors: Mapping[str, Message | None]) -> None:
    error = handshake_errors[proxy]
    assert not error, _(
        "f0-15 opens https://{site}/ through {proxy} and rejects the certificate: {error}.",
        site=SITE,
        proxy=proxy,
        error=error,
    )


@pytest.mark.objective("https")
def test_the_certificate_is_valid(handshake_errors: Mapping[str, Message | None]) -> None:
    error = handshake_errors[SITE]
    assert not error, _("f0-15 opens https://{site}/ and rejects the certificate: {error}.", site=SITE, error=error)


@pytest.mark.objective("https")
@pytest.mark.parametrize("proxy", PROXIES)
def test_http_leads_to_the_same_page_by_https(proxy: str, redirects: Mapping[str, Reply]) -> None:
    reply = redirects[proxy]
    assert reply.body == f"https://{SITE}/some/page", _(
        "f0-15 asks {proxy} for http://{site}/some/page and should be redirected to the same page by HTTPS. It gets: "
        "{reply}, redirection to: {target}.",
        proxy=proxy,
        site=SITE,
        reply=reply.evidence,
        target=reply.body or _("nothing"),
    )


@of_each_token
def test_the_token_exists_and_expires(name: str, tokens: Mapping[str, Token]) -> None:
    token = tokens[name]
    assert token.text, _("There is no token in {place}.", place=token.place)
    assert token.claims, _(
        "The content of {place} is not a token of a ServiceAccount. Such a token has three parts, separated by dots.",
        place=token.place,
    )
    assert token.end, _(
        "A token should expire, but this one does not: {token}. Anyone who finds it can use it forever.",
        token=token.evidence,
    )


@pytest.mark.objective("admin")
def test_the_admin_sees_all_namespaces(
    tokens: Mapping[str, Token], admin_replies: Mapping[str, Reply], unseen_namespaces: Sequence[str]
) -> None:
    reply = admin_replies[NAMESPACES]
    assert reply.status == "200", _refused(_("the namespaces"), tokens["admin"], reply)
    assert not unseen_namespaces, _(
        "The administrator does not see these namespaces through the dashboard: {names}.",
        names=listing(unseen_namespaces),
    )


@pytest.mark.objective("admin")
def test_the_admin_sees_everything_in_them(tokens: Mapping[str, Token], admin_replies: Mapping[str, Reply]) -> None:
    reply = admin_replies[SECRETS]
    assert reply.status == "200", _refused(_("the Secrets"), tokens["admin"], reply)


@pytest.mark.objective("viewer")
def test_the_viewer_lists_the_pods_of_all_namespaces(
    tokens: Mapping[str, Token], viewer_replies: Mapping[str, Reply]
) -> None:
    reply = viewer_replies[PODS]
    assert reply.status == "200", _refused(_("all pods"), tokens["viewer"], reply)
    assert reply.items, _("The viewer gets an empty list of pods from the dashboard.")


@pytest.mark.objective("viewer")
def test_the_viewer_reads_logs(tokens: Mapping[str, Token], viewer_replies: Mapping[str, Reply]) -> None:
    assert viewer_replies[LOG].status == "200", _refused(_("the log of a pod"), tokens["viewer"], viewer_replies[LOG])


@pytest.mark.objective("viewer")
def test_the_viewer_reads_no_secrets(tokens: Mapping[str, Token], viewer_replies: Mapping[str, Reply]) -> None:
    reply = viewer_replies[SECRETS]
    assert reply.status == "403", _(
        "f0-13 asks the dashboard for all Secrets with {token} and should be refused (403). It gets: {reply}.",
        token=tokens["viewer"].evidence,
        reply=reply.evidence,
    )


@pytest.mark.objective("viewer")
def test_the_viewer_has_no_excess_permissions(
    tokens: Mapping[str, Token],
    unanswered_reviews: Mapping[str, Reply],
    viewer_excess: Mapping[str, Sequence[str]],
) -> None:
    assert not unanswered_reviews, _(
        "f0-13 asks the dashboard what {token} allows and gets: {replies}.",
        token=tokens["viewer"].evidence,
        replies=listing(reply.evidence for reply in unanswered_reviews.values()),
    )
    assert not viewer_excess, _(
        "The viewer should only be able to read, and no Secrets, but {token} allows more, {excess}.",
        token=tokens["viewer"].evidence,
        excess=excess_listing(viewer_excess),
    )


@pytest.mark.objective("no-token")
@pytest.mark.parametrize("token", WITHOUT)
@pytest.mark.parametrize("kind", ["namespaces", "pods", "secrets"])
def test_without_a_valid_token_there_is_no_data(
    kind: str, token: str, refusals: Mapping[tuple[str, str], Reply]
) -> None:
    reply = refusals[token, kind]
    assert reply.is_refusal, _(
        "f0-13 asks the dashboard for {kind} {token} and should be refused. It gets: {reply}, with the names: {names}.",
        kind=kind,
        token=WITHOUT[token],
        reply=reply.evidence,
        names=listing(sorted(reply.items), limit=3),
    )


@pytest.mark.objective("own-account")
def test_the_dashboards_own_account_has_no_permissions(
    dashboard: Dashboard, own_excess: Mapping[str, Mapping[str, Sequence[str]]]
) -> None:
    assert dashboard.workload.deployment, dashboard.workload.absence
    assert dashboard.workload.pods, _("The Deployment of the dashboard has no pods.")
    accounts = (
        _("{user} has permissions {excess}.", user=user, excess=excess_listing(excess))
        for user, excess in own_excess.items()
    )
    assert not own_excess, _(
        "Anyone who gets into the dashboard's pod can use the permissions of its account. {accounts}",
        accounts=lines(accounts, separator=" "),
    )


def _refused(what: Message, token: Token, reply: Reply) -> Message:
    return _(
        "f0-13 asks the dashboard for {what} with {token} and should get them. It gets: {reply}.",
        what=what,
        token=token.evidence,
        reply=reply.evidence,
    )
