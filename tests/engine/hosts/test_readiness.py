"""Waiting for services and cluster, and the diagnosis: scripts run over SSH, with a systemd that a test chooses."""

from pathlib import Path

import pytest

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.kube_api import KubeApi
from labs.engine.hosts.readiness import cluster_problem, diagnosis, require, wait_for_units
from labs.engine.hosts.remote import Remote
from tests.engine.conftest import Program
from tests.engine.hosts.api_server import ApiServer, node
from tests.engine.hosts.ssh_server import SshServer

NODES = ["f0-13", "f0-14"]
RUNNING = "case $1 in is-system-running) echo running ;; esac"
FAILED = """\
case $1 in
    is-system-running) echo degraded; exit 1 ;;
    list-units) echo 'etcd.service loaded failed failed etcd' ;;
    is-active) echo failed; exit 3 ;;
esac"""
STILL_BOOTING = "f0-12 did not start:\nNo unit failed, but the host is still booting."
NO_SPACE = "did not start:\netcd.service is failed\nno space left"


@pytest.fixture
def failed(program: Program) -> None:
    """Hosts whose etcd has failed."""
    program("systemctl", FAILED)
    program("journalctl", "echo no space left")
    program("sudo", 'exec "$@"')


def test_waiting_ends_when_all_units_of_every_host_run(remote: Remote, ssh_server: SshServer, program: Program) -> None:
    program("systemctl", RUNNING)
    wait_for_units(remote, ["f0-11", "f0-12"])
    assert len(ssh_server.connections) == 2


def test_waiting_goes_on_while_a_host_boots_and_while_a_unit_restarts(
    remote: Remote, program: Program, tmp_path: Path
) -> None:
    program(
        "systemctl",
        f"""\
echo $1 >> {tmp_path}/calls
calls=$(grep -c $1 {tmp_path}/calls)
case $1 in
    is-system-running) [ $calls -gt 1 ] && echo running || echo starting ;;
    list-units) [ $calls -gt 1 ] || echo 'etcd.service loaded activating auto-restart etcd' ;;
esac""",
    )
    wait_for_units(remote, ["f0-12"])
    assert (tmp_path / "calls").read_text().split().count("list-units") > 1


@pytest.mark.usefixtures("failed")
def test_a_failed_unit_is_reported_with_its_log(remote: Remote) -> None:
    with pytest.raises(LabError) as raised:
        wait_for_units(remote, ["f0-12"])
    error = raised.value
    assert (error.code, str(error.message)) == ("host-not-ready", f"f0-12 {NO_SPACE}")
    assert str(error.hint) == "Look at the host: invoke host.ssh f0-12. Start afresh: invoke lab.reset"


def test_a_host_that_still_boots_is_reported(remote: Remote, program: Program) -> None:
    program("systemctl", RUNNING)
    assert str(diagnosis(remote, "f0-12")) == STILL_BOOTING


def test_a_host_that_is_not_reachable_is_reported(tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Host f0-*\n  HostName 127.0.0.1\n  Port 1\n")
    with Remote(config) as remote:
        message = str(diagnosis(remote, "f0-12"))
    assert message.startswith("f0-12 did not start:\nf0-12 is not reachable over SSH (")


@pytest.mark.usefixtures("failed")
def test_nodes_that_are_not_ready_are_named_with_their_diagnosis(remote: Remote) -> None:
    assert str(cluster_problem(NODES, {"f0-13"}, remote)) == f"Not ready in time: f0-14.\nf0-14 {NO_SPACE}"


@pytest.mark.usefixtures("failed")
def test_when_all_nodes_are_ready_but_the_cluster_is_not_all_are_diagnosed(remote: Remote) -> None:
    expected = f"Not ready in time: f0-13, f0-14.\nf0-13 {NO_SPACE}\nf0-14 {NO_SPACE}"
    assert str(cluster_problem(NODES, NODES, remote)) == expected


@pytest.mark.usefixtures("failed")
def test_a_cluster_that_is_not_ready_is_an_error_that_is_also_logged(
    api: KubeApi, api_server: ApiServer, remote: Remote, topology: Topology, tmp_path: Path
) -> None:
    nodes = "/api/v1/nodes"
    probes = "/api/v1/namespaces/kube-system/pods?labelSelector=app%3Dprobe"
    api_server.objects |= {nodes: [node("f0-13"), node("f0-14")], probes: [node("f0-14")]}
    with pytest.raises(LabError) as raised:
        require(False, api, remote, topology, tmp_path / "logs")
    log = tmp_path / "logs/up.log"
    assert raised.value.code == "cluster-not-ready"
    assert str(raised.value.message) == f"Not ready in time: f0-13.\nf0-13 {NO_SPACE}"
    assert str(raised.value.hint) == f"{log} has this text. Start afresh: invoke lab.reset"
    assert log.read_text() == f"{raised.value.message}\n"


def test_once_the_cluster_is_ready_the_units_of_all_hosts_are_waited_for(
    api: KubeApi, remote: Remote, ssh_server: SshServer, topology: Topology, program: Program, tmp_path: Path
) -> None:
    program("systemctl", RUNNING)
    require(True, api, remote, topology, tmp_path / "logs")
    assert len(ssh_server.connections) == len(topology.names)
    assert not (tmp_path / "logs").exists()
