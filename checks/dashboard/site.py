"""The dashboard from the objects of the API, and what clients get from its site."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testinfra.host import Host

from checks.http_answers import HttpAnswer, json_object
from checks.routing_retry import is_routed, retry_until_routed
from checks.workloads import Object, Workload, account_of, of_kind
from labs.engine.messages import Message, _, verbatim

SITE = "dashboard.frank.com"
CA = "/usr/local/share/ca-certificates/f0-labs.crt"
PROGRAMS = ("dashboard", "headlamp")
CURL = "timeout 10 curl -sS --connect-timeout 2 -m 8"
NO_ENTRY = ("401", "403")
PAGE, API = "/", "/clusters/main/api"

# Behind the dashboard's address of the API:
NAMESPACES, PODS, SECRETS = "/api/v1/namespaces", "/api/v1/pods", "/api/v1/secrets?limit=1"
LOG = "/api/v1/namespaces/kube-system/pods/probe-f0-13/log?tailLines=1"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"

# The token goes to curl by standard input, because every process on a host can see arguments.
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
class Reply(HttpAnswer):
    """What a client gets, and curl's complaint."""

    complaint: str = ""

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The body if it is an object of the API, else empty."""
        return json_object(self.body)

    @property
    def items(self) -> set[str]:
        """The names of the objects in a list."""
        return {item["metadata"]["name"] for item in self.content.get("items") or []}

    @property
    def rules(self) -> Sequence[Mapping[str, Any]] | None:
        """The rules in the answer to a review; None if the reply isn't one."""
        status = self.content.get("status")
        return status.get("resourceRules") or [] if isinstance(status, dict) and "resourceRules" in status else None

    @property
    def is_refusal(self) -> bool:
        """Whether the client was refused and saw nothing."""
        return self.status in NO_ENTRY and not self.items

    @property
    def evidence(self) -> Message:
        """The reply in a few words."""
        reason = self.content.get("message", "")
        if self.status == "000":
            return curl_complaint(self.complaint)
        if reason:
            return _("status {status} ({line})", status=self.status, line=reason)
        return _("status {status}", status=self.status)


class Dashboard:
    """The Deployment that runs the dashboard, whatever its name, and what belongs to it."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self._objects = list(objects)

    @cached_property
    def workload(self) -> Workload:
        """What the rules for the dashboard's name lead to, or what runs a dashboard."""
        return Workload(self._objects, *PROGRAMS, services=self._services)

    @property
    def accounts(self) -> Sequence[str]:
        """The users as which its pods ask the API."""
        return sorted({account_of(pod, self.workload.namespace) for pod in self.workload.pods})

    @cached_property
    def ingresses(self) -> Sequence[Object]:
        """The Ingresses that have a rule for the dashboard's name."""
        return [
            item
            for item in of_kind(self._objects, "Ingress")
            if SITE in {rule.get("host") for rule in item["spec"].get("rules", [])}
        ]

    @property
    def _services(self) -> Sequence[Object]:
        names = {
            (item["metadata"]["namespace"], path["backend"].get("service", {}).get("name"))
            for item in self.ingresses
            for rule in item["spec"]["rules"]
            if rule.get("host") == SITE
            for path in rule.get("http", {}).get("paths", [])
        }
        services = of_kind(self._objects, "Service")
        return [item for item in services if (item["metadata"]["namespace"], item["metadata"]["name"]) in names]


class ApiClient:
    """f0-13 as a client of the API behind the dashboard's public address."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def ask(self, path: str, token: str, review: str = "") -> Reply:
        """Ask with the token of f0-13:~/TOKEN.token, with `none`, or with `nonsense`; a review is posted."""
        return retry_until_routed(
            lambda: get_reply(self._host, "sh -c %s sh %s %s %s", ASK, path, token, review), is_site_reply
        )


def is_site_reply(reply: Reply) -> bool:
    """Whether a reply comes from the dashboard, not from a proxy on the way to it."""
    return is_routed(reply.status)


def curl_complaint(text: str) -> Message:
    """Return why curl got no answer, in its own words."""
    line = text.partition("\n")[0].removeprefix("curl: ")
    return verbatim(line) if line else _("no answer")


def get_reply(host: Host, command: str, *arguments: str) -> Reply:
    """Return what a curl command on a host gets, whose output ends with a line for the status."""
    result = host.run(command, *arguments)
    body, _line, status = result.stdout.rpartition("\n")
    # curl fails when it doesn't trust the server: whatever the status, that is no answer.
    return Reply(status if status.isdigit() and result.rc == 0 else "000", body, result.stderr)
