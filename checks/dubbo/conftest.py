"""What the checks of the Dubbo lab look at: ZooKeeper, registry, Git, builds, pods, and what visitors get."""

import base64
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from testinfra.host import Host

from checks.answers import json_object, visit
from checks.dubbo.registry import CURL, HARBOR, Image, Registry
from checks.side_by_side import of_each
from checks.workloads import Object, container_of, is_selected
from labs.engine.hosts.readiness import wait_until

if TYPE_CHECKING:
    from checks.conftest import Cluster

MEMBERS = ("f0-11", "f0-12", "f0-13")
PROVIDER, CONSUMER = "dubbo-demo-service", "dubbo-demo-consumer"
APPLICATIONS = (PROVIDER, CONSUMER)
PROVIDERS = "/dubbo/com.frank.demo.api.GreetingService/providers"
COUNTED = {PROVIDER: "dubbo_provider_requests_succeed_total", CONSUMER: "dubbo_consumer_requests_succeed_total"}
COUNTING_SECONDS = 15  # Dubbo sums up every 5 s, the monitor asks every 5 s


class Application:
    """A Deployment whose container runs an image of that name, and its pods."""

    def __init__(self, name: str, objects: Iterable[Object]) -> None:
        self.name, self._objects = name, list(objects)

    @cached_property
    def deployment(self) -> Object | None:
        """The first Deployment, of any namespace, that runs it."""
        found = (one for one in self._objects if one["kind"] == "Deployment" and self._image(one["spec"]["template"]))
        return next(found, None)

    @property
    def namespace(self) -> str:
        """Where it runs."""
        return str(self.deployment["metadata"]["namespace"]) if self.deployment else "app"

    @property
    def image(self) -> Image | None:
        """What the Deployment says its pods run."""
        return self._image(self.deployment["spec"]["template"]) if self.deployment else None

    @cached_property
    def pods(self) -> list[Object]:
        """The Deployment's ready pods which are not on their way out."""
        return [
            pod
            for pod in self._objects
            if pod["kind"] == "Pod"
            and self.deployment
            and is_selected(pod, self.deployment)
            and "deletionTimestamp" not in pod["metadata"]
            and _is_ready(pod)
        ]

    @property
    def images(self) -> Mapping[str, Image]:
        """What each ready pod runs."""
        return {pod["metadata"]["name"]: image for pod in self.pods if (image := self._image(pod))}

    @property
    def pull_secrets(self) -> list[str]:
        """The Secrets that its nodes show the registry: the pods', or while there is none, the Deployment's."""
        of_new_pods = [self.deployment["spec"]["template"]] if self.deployment else []
        specs = [pod["spec"] for pod in self.pods or of_new_pods]
        return sorted({one["name"] for spec in specs for one in spec.get("imagePullSecrets", [])})

    def _image(self, pod: Object) -> Image | None:
        container = container_of(pod, self.name)
        return Image(container["image"]) if container else None


@dataclass(frozen=True)
class Build:
    """A build that ended well: the image it made, and the commit it made it from."""

    number: int
    image: str
    commit: str


@dataclass(frozen=True)
class Answer:
    """What a visitor of demo.frank.com gets: a status (000 for none) and the body."""

    status: str
    body: str
    word: str

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The body, if it is a JSON object; else nothing."""
        return json_object(self.body)

    def of(self, side: str, what: str) -> str:
        """What it tells of its provider or its consumer: `pod` or `version`."""
        told = self.content.get(side)
        return str(told.get(what, "")) if isinstance(told, dict) else ""

    def __str__(self) -> str:
        if self.status == "000":
            return "no answer"
        return f"status {self.status}: {' '.join(self.body.split())[:120]}"


@pytest.fixture(scope="session")
def modes(f0_15: Host) -> Mapping[str, str]:
    """What each member of ZooKeeper says it is: leader, follower, standalone; empty if it does not say."""

    def ask(member: str) -> str:
        said = f0_15.run("sh -c %s sh %s", "echo srvr | timeout 5 nc -w 2 $1 2181", member).stdout
        found = re.search(r"^Mode: (\w+)", said, re.M)
        return found[1] if found else ""

    return of_each(ask, MEMBERS)


@pytest.fixture(scope="session")
def registered(f0_13: Host) -> Sequence[str] | None:
    """The addresses of the providers in ZooKeeper, sorted; None when it does not answer."""
    members = ",".join(f"{member}:2181" for member in MEMBERS)
    said = f0_13.run("timeout 15 zookeeper cli -server %s ls %s", members, PROVIDERS)
    if "Node does not exist" in said.stdout + said.stderr:
        return []
    listed = re.findall(r"^\[(.*)\]$", said.stdout, re.M)
    if said.rc != 0 or not listed:
        return None
    urls = (unquote(entry) for entry in re.split(r",\s*", listed[-1]) if entry)
    return sorted(urlsplit(url).hostname or url for url in urls)


@pytest.fixture(scope="session")
def registry(f0_15: Host) -> Registry:
    """The lab's registry."""
    return Registry(f0_15)


