"""Waiting, on conditions and with deadlines, until hosts and cluster are at the lab's starting state."""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from typing import Any

import requests

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.remote import Remote
from labs.engine.workspace import Workspace

_PROBES = "/api/v1/namespaces/kube-system/pods?labelSelector=app%3Dprobe"
PAUSE = 0.2  # seconds between two looks at a condition

# systemd calls a host "running" while a unit that failed waits for its restart: such a one is waited for as well.
# Asked again and again: `is-system-running --wait` itself was seen to wait for ever when asked during the boot.
BOOTED = """\
state() { systemctl is-system-running || true; }
boots() {
    case $(state) in
        degraded) false ;;
        running) systemctl list-units --state=activating --plain --no-legend | grep -q . ;;
    esac
}
end=$((SECONDS + 90))
while boots && [ $SECONDS -lt $end ]; do sleep 0.2; done
if boots; then echo starting; else state; fi
"""


class Api:
    """The API server as this machine reaches it: through a loopback port, as administrator."""

    def __init__(self, workspace: Workspace, port: int, nodes: Collection[str] = ()) -> None:
        self._nodes = set(nodes)
        self._url = f"https://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the user's has no business on loopback
        self._session.verify = str(workspace.root / "api/ca.pem")
        self._session.cert = (str(workspace.root / "api/admin.pem"), str(workspace.root / "api/admin-key.pem"))

    @classmethod
    def of(cls, workspace: Workspace, topology: Topology) -> "Api":
        """Return the API of the hosts that are up, or are coming up."""
        api = next(port for port in topology.published if port.name == "api")
        port = workspace.read_state()["ports"][api.host][api.name]
        return cls(workspace, port, {host.name for host in topology.all_with_role("node")})

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the objects of a collection; [] while the API server does not answer."""
        return self._ask(path) or []

    def _ask(self, path: str) -> list[dict[str, Any]] | None:
        """The objects of a collection; None while the API server does not answer."""
        try:
            answer = self._session.get(f"{self._url}{path}", timeout=3)
            return list(answer.json().get("items", [])) if answer.ok else None
        except (OSError, ValueError):  # all of requests' errors, a missing certificate, an answer that is no JSON
            return None

    def is_ready(self) -> bool:
        """Tell whether all nodes and their probe pods are ready, and pods can be made in the default namespace."""
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        return self.ready_nodes() == self._nodes == self.ready_probes() and bool(self.items(accounts))

    def ready_nodes(self) -> set[str]:
        """Return the names of the nodes whose condition Ready is true."""
        return {item["metadata"]["name"] for item in self.items("/api/v1/nodes") if _is_ready(item)}

    def ready_probes(self) -> set[str]:
        """Return the nodes whose probe pod is ready."""
        return {item["spec"]["nodeName"] for item in self.items(_PROBES) if _is_ready(item)}

    def ready_pods(self, node: str) -> dict[str, str]:
        """Return a node's ready pods, `namespace/name` → ids of their containers: others after a start of the node."""
        return {
            f"{item['metadata']['namespace']}/{item['metadata']['name']}": " ".join(
                one.get("containerID", "") for one in item["status"].get("containerStatuses", [])
            )
            for item in self.items(_pods_of(node))
            if _is_ready(item)
        }

    def endpoints_are_current(self, node: str) -> bool:
        """Tell whether Services send to no address on a node that no pod has any more, and to its ready pods again."""
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


def _pods_of(node: str) -> str:
    return f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}"


def _is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def wait_until(condition: Callable[[], bool], seconds: float, failed: Sequence[Future[Any]] = ()) -> bool:
    """Wait until `condition` holds; False when `seconds` are over. Errors of `failed` futures are raised at once."""
    deadline = time.monotonic() + seconds
    while not condition():
        for future in failed:
            if future.done():
                future.result()
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def require(ready: bool, workspace: Workspace, topology: Topology, remote: Remote) -> None:
    """Wait for the hosts' services; LabError, also kept as a log, about the cluster that is not `ready` in time."""
    if not ready:
        cluster = Api.of(workspace, topology)
        problem = cluster_problem(topology, cluster.ready_nodes() & cluster.ready_probes(), remote)
        workspace.logs.mkdir(exist_ok=True)
        (workspace.logs / "up.log").write_text(problem + "\n")
        raise LabError(problem, f"This is kept in {workspace.logs}/up.log. Start again: invoke lab.reset")
    wait_for_units(remote, topology.names)


def wait_for_units(remote: Remote, hosts: Sequence[str]) -> None:
    """Wait until systemd has started all it should on every host; LabError names the unit that failed, with its log."""
    for outcome in remote.run_everywhere(hosts, BOOTED, seconds=120):
        if "running" not in outcome.output:
            raise LabError(
                diagnosis(remote, outcome.host), f"invoke host.ssh {outcome.host}, or start again: invoke lab.reset"
            )


def diagnosis(remote: Remote, host: str) -> str:
    """Return which units of a host are in trouble, and the last lines they logged."""
    script = (
        "for unit in $(systemctl list-units --state=failed,activating --plain --no-legend | awk '{print $1}'); do "
        'echo "$unit is $(systemctl is-active "$unit" || true)"; '
        'sudo journalctl --unit "$unit" --lines 5 --no-pager --output cat || true; done'
    )
    try:
        said = remote.run(host, script, seconds=20).output.strip()
    except LabError as error:
        said = error.message
    return f"{host} did not come up:\n{said or 'no unit failed, but the host is not done booting'}"


def cluster_problem(topology: Topology, ready: set[str], remote: Remote) -> str:
    """Return a sentence about the nodes that did not become ready, with what their hosts say."""
    nodes = [host.name for host in topology.all_with_role("node")]
    late = [name for name in nodes if name not in ready] or nodes
    return "\n".join([f"Not ready in time: {', '.join(late)}.", *(diagnosis(remote, host) for host in late)])
