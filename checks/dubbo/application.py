"""Provider and consumer as they are deployed, and the builds that made them."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from testinfra.host import Host

from checks.dubbo.registry import ANONYMOUS, CURL, Account, Image
from checks.http_answers import json_object
from checks.names import REGISTRY
from checks.workloads import Object, Workload, container_of
from labs.engine.messages import Message, _

PROVIDER, CONSUMER = "dubbo-demo-service", "dubbo-demo-consumer"
APPLICATIONS = (PROVIDER, CONSUMER)
BUILDS = "http://ci.frank.com/api/v2/builds?complete=true&results=0&order=-buildid&limit=200"
GIT = "printf %s | timeout 10 sudo -u www-data git --git-dir=/data/git/dubbo-demo.git cat-file --batch-check"


class Application(Workload):
    """A Deployment whose container runs an image with the application's name."""

    def __init__(self, name: str, objects: Iterable[Object]) -> None:
        super().__init__(objects, name)
        self.name = name

    @property
    def image(self) -> Image | None:
        """What the Deployment says its pods run."""
        return self._image(self.deployment["spec"]["template"]) if self.deployment else None

    @property
    def images(self) -> Mapping[str, Image]:
        """What each ready pod runs."""
        return {pod["metadata"]["name"]: image for pod in self.ready_pods if (image := self._image(pod))}

    @property
    def undeployed(self) -> Message | None:
        """Why no image from the lab's registry is deployed; None if one is."""
        if self.image is None:
            return _(
                "No Deployment runs an image named {name}. The check looked in all namespaces.",
                name=self.name,
            )
        if self.image.registry != REGISTRY:
            return _(
                "{name} uses the image {image}, which is not from {registry}.",
                name=self.name,
                image=self.image,
                registry=REGISTRY,
            )
        return None

    @property
    def pull_secrets(self) -> Sequence[tuple[str, str]]:
        """The Secrets of its ready pods (or else of the Deployment) for pulling images: namespace and name."""
        template = [self.deployment["spec"]["template"]] if self.deployment else []
        specs = [pod["spec"] for pod in self.ready_pods or template]
        names = {secret["name"] for spec in specs for secret in spec.get("imagePullSecrets", [])}
        return [(self.namespace, name) for name in sorted(names)]

    def _image(self, pod: Object) -> Image | None:
        container = container_of(pod, self.name)
        return Image(container["image"]) if container else None


@dataclass(frozen=True)
class Build:
    """A successful build: the image it made, and the commit it used."""

    number: int
    image: str
    commit: str


def read_builds(host: Host) -> Sequence[Build] | None:
    """Return the successful builds, the last one first; None if the CI server doesn't answer."""
    builds = json_object(host.run(f"{CURL} %s", f"{BUILDS}&property=image&property=commit").stdout).get("builds")
    if not isinstance(builds, list):
        return None
    properties = [(build["number"], build.get("properties") or {}) for build in builds]
    return [
        Build(number, str(values["image"][0]), str(values["commit"][0]))
        for number, values in properties
        if {"image", "commit"} <= values.keys()
    ]


def commits_in_git(host: Host, commits: Iterable[str]) -> set[str]:
    """Return those of these commits that the repository has."""
    commits = sorted(set(commits))
    # Each line of the answer is about a line of the question, so none may be missing.
    output = host.run(GIT, "".join(f"{commit}^{{commit}}\n" for commit in commits)).stdout.splitlines()
    return {commit for commit, line in zip(commits, output, strict=False) if line.split()[1:2] == ["commit"]}


def build_of(image: Image, builds: Sequence[Build] | None) -> Build | None:
    """Return the last successful build that made an image."""
    return next((build for build in builds or () if build.image == image.reference), None)


def pull_account(secrets: Mapping[tuple[str, str], Object], application: Application) -> Account:
    """Return the account with which nodes pull an application's image; the anonymous one if there is none.

    kubelet ignores Secrets that don't exist, and so does this.
    """
    for secret in application.pull_secrets:
        data = secrets.get(secret, {}).get("data") or {}
        entry = json_object(_decoded(data.get(".dockerconfigjson", ""))).get("auths", {}).get(REGISTRY, {})
        credentials = _decoded(entry.get("auth", "")) or f"{entry.get('username', '')}:{entry.get('password', '')}"
        if credentials.strip(":"):
            return Account.parse(credentials)
    return ANONYMOUS


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        return ""