@pytest.fixture(scope="session")
def applications(cluster: "Cluster") -> Mapping[str, Application]:
    """Provider and consumer as the API has them."""
    objects = cluster.list("deployments", "pods")
    return {name: Application(name, objects) for name in APPLICATIONS}


@pytest.fixture(scope="session")
def builds(f0_15: Host) -> Sequence[Build] | None:
    """The builds that ended well, the last one first; None when the CI server does not answer."""
    query = "complete=true&results=0&order=-buildid&limit=200&property=image&property=commit"
    found = json_object(f0_15.run(f"{CURL} %s", f"http://ci.frank.com/api/v2/builds?{query}").stdout).get("builds")
    if not isinstance(found, list):
        return None
    told = [(one["number"], one.get("properties") or {}) for one in found]
    return [
        Build(number, str(own["image"][0]), str(own["commit"][0]))
        for number, own in told
        if {"image", "commit"} <= own.keys()
    ]


@pytest.fixture(scope="session")
def in_git(f0_15: Host, builds: Sequence[Build] | None) -> Mapping[str, bool]:
    """Whether each commit that something was built from is in the repository."""
    ask = "sudo -u www-data git --git-dir=/data/git/dubbo-demo.git cat-file -e %s"
    return of_each(
        lambda commit: bool(f0_15.run(ask, f"{commit}^{{commit}}").rc == 0), {one.commit for one in builds or ()}
    )


@pytest.fixture(scope="session")
def answers(f0_15: Host) -> Sequence[Answer]:
    """What some visitors of demo.frank.com get, each with a word of its own."""
    return ask_demo(f0_15, 5)


@pytest.fixture(scope="session")
def many_answers(f0_15: Host) -> Sequence[Answer]:
    """What so many visitors get that each pod should have had its turn."""
    return ask_demo(f0_15, 40)


@pytest.fixture(scope="session")
def pull_user(cluster: "Cluster", applications: Mapping[str, Application]) -> Mapping[str, str]:
    """Who the nodes are to the registry, for each application: `user:password`, or empty when nobody."""

    def find(name: str) -> str:
        application = applications[name]
        for secret in application.pull_secrets:
            try:
                data = cluster.get(application.namespace, "secret", secret).get("data") or {}
            except AssertionError:
                continue  # kubelet, too, goes on without one that is not there
            config = json_object(_decoded(data.get(".dockerconfigjson", "")))
            own = config.get("auths", {}).get(HARBOR, {})
            user = _decoded(own.get("auth", "")) or f"{own.get('username', '')}:{own.get('password', '')}"
            if user.strip(":"):
                return user
        return ""

    return of_each(find, APPLICATIONS)


@pytest.fixture(scope="session")
def counted(f0_15: Host) -> Mapping[str, tuple[float, float]]:
    """The calls that the monitor has of each side: before some visitors came, and once it has counted them."""
    before = _counts(f0_15)
    ask_demo(f0_15, 5)
    after = dict(before)

    def all_have_grown() -> bool:
        after.update(_counts(f0_15))
        return all(after[name] > before[name] for name in APPLICATIONS)

    if any(before.values()):
        wait_until(all_have_grown, COUNTING_SECONDS)
    return {name: (before[name], after[name]) for name in APPLICATIONS}


@pytest.fixture(scope="session")
def monitor_page(f0_15: Host) -> tuple[str, str]:
    """The monitor's first page, wherever it leads: status and text."""
    said = f0_15.run(f"{CURL} -L -w %s %s", r"\n%{http_code}", "http://dubbo-monitor.frank.com/").stdout
    body, _, status = said.rpartition("\n")
    return status, body


def ask_demo(host: Host, times: int) -> Sequence[Answer]:
    """Ask demo.frank.com, one time after the other."""
    words = [f"visitor-{secrets.token_hex(3)}" for _ in range(times)]
    urls = [f"http://demo.frank.com/hello?name={word}" for word in words]
    return [Answer(*found, word) for found, word in zip(visit(host, urls, seconds=28), words, strict=False)]


def _counts(host: Host) -> dict[str, float]:
    def ask(name: str) -> float:
        query = f"query=sum({COUNTED[name]})"
        said = host.run(
            f"{CURL} -G --data-urlencode %s %s", query, "http://dubbo-monitor.frank.com/api/v1/query"
        ).stdout
        found = json_object(said).get("data", {}).get("result") or []
        return float(found[0]["value"][1]) if found else 0.0

    return dict(of_each(ask, APPLICATIONS))


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        return ""


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
