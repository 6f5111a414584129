"""The cluster by kubectl: a silent API is never the learner's failure."""

import pytest

from checks.cluster import Cluster, ClusterUnreachable
from tests.checks.conftest import Ssh

PODS = """echo '{"items": [{"kind": "Pod", "metadata": {"name": "probe-f0-13"}}]}'"""


def test_objects_are_listed(ssh: Ssh) -> None:
    (pod,) = Cluster(ssh(PODS)).list("pods")
    assert pod["metadata"]["name"] == "probe-f0-13"


def test_the_second_control_plane_host_is_asked_when_the_first_is_silent(ssh: Ssh) -> None:
    cluster = Cluster(ssh(f'[ "$host" != f0-13 ] || exit 255\n{PODS}'))
    assert len(cluster.list("pods")) == 1


@pytest.mark.parametrize(
    "script", ["exit 255", '[ "$line" = true ] || { echo "connection refused" >&2; exit 1; }'], ids=["hosts", "API"]
)
def test_a_silent_api_is_an_error(ssh: Ssh, script: str) -> None:
    with pytest.raises(ClusterUnreachable) as raised:
        Cluster(ssh(script)).list("pods")
    assert raised.value.code == "cluster-unreachable"


def test_a_command_in_a_pod_keeps_its_exit_status(ssh: Ssh) -> None:
    script = 'case "$line" in *exec*) echo "command terminated with exit code 3" >&2; exit 3;; esac'
    assert Cluster(ssh(script)).exec("f0-13", "ping", "x").rc == 3


def test_a_pod_that_runs_no_commands_is_an_error(ssh: Ssh) -> None:
    script = 'case "$line" in *exec*) echo "error: unable to upgrade connection" >&2; exit 1;; esac'
    with pytest.raises(ClusterUnreachable, match="unable to upgrade connection"):
        Cluster(ssh(script)).exec("f0-13", "ping", "x")
