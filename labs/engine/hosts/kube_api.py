"""The Kubernetes API as this machine reaches it: what it says of nodes, pods and endpoints."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

Item = dict[str, Any]

_PROBES = "/api/v1/namespaces/kube-system/pods?labelSelector=app%3Dprobe"
# Reasons of a waiting container that starting the hosts did not cause, and that waiting does not mend.
_FAILING = (
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
)
# A pod that ran before its node stopped may crash until what it depends on is back: kubelet tries again
# 10 s after the first crash and 20 s after the second.
_RECOVERY = timedelta(seconds=45)
# A pod that was not Ready before its node stopped gets this long to pass its readiness probe after all.
_PROBING = timedelta(seconds=10)


class KubeApi:
    """A client of the API server with the administrator's permissions, through a port on loopback.

    An API server that doesn't answer has no objects and no Ready nodes; nothing here raises.

    Args:
        port: the API server's port on loopback
        credentials: folder with ca.pem, admin.pem and admin-key.pem
        nodes: names of the nodes that the cluster should have
    """

    def __init__(self, port: int, credentials: Path, nodes: Collection[str] = ()) -> None:
        self.nodes = frozenset(nodes)
        self._url = f"https://127.0.0.1:{port}"
        self._credentials = credentials

    @cached_property
    def _session(self) -> "requests.Session":
        import requests  # takes 0.1 s: only for those that ask the API

        session = requests.Session()
        session.trust_env = False  # the user's proxy must not get requests for loopback
        session.verify = str(self._credentials / "ca.pem")
        session.cert = (str(self._credentials / "admin.pem"), str(self._credentials / "admin-key.pem"))
        return session

    def items(self, path: str) -> list[Item]:
        """Return the objects of a collection, such as `/api/v1/nodes`; [] while the API server doesn't answer."""
        return self._ask(path) or []

    def _ask(self, path: str) -> list[Item] | None:
        """Return the objects of a collection; None while the API server doesn't answer."""
        try:
            response = self._session.get(f"{self._url}{path}", timeout=3)
            return list(response.json().get("items", [])) if response.ok else None
        except (OSError, ValueError):  # all of requests' errors, a missing certificate, a response that isn't JSON
            return None

    def is_ready(self) -> bool:
        """Tell whether all nodes and their probe pods are Ready, and the default namespace accepts pods."""
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        return self.ready_nodes() == self.nodes == self.ready_probes() and bool(self.items(accounts))

    def ready_nodes(self) -> set[str]:
        """Return the names of the nodes whose condition Ready is true."""
        return {item["metadata"]["name"] for item in self.items("/api/v1/nodes") if _is_ready(item)}

    def ready_probes(self) -> set[str]:
        """Return the names of the nodes whose probe pod is Ready."""
        return {item["spec"]["nodeName"] for item in self.items(_PROBES) if _is_ready(item)}

    def ready_pods(self, node: str) -> dict[str, str]:
        """Return a node's Ready pods, `namespace/name` → ids of their containers, which change when the node starts."""
        return {
            f"{item['metadata']['namespace']}/{item['metadata']['name']}": " ".join(
                container.get("containerID", "") for container in item["status"].get("containerStatuses", [])
            )
            for item in self.items(_pods_of(node))
            if _is_ready(item)
        }

    def endpoints_are_current(self, node: str) -> bool:
        """Tell whether Services route to all Ready pods of a node, and to no address that no pod has any more."""
        slices, pods = self._ask("/apis/discovery.k8s.io/v1/endpointslices"), self._ask(_pods_of(node))
        if slices is None or pods is None:
            return False
        ready = {item["status"].get("podIP", ""): _is_ready(item) for item in pods}
        known = [
            (address, endpoint.get("conditions", {}).get("ready", True))
            for item in slices
            for endpoint in item.get("endpoints") or []
            if endpoint.get("nodeName") == node
            for address in endpoint["addresses"]
        ]
        return all(address in ready and (serves or not ready[address]) for address, serves in known)

    def pods_are_renewed(self, since: datetime, nodes: Collection[str] | None = None) -> bool:
        """Tell whether every pod that can be back is back, after its node was stopped and started again.

        What the API says of a pod is old news until kubelet has started its containers again. A pod is back when it is
        Ready in containers newer than `since`. There is no waiting for pods that have finished, are being deleted,
        were not Ready before either, or keep failing for reasons of their own.

        Args:
            since: a moment at which the nodes were stopped, by their own clocks; with a time zone
            nodes: the nodes that were stopped, by default all
        """
        pods, since, now = self._ask("/api/v1/pods"), since.replace(microsecond=0), datetime.now(UTC)
        stopped = self.nodes if nodes is None else nodes
        return pods is not None and all(
            _is_back(pod, since, now) for pod in pods if pod["spec"].get("nodeName") in stopped
        )


def _pods_of(node: str) -> str:
    return f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}"


def _condition(item: Item) -> Item:
    """Return the condition Ready of a node or pod, {} when it has none."""
    conditions = item.get("status", {}).get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == "Ready"), {})


def _is_ready(item: Item) -> bool:
    return bool(_condition(item).get("status") == "True")


def _is_back(pod: Item, since: datetime, now: datetime) -> bool:
    status, ready = pod["status"], _condition(pod)
    if status.get("phase") in ("Succeeded", "Failed") or pod["metadata"].get("deletionTimestamp"):
        return True
    containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    states = [container.get("state", {}) for container in containers]
    started = [_moment(state["running"]["startedAt"]) for state in states if "running" in state]
    if not ready or any(moment < since for moment in started):
        return False  # kubelet has not reported since
    if _is_ready(pod):
        return True
    failing = any(state.get("waiting", {}).get("reason") in _FAILING for state in states)
    if _moment(ready["lastTransitionTime"]) >= since:  # it was Ready before, or is new
        return failing and now >= since + _RECOVERY
    never_ran = not any(
        container.get("lastState") or container.get("state", {}).keys() & {"running", "terminated"}
        for container in status.get("containerStatuses", [])
    )
    return failing or never_ran or (bool(started) and now >= max(started) + _PROBING)


def _moment(text: str) -> datetime:
    """Return a time of the Kubernetes API, which has whole seconds."""
    return datetime.fromisoformat(text)
