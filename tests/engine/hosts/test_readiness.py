"""Waiting: on conditions, with deadlines, and what is said when they pass."""

import json
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.pki import Authority, CertificateSpec
from labs.engine.hosts.readiness import Api, cluster_problem, diagnosis, wait_for_units, wait_until
from labs.engine.hosts.remote import Outcome
from labs.engine.workspace import Workspace
from tests.engine.fakes import FakeRemote

NODES = "/api/v1/nodes"
PROBES = "/api/v1/namespaces/kube-system/pods?labelSelector=app%3Dprobe"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


def spec(cn: str, usage: str, *addresses: str) -> CertificateSpec:
    return CertificateSpec.model_validate(
        {"role": "", "authority": "ca", "path": "", "cn": cn, "addresses": list(addresses), "usage": [usage]}
    )


def ready(name: str, status: str = "True") -> dict[str, Any]:
    conditions = [{"type": "Other", "status": "True"}, {"type": "Ready", "status": status}]
    return {
        "metadata": {"name": name},
        "spec": {"nodeName": name},
        "status": {"conditions": conditions, "containerStatuses": [{"containerID": f"containerd://{name}"}]},
    }


class Cluster:
    """What the API server of these tests answers, by path; bytes are sent as they are."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]] | bytes] = {}
        self.port = 0


@pytest.fixture
def cluster(workspace: Workspace) -> Iterator[Cluster]:
    """An API server on loopback, which lets nobody in but the administrator."""
    ca, found = Authority("a CA"), Cluster()
    server, admin = ca.issue(spec("kube-apiserver", "server", "127.0.0.1")), ca.issue(spec("admin", "client"))
    folder = workspace.root / "api"
    folder.mkdir(parents=True)
    (folder / "ca.pem").write_bytes(ca.pair.certificate)
    (folder / "admin.pem").write_bytes(admin.certificate)
    (folder / "admin-key.pem").write_bytes(admin.key)
    (folder / "server.pem").write_bytes(server.certificate + server.key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = found.answers.get(self.path)
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps({"items": answer}).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    found.port = listening.server_port
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    listening.shutdown()
    listening.server_close()


def pod(name: str, item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "metadata": {"namespace": "kube-system", "name": name}}


@pytest.fixture
def api(workspace: Workspace, cluster: Cluster) -> Api:
    return Api(workspace, cluster.port, ["f0-13", "f0-14"])


def test_waiting_ends_when_the_condition_holds() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), 60)


def test_waiting_ends_at_the_deadline() -> None:
    assert not wait_until(lambda: False, 0)


def test_what_fails_meanwhile_is_raised_at_once() -> None:
    failed: Future[None] = Future()
    failed.set_exception(LabError("Vagrant could not up the hosts."))
    with pytest.raises(LabError, match="Vagrant could not up the hosts"):
        wait_until(lambda: False, 60, failed=[failed])


def test_what_ends_well_meanwhile_ends_no_waiting() -> None:
    done: Future[None] = Future()
    done.set_result(None)
    assert not wait_until(lambda: False, 0, failed=[done])


def test_the_administrator_is_let_in_and_sees_ready_nodes(api: Api, cluster: Cluster) -> None:
    cluster.answers[NODES] = [ready("f0-13"), ready("f0-14", "Unknown"), {"metadata": {"name": "f0-15"}}]
    assert api.ready_nodes() == {"f0-13"}


def test_probes_are_told_by_their_node(api: Api, cluster: Cluster) -> None:
    cluster.answers[PROBES] = [ready("f0-13", "False"), ready("f0-14")]
    assert api.ready_probes() == {"f0-14"}


def test_ready_pods_of_a_node_are_told_with_their_containers(api: Api, cluster: Cluster) -> None:
    waiting = ready("f0-14", "False")
    cluster.answers["/api/v1/pods?fieldSelector=spec.nodeName%3Df0-14"] = [
        pod("probe", ready("f0-14")),
        pod("late", waiting),
    ]
    assert api.ready_pods("f0-14") == {"kube-system/probe": "containerd://f0-14"}


SLICES, PODS = "/apis/discovery.k8s.io/v1/endpointslices", "/api/v1/pods?fieldSelector=spec.nodeName%3Df0-14"


def pod_at(address: str, *, is_ready: bool = True) -> dict[str, Any]:
    return {"status": {"podIP": address, "conditions": [{"type": "Ready", "status": str(is_ready)}]}}


@pytest.mark.parametrize(
    ("endpoint", "current"),
    [
        ({"addresses": ["172.7.14.9"], "nodeName": "f0-14"}, True),
        ({"addresses": ["172.7.14.9"], "nodeName": "f0-14", "conditions": {"ready": True}}, True),
        ({"addresses": ["172.7.14.9"], "nodeName": "f0-14", "conditions": {"ready": False}}, False),
        ({"addresses": ["172.7.14.3"], "nodeName": "f0-14"}, False),
        ({"addresses": ["172.7.14.5"], "nodeName": "f0-14", "conditions": {"ready": False}}, True),
        ({"addresses": ["172.7.13.3"], "nodeName": "f0-13"}, True),
    ],
    ids=["serves", "serves and says so", "not yet", "nobody is there", "never was ready", "on another node"],
)
def test_endpoints_are_current_when_they_are_the_ready_pods(
    api: Api, cluster: Cluster, endpoint: dict[str, Any], current: bool
) -> None:
    cluster.answers |= {
        SLICES: [{"endpoints": [endpoint]}, {"endpoints": None}],
        PODS: [pod_at("172.7.14.9"), pod_at("172.7.14.5", is_ready=False), {"status": {}}],
    }
    assert api.endpoints_are_current("f0-14") is current


@pytest.mark.parametrize("silent", [SLICES, PODS])
def test_endpoints_that_nobody_tells_of_are_not_current(api: Api, cluster: Cluster, silent: str) -> None:
    cluster.answers |= {SLICES: [], PODS: [], silent: b"<html>a proxy</html>"}
    assert not api.endpoints_are_current("f0-14")


def test_a_cluster_is_ready_when_nodes_probes_and_accounts_are(api: Api, cluster: Cluster) -> None:
    both = [ready("f0-13"), ready("f0-14")]
    cluster.answers |= {NODES: both, PROBES: both, ACCOUNTS: [{"metadata": {"name": "default"}}]}
    assert api.is_ready()


@pytest.mark.parametrize("lacking", [NODES, PROBES, ACCOUNTS])
def test_a_cluster_is_not_ready_before_all_of_them_are(api: Api, cluster: Cluster, lacking: str) -> None:
    both = [ready("f0-13"), ready("f0-14")]
    cluster.answers |= {NODES: both, PROBES: both, ACCOUNTS: both, lacking: both[:0]}
    assert not api.is_ready()


@pytest.mark.parametrize("answer", [b"", b"<html>a proxy</html>"])
def test_an_answer_that_is_none_has_no_items(api: Api, cluster: Cluster, answer: bytes) -> None:
    cluster.answers[NODES] = answer
    assert api.items(NODES) == []


@pytest.mark.usefixtures("cluster")
def test_a_refusal_has_no_items(api: Api) -> None:
    assert api.items("/api/v1/nobody") == []


def test_an_api_server_that_is_not_there_has_no_items(workspace: Workspace, cluster: Cluster) -> None:
    assert Api(workspace, 1).items(NODES) == []
    assert cluster.answers == {}


def test_an_administrator_without_certificates_sees_nothing(workspace: Workspace) -> None:
    assert Api(workspace, 1).items(NODES) == []


def test_units_are_waited_for_on_every_host() -> None:
    remote = FakeRemote()
    wait_for_units(remote, ["f0-11", "f0-12"])  # type: ignore[arg-type]
    assert [host for host, _ in remote.ran] == ["f0-11", "f0-12"]


def test_a_host_that_did_not_come_up_is_told_with_its_unit_and_log() -> None:
    class Degraded(FakeRemote):
        def run(self, host: str, script: str, seconds: float = 300) -> Outcome:
            waiting = "is-system-running" in script
            return Outcome(host, 0, "degraded\n" if waiting else "etcd.service is failed\nno space left\n")

    with pytest.raises(LabError) as raised:
        wait_for_units(Degraded(), ["f0-12"])  # type: ignore[arg-type]
    assert raised.value.message == "f0-12 did not come up:\netcd.service is failed\nno space left"
    assert raised.value.hint == "invoke host.ssh f0-12, or start again: invoke lab.reset"


def test_a_host_that_still_boots_is_told() -> None:
    class Silent(FakeRemote):
        def run(self, host: str, script: str, seconds: float = 300) -> Outcome:
            return Outcome(host, 0, "\n")

    said = diagnosis(Silent(), "f0-12")  # type: ignore[arg-type]
    assert said == "f0-12 did not come up:\nno unit failed, but the host is not done booting"


def test_a_host_that_does_not_even_answer_is_told() -> None:
    class Dead(FakeRemote):
        def run(self, host: str, script: str, seconds: float = 300) -> Outcome:
            raise LabError(f"{host} does not answer over SSH (timed out).")

    said = diagnosis(Dead(), "f0-12")  # type: ignore[arg-type]
    assert said == "f0-12 did not come up:\nf0-12 does not answer over SSH (timed out)."


def test_nodes_that_are_late_are_named_with_what_their_hosts_say(topology: Topology) -> None:
    remote = FakeRemote()
    said = cluster_problem(topology, {"f0-13"}, remote)  # type: ignore[arg-type]
    assert said == "Not ready in time: f0-14.\nf0-14 did not come up:\nrunning"


def test_when_nodes_are_ready_but_the_cluster_is_not_all_are_looked_at(topology: Topology) -> None:
    said = cluster_problem(topology, {"f0-13", "f0-14"}, FakeRemote())  # type: ignore[arg-type]
    assert said.startswith("Not ready in time: f0-13, f0-14.\n")
