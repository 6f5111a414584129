"""What a real client makes of an API server's objects, over TLS on loopback."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from labs.engine.hosts.kube_api import KubeApi
from tests.engine.hosts.api_server import ApiServer, Item, node

NODES = "/api/v1/nodes"
PROBES = "/api/v1/namespaces/kube-system/pods?labelSelector=app%3Dprobe"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
ALL_PODS, PODS = "/api/v1/pods", "/api/v1/pods?fieldSelector=spec.nodeName%3Df0-14"

# The hosts were stopped at STOPPED: long ago, so that no pod still gets time to recover.
BEFORE, STOPPED, AFTER = "2026-01-01T09:00:00Z", datetime(2026, 1, 1, 10, tzinfo=UTC), "2026-01-01T10:00:10Z"


def test_the_administrator_sees_ready_nodes(api: KubeApi, api_server: ApiServer) -> None:
    api_server.objects[NODES] = [node("f0-13"), node("f0-14", "Unknown"), {"metadata": {"name": "f0-15"}}]
    assert api.ready_nodes() == {"f0-13"}


def test_ready_probes_are_named_by_their_node(api: KubeApi, api_server: ApiServer) -> None:
    api_server.objects[PROBES] = [node("f0-13", "False"), node("f0-14")]
    assert api.ready_probes() == {"f0-14"}


def test_ready_pods_of_a_node_have_the_ids_of_their_containers(api: KubeApi, api_server: ApiServer) -> None:
    names = {"namespace": "kube-system", "name": "probe"}
    containers = [{"containerID": "containerd://a"}, {"containerID": "containerd://b"}]
    probe = node("f0-14")
    probe["metadata"], probe["status"]["containerStatuses"] = names, containers
    api_server.objects[PODS] = [probe, node("f0-14", "False")]
    assert api.ready_pods("f0-14") == {"kube-system/probe": "containerd://a containerd://b"}


def pod_at(address: str, *, is_ready: bool = True) -> Item:
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
    ids=["serves", "serves explicitly", "not yet", "no such pod", "never was ready", "on another node"],
)
def test_endpoints_are_current_when_they_are_the_ready_pods(
    api: KubeApi, api_server: ApiServer, endpoint: Item, current: bool
) -> None:
    api_server.objects |= {
        SLICES: [{"endpoints": [endpoint]}, {"endpoints": None}],
        PODS: [pod_at("172.7.14.9"), pod_at("172.7.14.5", is_ready=False), {"status": {}}],
    }
    assert api.endpoints_are_current("f0-14") is current


@pytest.mark.parametrize("silent", [SLICES, PODS])
def test_endpoints_are_not_current_without_a_valid_response(api: KubeApi, api_server: ApiServer, silent: str) -> None:
    api_server.objects |= {SLICES: [], PODS: [], silent: b"<html>a proxy</html>"}
    assert not api.endpoints_are_current("f0-14")


def test_a_cluster_is_ready_when_nodes_probes_and_accounts_are(api: KubeApi, api_server: ApiServer) -> None:
    both = [node("f0-13"), node("f0-14")]
    api_server.objects |= {NODES: both, PROBES: both, ACCOUNTS: [{"metadata": {"name": "default"}}]}
    assert api.is_ready()


@pytest.mark.parametrize("missing", [NODES, PROBES, ACCOUNTS])
def test_a_cluster_is_not_ready_before_all_of_them_are(api: KubeApi, api_server: ApiServer, missing: str) -> None:
    both = [node("f0-13"), node("f0-14")]
    api_server.objects |= {NODES: both, PROBES: both, ACCOUNTS: both, missing: []}
    assert not api.is_ready()


@pytest.mark.parametrize("body", [b"", b"<html>a proxy</html>"])
def test_an_invalid_response_has_no_items(api: KubeApi, api_server: ApiServer, body: bytes) -> None:
    api_server.objects[NODES] = body
    assert api.items(NODES) == []


@pytest.mark.usefixtures("api_server")
def test_an_error_of_the_api_server_has_no_items(api: KubeApi) -> None:
    assert api.items("/api/v1/unknown") == []


def test_an_api_server_that_does_not_listen_has_no_items(api_server: ApiServer) -> None:
    assert KubeApi(1, api_server.credentials).items(NODES) == []


def test_without_credentials_there_are_no_items(api_server: ApiServer, tmp_path: Path) -> None:
    api_server.objects[NODES] = [node("f0-13")]
    assert KubeApi(api_server.port, tmp_path).items(NODES) == []


# ------------------------------------------------------------------------------------------------ pods after a stop


def pod(*containers: Item, ready: str = "True", changed: str = AFTER, **status: Any) -> Item:
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": changed}]
    return {
        "metadata": {"namespace": "app", "name": "web"},
        "spec": {"nodeName": "f0-13"},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": list(containers), **status},
    }


def running(started: str = AFTER) -> Item:
    return {"state": {"running": {"startedAt": started}}, "lastState": {"terminated": {"exitCode": 255}}}


def waiting(reason: str, **last: Any) -> Item:
    return {"state": {"waiting": {"reason": reason}}, "lastState": last}


CRASHED = {"terminated": {"exitCode": 1, "finishedAt": AFTER}}
STARTING = pod(waiting("ContainerCreating", **CRASHED), ready="False")
CRASHING = pod(waiting("CrashLoopBackOff", **CRASHED), ready="False")
DELETED = {**pod(running(BEFORE)), "metadata": {"name": "web", "deletionTimestamp": BEFORE}}


@pytest.mark.parametrize(
    "back",
    [
        pod(running()),
        pod(running(), running()),
        pod(running(), initContainerStatuses=[{"state": {"terminated": {"exitCode": 0}}}]),
        pod(running("2026-01-01T10:00:00Z")),
        pod({"state": {"terminated": {"exitCode": 0}}}, ready="False", changed=BEFORE, phase="Succeeded"),
        pod({"state": {"terminated": {"exitCode": 1}}}, ready="False", changed=BEFORE, phase="Failed"),
        DELETED,
        CRASHING,
        pod(running(), waiting("ImagePullBackOff"), ready="False"),
        pod(waiting("ErrImagePull"), ready="False", changed=BEFORE),
        pod(waiting("CreateContainerConfigError"), ready="False", changed=BEFORE),
        pod(waiting("ContainerCreating"), ready="False", changed=BEFORE),
        pod(ready="False", changed=BEFORE, phase="Pending"),
        pod(running(), ready="False", changed=BEFORE),
        {**pod(running(BEFORE)), "spec": {"nodeName": "f0-12"}},
        {**pod(ready="False", phase="Pending"), "spec": {}},
    ],
    ids=[
        "Ready again",
        "all containers are new",
        "init containers have finished",
        "started within the second of the stop",
        "succeeded",
        "failed for good",
        "being deleted",
        "crashes",
        "its image is not available",
        "its image never was available",
        "its configuration is missing",
        "its volume never was there",
        "never was started",
        "was not Ready before either",
        "on a node that was not stopped",
        "not scheduled",
    ],
)
def test_pods_are_renewed_when_each_is_back_or_fails_by_itself(api: KubeApi, api_server: ApiServer, back: Item) -> None:
    api_server.objects[ALL_PODS] = [pod(running()), back]
    assert api.pods_are_renewed(STOPPED)


@pytest.mark.parametrize(
    "old",
    [
        pod(running(BEFORE), changed=BEFORE),
        pod(running(), running(BEFORE)),
        pod(running(), initContainerStatuses=[running(BEFORE)]),
        pod(running(BEFORE), ready="False", changed=BEFORE),
        STARTING,
        pod({"state": {"terminated": {"exitCode": 255}}}, ready="False"),
        pod({"state": {"terminated": {"exitCode": 255}}}, ready="False", changed=BEFORE),
        pod(running(), ready="False"),
        {**pod(), "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]}},
        {**pod(), "status": {}},
    ],
    ids=[
        "Ready from before the stop",
        "one container from before the stop",
        "a sidecar from before the stop",
        "not Ready from before the stop",
        "starts",
        "about to start",
        "about to start, not Ready before",
        "not Ready yet",
        "not seen by kubelet",
        "without status",
    ],
)
def test_pods_are_not_renewed_before_all_of_them_are_back(api: KubeApi, api_server: ApiServer, old: Item) -> None:
    api_server.objects[ALL_PODS] = [pod(running()), old]
    assert not api.pods_are_renewed(STOPPED)


def test_a_pod_that_crashes_right_after_the_start_gets_time_to_recover(api: KubeApi, api_server: ApiServer) -> None:
    now = datetime.now(UTC)
    crashing = pod(waiting("CrashLoopBackOff", **CRASHED), ready="False", changed=now.isoformat())
    api_server.objects[ALL_PODS] = [crashing]
    assert not api.pods_are_renewed(now)


def test_a_pod_that_was_not_ready_gets_time_to_pass_its_probe(api: KubeApi, api_server: ApiServer) -> None:
    now = datetime.now(UTC)
    api_server.objects[ALL_PODS] = [pod(running(now.isoformat()), ready="False", changed=BEFORE)]
    assert not api.pods_are_renewed(now)


def test_only_pods_of_the_stopped_nodes_have_to_be_renewed(api: KubeApi, api_server: ApiServer) -> None:
    api_server.objects[ALL_PODS] = [pod(running(BEFORE), changed=BEFORE)]
    assert api.pods_are_renewed(STOPPED, ["f0-14"])
    assert not api.pods_are_renewed(STOPPED, ["f0-13"])


def test_pods_are_not_renewed_while_the_api_server_does_not_respond(api_server: ApiServer) -> None:
    assert not KubeApi(1, api_server.credentials, ["f0-13"]).pods_are_renewed(STOPPED)


def test_a_cluster_without_pods_has_none_to_renew(api: KubeApi, api_server: ApiServer) -> None:
    api_server.objects[ALL_PODS] = []
    assert api.pods_are_renewed(STOPPED)
