"""What the checks of the dashboard lab look at: its pods as the API has them, and what its visitors get."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from testinfra.host import Host

from checks.answers import json_object
from checks.new_routes import is_led, once_routes_are_new
from checks.rights import HARMLESS, READING, beyond
from checks.side_by_side import of_each
from checks.workloads import Object, container_of, is_selected

if TYPE_CHECKING:
    from checks.conftest import Cluster

SITE = "dashboard.frank.com"
NODES = ("f0-13", "f0-14")
PROXIES = ("f0-11", "f0-12")
CA = "/usr/local/share/ca-certificates/f0-labs.crt"
PROGRAMS = ("dashboard", "headlamp")
CURL = "timeout 10 curl -sS --connect-timeout 2 -m 8"

# The token goes to curl by standard input: arguments can be seen by everybody on a host.
ASK = rf"""
path=$1 token=$2 review=$3
set -- --cacert {CA} -w '\n%{{http_code}}' "https://{SITE}/clusters/main$path"
[ -z "$review" ] || set -- "$@" -H 'Content-Type: application/json' -d "$review"
case $token in
  none) {CURL} "$@" ;;
  nonsense) {CURL} -H 'Authorization: Bearer no.such.token' "$@" ;;
  *) printf 'Authorization: Bearer %s' "$(cat ~/"$token".token)" | {CURL} -H @- "$@" ;;
