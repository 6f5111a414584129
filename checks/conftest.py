"""Fixtures for the checks of all labs. They only read: no check changes a host, the cluster or the registry.

A check asserts what the learner should achieve. Any trouble that isn't the learner's raises a LabError instead.
Whatever talks to a host is in a fixture, because the grader evaluates all fixtures of a round side by side.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from testinfra.host import Host

from checks.cluster import Cluster
from checks.connection import Hosts
from checks.names import HOSTS, NODES, probe
from checks.parallel import parallel_map
from checks.workloads import Object, of_kind
from labs.engine.errors import LabError
from labs.engine.messages import _

KINDS = (
    *("namespaces", "deployments", "daemonsets", "pods", "services"),
    *("endpointslices", "ingresses", "ingressclasses"),
)


@pytest.fixture(scope="session")
def hosts(pytestconfig: pytest.Config) -> Hosts:
    """All hosts, by the ssh_config of the running lab."""
    ssh_config = Path(pytestconfig.getoption("ssh_config") or pytestconfig.rootpath / ".labs/ssh_config")
    if not ssh_config.exists():
        raise LabError("no-lab", _("There are no hosts."), _("Run `invoke lab.up ID` to create them."))
    return Hosts(ssh_config)


@pytest.fixture(scope="session")
def f0_11(hosts: Hosts) -> Host:
    """The primary name server and a proxy."""
    return hosts["f0-11"]


@pytest.fixture(scope="session")
def f0_12(hosts: Hosts) -> Host:
    """A member of etcd and a proxy."""
    return hosts["f0-12"]


@pytest.fixture(scope="session")
def f0_13(hosts: Hosts) -> Host:
    """A member of etcd, control plane and node."""
    return hosts["f0-13"]


@pytest.fixture(scope="session")
def f0_14(hosts: Hosts) -> Host:
    """A member of etcd, control plane and node."""
    return hosts["f0-14"]


@pytest.fixture(scope="session")
def f0_15(hosts: Hosts) -> Host:
    """Operations: the registry and the k8s-yaml site."""
    return hosts["f0-15"]


@pytest.fixture(scope="session")
def every_host(hosts: Hosts) -> None:
    """All hosts answer. From another host, a dead host looks like something that doesn't work."""
    parallel_map(hosts.__getitem__, HOSTS)


@pytest.fixture(scope="session")
def nodes(hosts: Hosts) -> Mapping[str, Host]:
    """The hosts that run pods."""
    return parallel_map(hosts.__getitem__, NODES)


@pytest.fixture(scope="session")
def cluster(hosts: Hosts) -> Cluster:
    """The cluster's API."""
    return Cluster(hosts)


@pytest.fixture(scope="session")
def objects(cluster: Cluster) -> Sequence[Object]:
    """The cluster's objects of all kinds that checks look at, as they were at one moment."""
    return cluster.list(*KINDS)


@pytest.fixture(scope="session")
def namespaces(objects: Sequence[Object]) -> Sequence[str]:
    """The names of all namespaces."""
    return [item["metadata"]["name"] for item in of_kind(objects, "Namespace")]


@pytest.fixture(scope="session")
def pods(objects: Sequence[Object]) -> Mapping[str, str]:
    """The IP addresses of the probe pods by the node they run on."""
    addresses = {
        (pod["metadata"]["namespace"], pod["metadata"]["name"]): pod["status"].get("podIP", "")
        for pod in of_kind(objects, "Pod")
    }
    probes = {node: addresses.get(("kube-system", probe(node)), "") for node in NODES}
    for node, address in probes.items():
        # The probe pods are the course's, so a missing one is no mistake of the learner's.
        if not address:
            raise LabError(
                "cluster-not-ready",
                _("The probe pod of {node} has no IP address.", node=node),
                _("Run `invoke lab.status` to see the state of the cluster."),
            )
    return probes
