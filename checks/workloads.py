"""Workloads and their pods, from the objects of the API: found by what they do, whatever they are called."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from checks.names import REGISTRY
from labs.engine.messages import Message, _, listing

Object = Mapping[str, Any]


class Workload:
    """The Deployment that does something: a Service leads to it, or its pods run an image named after a program.

    Args:
        objects: Deployments and Pods, among others
        programs: what the image of its container may be named after
        services: the Services by which the workload is reached
    """

    def __init__(self, objects: Iterable[Object], *programs: str, services: Iterable[Object] = ()) -> None:
        self._objects = list(objects)
        self.programs = programs
        self._services = list(services)

    @cached_property
    def deployment(self) -> Object | None:
        """The Deployment that a Service leads to, best if it runs a program as well; else one that runs a program."""
        deployments = of_kind(self._objects, "Deployment")
        reached = [item for item in deployments if any(_leads_to(service, item) for service in self._services)]
        named = [item for item in deployments if container_of(item["spec"]["template"], *self.programs)]
        candidates = [*(item for item in reached if item in named), *reached, *named]
        return next(iter(candidates), None)

    @cached_property
    def pods(self) -> Sequence[Object]:
        """The Deployment's pods that aren't being deleted."""
        deployment = self.deployment
        return [pod for pod in remaining_pods(self._objects) if deployment and is_selected(pod, deployment)]

    @property
    def ready_pods(self) -> Sequence[Object]:
        """Those of its pods that are ready."""
        return [pod for pod in self.pods if is_ready(pod)]

    @property
    def namespace(self) -> str:
        """The Deployment's namespace; "default" without a Deployment."""
        return str(self.deployment["metadata"]["namespace"]) if self.deployment else "default"

    @property
    def account(self) -> str:
        """The user as which its pods ask the API; empty without a Deployment."""
        return account_of(self.deployment["spec"]["template"], self.namespace) if self.deployment else ""

    @property
    def unavailable(self) -> Message | None:
        """Why the Deployment isn't available; None if it is."""
        if self.deployment is None:
            return self.absence
        name, wanted = self.deployment["metadata"]["name"], self.deployment["spec"].get("replicas", 1)
        ready = self.deployment["status"].get("readyReplicas", 0)
        if not wanted:
            return _("The Deployment {name} has no pods because it says `replicas: 0`.", name=name)
        if ready != wanted:
            return _(
                "{ready} of the {wanted} pods of the Deployment {name} are ready.",
                ready=ready,
                wanted=wanted,
                name=name,
            )
        return None

    @property
    def absence(self) -> Message:
        """The sentence for a workload that doesn't exist."""
        return _(
            "No Deployment runs {program}. The check looked in all namespaces, at the Services that should lead to it "
            "and at the names of images.",
            program=listing(self.programs),
        )


def of_kind(objects: Iterable[Object], kind: str) -> list[Object]:
    """Return the objects of one kind."""
    return [item for item in objects if item["kind"] == kind]


def remaining_pods(objects: Iterable[Object]) -> list[Object]:
    """Return the pods that aren't being deleted."""
    return [pod for pod in of_kind(objects, "Pod") if "deletionTimestamp" not in pod["metadata"]]


def container_of(pod: Object, *programs: str) -> Object | None:
    """Return the container of a pod (or pod template) whose image is named after one of these programs."""
    return next((container for container in pod["spec"]["containers"] if _is_named(container["image"], programs)), None)


def account_of(pod: Object, namespace: str) -> str:
    """Return the user as which a pod (or the pods of a template) asks the API."""
    return f"system:serviceaccount:{namespace}:{pod['spec'].get('serviceAccountName', 'default')}"


def is_ready(pod: Object) -> bool:
    """Whether a pod is ready."""
    conditions = pod["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def are_containers_ready(pod: Object) -> bool:
    """Whether every container of a pod has started and is ready."""
    states = pod["status"].get("containerStatuses", [])
    return bool(states) and all(state["ready"] for state in states)


def is_selected(pod: Object, workload: Object) -> bool:
    """Whether a Deployment or DaemonSet selects a pod."""
    selector, labels = workload["spec"]["selector"], pod["metadata"].get("labels", {})
    return (
        pod["metadata"]["namespace"] == workload["metadata"]["namespace"]
        and selector.get("matchLabels", {}).items() <= labels.items()
        and all(_holds(expression, labels) for expression in selector.get("matchExpressions", []))
    )


def waiting_reason(pod: Object) -> Message:
    """Return why the containers of a pod wait, as kubelet says it."""
    states = pod["status"].get("containerStatuses", [])
    reasons = [state.get("state", {}).get("waiting", {}).get("reason", "") for state in states]
    return listing(filter(None, reasons), none=_("no reason given"))


def wrong_images(pods: Iterable[Object], *programs: str) -> list[Message]:
    """Return a sentence for each pod whose image doesn't come from the lab's registry: by name, or in fact."""
    return [problem for pod in pods if (problem := _wrong_image(pod, programs))]


def _wrong_image(pod: Object, programs: Sequence[str]) -> Message | None:
    # Under another name, the image of a pod's only container must be the program's.
    container = container_of(pod, *programs) or pod["spec"]["containers"][0]
    name, image = pod["metadata"]["name"], container["image"]
    if not image.startswith(f"{REGISTRY}/"):
        return _(
            "The pod {name} uses the image {image}, which is not from {registry}.",
            name=name,
            image=image,
            registry=REGISTRY,
        )
    states = pod["status"].get("containerStatuses", [])
    if not any(state.get("imageID", "").startswith(f"{REGISTRY}/") for state in states):
        return _(
            "The node of the pod {name} has not pulled {image} from {registry}: {reason}.",
            name=name,
            image=image,
            registry=REGISTRY,
            reason=waiting_reason(pod),
        )
    return None


def _leads_to(service: Object, deployment: Object) -> bool:
    selector = service["spec"].get("selector") or {}
    labels = deployment["spec"]["template"]["metadata"].get("labels", {})
    is_near = service["metadata"]["namespace"] == deployment["metadata"]["namespace"]
    return bool(selector) and is_near and selector.items() <= labels.items()


def _is_named(image: str, programs: Sequence[str]) -> bool:
    # The last part only: traefik/whoami is another program of the same publisher.
    name = image.rpartition("/")[2]
    return any(program in name for program in programs)


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]