esac
"""


@dataclass(frozen=True)
class Reply:
    """What a visitor gets: a status (000 for none), the body, and curl's complaint."""

    status: str
    body: str = ""
    said: str = ""

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The body, if it is an object of the API; else nothing."""
        return json_object(self.body)

    @property
    def items(self) -> set[str]:
        """The names of the objects in a list."""
        return {one["metadata"]["name"] for one in self.content.get("items") or []}

    def __str__(self) -> str:
        if self.status == "000":
            return _first_line(self.said)
        told = self.content.get("message", "")
        return f"status {self.status}" + (f" ({told})" if told else "")


class Ask(Protocol):
    """How the API is asked through the dashboard."""

    def __call__(self, path: str, token: str, review: str = "") -> Reply:
        """Ask with the token of f0-13:~/TOKEN.token, with `none`, or with `nonsense`; a review is posted."""


@dataclass(frozen=True)
class Token:
    """A token that the learner keeps in a file of f0-13, and what it says of itself."""

    place: str
    text: str

    @cached_property
    def claims(self) -> Mapping[str, Any]:
        """What it says of itself, nothing if it can't be read. Only the API can tell whether it is genuine."""
        try:
            part = self.text.split(".")[1]
            return json_object(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (IndexError, ValueError):  # binascii.Error is one
            return {}

    @property
    def end(self) -> datetime | None:
        """When its time is over, None if it never is."""
        return datetime.fromtimestamp(self.claims["exp"], UTC) if "exp" in self.claims else None

    def __str__(self) -> str:
        owner = f" of {self.claims['sub']}" if "sub" in self.claims else ""
        over = f" (its time was over at {self.end:%H:%M on %Y-%m-%d} UTC)" if self.end and self.is_over else ""
        return f"the token in {self.place}{owner}{over}"

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return self.end is not None and self.end < datetime.now(UTC)


class Dashboard:
    """The Deployment that runs the dashboard, whatever its name, and what belongs to it."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self._objects = list(objects)

    @cached_property
    def deployment(self) -> Object | None:
        """The first Deployment whose pods run an image named after a dashboard."""
        return next((one for one in self._of("Deployment") if container_of(one["spec"]["template"], *PROGRAMS)), None)

    @cached_property
    def pods(self) -> list[Object]:
        """The pods of that Deployment which are not on their way out."""
        if self.deployment is None:
            return []
        there = (pod for pod in self._of("Pod") if "deletionTimestamp" not in pod["metadata"])
        return [pod for pod in there if is_selected(pod, self.deployment)]

    @property
    def namespace(self) -> str:
        """Where it runs."""
        return str(self.deployment["metadata"]["namespace"]) if self.deployment else "default"

    @property
    def accounts(self) -> set[str]:
        """The users that its pods are to the API."""
        names = {pod["spec"].get("serviceAccountName", "default") for pod in self.pods}
        return {f"system:serviceaccount:{self.namespace}:{name}" for name in names}

    @property
    def rules(self) -> list[str]:
        """The Ingresses that have a rule for the dashboard's name."""
        return [
            one["metadata"]["name"]
            for one in self._of("Ingress")
            if SITE in {rule.get("host") for rule in one["spec"].get("rules", [])}
        ]

    def _of(self, kind: str) -> list[Object]:
        return [one for one in self._objects if one["kind"] == kind]


@pytest.fixture(scope="session")
def dashboard(cluster: "Cluster") -> Dashboard:
    """The dashboard as the API has it."""
    return Dashboard(cluster.list("deployments", "pods", "ingresses"))


@pytest.fixture(scope="session")
def through_traefik(f0_15: Host, dashboard: Dashboard) -> Mapping[tuple[str, str], Reply]:
    """What Traefik on each node gives for the dashboard's name: its page, and the API behind it."""
    told = f"{CURL} -w %s -H %s %s"

    def get(node: str, path: str) -> Reply:
        return _reply(f0_15, told, r"\n%{http_code}", f"Host: {SITE}", f"http://{node}:81{path}")

    # Without a rule there is nothing that Traefik could still hear of.
    is_good = _is_led if dashboard.rules else lambda _: True
    ways = [(node, path) for node in NODES for path in ("/", "/clusters/main/api")]
    return of_each(lambda way: once_routes_are_new(lambda: get(*way), is_good), ways)


@pytest.fixture(scope="session")
def handshakes(f0_15: Host) -> Mapping[str, str]:
    """What f0-15, which trusts the lab's CA and nobody else, has against the certificates; of a valid one, nothing.

    Each proxy is asked, and the name alone. What comes after the handshake is another matter: also 502, or no answer.
    """
    told = f"{CURL} -o /dev/null --cacert {CA} --connect-to %s -w %s %s"

    def complaint(way: str) -> str:
        result = f0_15.run(told, ":::" if way == SITE else f"::{way}:", "%{time_appconnect}", f"https://{SITE}/")
        is_done = float(result.stdout or 0) > 0
        return "" if is_done else _first_line(result.stderr)

    return of_each(complaint, (*PROXIES, SITE))


@pytest.fixture(scope="session")
def over_http(f0_15: Host) -> Mapping[str, Reply]:
    """Where each proxy sends those who come by HTTP: that address is the body."""
    told = f"{CURL} -o /dev/null --connect-to %s -w %s %s"
    return of_each(
        lambda proxy: _reply(f0_15, told, f"::{proxy}:", r"%{redirect_url}\n%{http_code}", f"http://{SITE}/some/page"),
        PROXIES,
    )


@pytest.fixture(scope="session")
def ask(f0_13: Host) -> Ask:
    """Ask the API through the dashboard, by its public address."""

    def ask(path: str, token: str, review: str = "") -> Reply:
        return once_routes_are_new(lambda: _reply(f0_13, "sh -c %s sh %s %s %s", ASK, path, token, review), _is_led)

    return ask


@pytest.fixture(scope="session")
def tokens(f0_13: Host) -> Mapping[str, Token]:
    """The tokens at their agreed places; one that is not there is empty."""

    def read(name: str) -> Token:
        return Token(f"f0-13:~/{name}.token", f0_13.run("cat %s", f"{name}.token").stdout.strip())

    return of_each(read, ("admin", "viewer"))


@pytest.fixture(scope="session")
def viewers_rights(ask: Ask, dashboard: Dashboard) -> Mapping[str, Reply]:
    """What the API answers when the viewer asks through the dashboard for all it may, in some namespaces."""

    def review(namespace: str) -> Reply:
        question = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
        text = json.dumps({**question, "spec": {"namespace": namespace}})
        return ask("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "viewer", text)

    return of_each(review, sorted({"default", "kube-system", dashboard.namespace}))


@pytest.fixture(scope="session")
def refusals(ask: Ask) -> Mapping[tuple[str, str], Reply]:
    """What those get who show nothing, or something that nobody has issued."""
    kinds = ("namespaces", "pods", "secrets")
    questions = [(token, kind) for token in ("none", "nonsense") for kind in kinds]
    return of_each(lambda one: ask(f"/api/v1/{one[1]}", one[0]), questions)


@pytest.fixture(scope="session")
def own_rights(cluster: "Cluster", dashboard: Dashboard) -> Mapping[tuple[str, str], list[str]]:
    """What the dashboard's own accounts may do, in each namespace."""
    return {
        (account, namespace): beyond(rules)
        for account in dashboard.accounts
        for namespace, rules in cluster.rules(account).items()
    }


def beyond_looking(rights: Reply) -> list[str]:
    """Those rights of a review that let somebody change something, or read Secrets."""
    found = []
    for rule in rights.content["status"].get("resourceRules") or []:
        groups, resources, verbs = (set(rule.get(part, [])) for part in ("apiGroups", "resources", "verbs"))
        changing = verbs - READING if not groups <= HARMLESS else set()
        if changing or ({"secrets", "*"} & resources and {"", "*"} & groups):
            found.append(f"{', '.join(sorted(changing or verbs))} {', '.join(sorted(resources))}")
    return found


def _is_led(reply: Reply) -> bool:
    return is_led(reply.status)


def _first_line(text: str) -> str:
    return text.partition("\n")[0].removeprefix("curl: ") or "no answer"


def _reply(host: Host, command: str, *arguments: str) -> Reply:
    result = host.run(command, *arguments)
    body, _, status = result.stdout.rpartition("\n")
    # curl ends with an error when it does not trust whom it asks: that is no answer, whatever the status.
    return Reply(status if status.isdigit() and result.rc == 0 else "000", body, result.stderr)
