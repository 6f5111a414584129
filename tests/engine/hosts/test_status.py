"""The status is complete whatever state the hosts are in."""

import pytest

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts import status
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.remote import Outcome
from labs.engine.hosts.status import HostStatus, Status, look
from labs.engine.workspace import Workspace
from tests.engine.fakes import FakeContainer, FakeDocker, FakeList, FakeRemote

PORTS = {"f0-13": {"ssh": 42202, "api": 1}, "f0-14": {"ssh": 42203}}
STATE = {"lab": "flannel", "phase": "ready", "ports": PORTS}


class Sick(FakeRemote):
    """Hosts of which one is well, one has failed units and one does not answer."""

    def run(self, host: str, script: str, seconds: float = 300) -> Outcome:
        if host == "f0-13":
            raise LabError("f0-13 does not answer over SSH (timed out).")
        output = "degraded\nkubelet.service\netcd.service\n" if host == "f0-12" else "running\n"
        return Outcome(host, 0, output)


def engine(**states: str) -> Engine:
    containers = [FakeContainer(f"f0labs-course.{name.replace('_', '-')}", state) for name, state in states.items()]
    return Engine(FakeDocker(containers=FakeList(containers)), "f0labs-course")


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "Remote", lambda _: Sick())


def by_name(found: Status) -> dict[str, HostStatus]:
    return {host.name: host for host in found.hosts}


def test_nothing_up_is_a_status_too(workspace: Workspace, topology: Topology) -> None:
    found = look(workspace, engine(), topology)
    assert (found.lab, found.phase, found.nodes) == (None, "down", None)
    assert [(host.name, host.state) for host in found.hosts] == [(name, "absent") for name in topology.names]
    assert {host.services for host in found.hosts} == {"not asked: absent"}


@pytest.mark.usefixtures("remote")
def test_every_host_is_told_of_however_it_is(workspace: Workspace, topology: Topology) -> None:
    workspace.write_state(STATE)
    found = look(workspace, engine(f0_11="running", f0_12="running", f0_13="running", f0_14="exited"), topology)
    hosts = by_name(found)
    assert (found.lab, found.phase, found.nodes) == ("flannel", "ready", None)
    assert hosts["f0-11"] == HostStatus("f0-11", "192.168.56.11", None, "running", "running", [], 64)
    assert hosts["f0-12"].failed_units == ["kubelet.service", "etcd.service"]
    assert hosts["f0-13"].services == "f0-13 does not answer over SSH (timed out)."
    assert (hosts["f0-14"].state, hosts["f0-14"].services) == ("exited", "not asked: exited")
    assert (hosts["f0-14"].ssh_port, hosts["f0-14"].memory_mib) == (42203, None)
    assert hosts["f0-15"].state == "absent"


@pytest.mark.parametrize("state", ["paused", "created", "dead", "restarting"])
def test_a_host_that_cannot_answer_is_not_asked(workspace: Workspace, topology: Topology, state: str) -> None:
    host = by_name(look(workspace, engine(f0_11=state), topology))["f0-11"]
    assert (host.state, host.services, host.memory_mib) == (state, f"not asked: {state}", None)


def test_hosts_whose_workspace_was_deleted_are_told_of(workspace: Workspace, topology: Topology) -> None:
    host = by_name(look(workspace, engine(f0_11="running"), topology))["f0-11"]
    assert host.services.startswith("f0-11 does not answer over SSH (")


def test_a_status_is_plain_data_for_programs(workspace: Workspace, topology: Topology) -> None:
    found = look(workspace, engine(), topology).to_dict()
    assert set(found) == {"lab", "phase", "hosts", "nodes", "cache_free_gib", "pages"}
    assert found["hosts"][0] == {
        "name": "f0-11",
        "address": "192.168.56.11",
        "ssh_port": None,
        "state": "absent",
        "services": "not asked: absent",
        "failed_units": [],
        "memory_mib": None,
    }
