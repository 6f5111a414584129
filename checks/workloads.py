"""What pods run, and which pods belong to what, as the API has it."""

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]


def container_of(pod: Object, *programs: str) -> Object | None:
    """The container of a pod (or of a template of pods) whose image is named after one of these programs."""
    return next((one for one in pod["spec"]["containers"] if _is_named(one["image"], programs)), None)


def is_selected(pod: Object, workload: Object) -> bool:
    """Whether a pod is one of those that a Deployment or DaemonSet looks after."""
    selector, labels = workload["spec"]["selector"], pod["metadata"].get("labels", {})
    return (
        pod["metadata"]["namespace"] == workload["metadata"]["namespace"]
        and selector.get("matchLabels", {}).items() <= labels.items()
        and all(_holds(one, labels) for one in selector.get("matchExpressions", []))
    )


def _is_named(image: str, programs: tuple[str, ...]) -> bool:
    # The last part only: traefik/whoami is another program by the same people.
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
