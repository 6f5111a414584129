"""The status is complete whatever state the hosts are in."""

from pathlib import Path
from typing import cast

import pytest

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.access import Access
from labs.engine.hosts.provider import HostState
from labs.engine.hosts.remote import CommandResult, Remote
from labs.engine.hosts.status import HostStatus, host_statuses
from labs.engine.messages import _, verbatim
from labs.engine.state import Ports
from labs.engine.workspace import Workspace
from tests.engine.fake_provider import FakeProvider, World

PORTS: Ports = {"f0-13": {"ssh": 42202, "api": 1}, "f0-14": {"ssh": 42203}}


class Hosts:
    """Hosts of which one is well, one has failed units, one is not reachable and one answers nothing."""

    def run(self, host: str, script: str, seconds: float) -> CommandResult:
        if host == "f0-13":
            raise LabError("host-unreachable", _("{host} is not reachable over SSH ({reason}).", host=host, reason="x"))
        outputs = {"f0-12": "degraded\nkubelet.service\netcd.service\n", "f0-14": ""}
        return CommandResult(host, 0, outputs.get(host, "running\n"))


@pytest.fixture
def world() -> World:
    world = World()
    world.run()
    return world


def statuses(world: World, topology: Topology, remote: object = None) -> dict[str, HostStatus]:
    provider = FakeProvider(world, "docker", topology)
    listed = host_statuses(provider, topology, PORTS, cast(Remote, remote or Hosts()))
    return {status.name: status for status in listed}


def test_hosts_that_do_not_exist_have_a_status_too(topology: Topology) -> None:
    listed = statuses(World(), topology)
    assert list(listed) == topology.names
    assert {status.state for status in listed.values()} == {HostState.ABSENT}
    assert {str(status.services) for status in listed.values()} == {"not asked"}


def test_a_running_host(world: World, topology: Topology) -> None:
    assert statuses(world, topology)["f0-11"] == HostStatus(
        "f0-11", "192.168.56.11", None, HostState.RUNNING, verbatim("running"), [], 64
    )


def test_failed_units_are_listed(world: World, topology: Topology) -> None:
    status = statuses(world, topology)["f0-12"]
    assert (str(status.services), status.failed_units) == ("degraded", ["kubelet.service", "etcd.service"])


def test_an_unreachable_host_is_listed_with_the_reason(world: World, topology: Topology) -> None:
    status = statuses(world, topology)["f0-13"]
    assert (status.state, status.ssh_port) == (HostState.RUNNING, 42202)
    assert (str(status.services), status.failed_units) == ("f0-13 is not reachable over SSH (x).", [])


def test_a_host_that_answers_nothing_is_in_an_unknown_state(world: World, topology: Topology) -> None:
    assert str(statuses(world, topology)["f0-14"].services) == "unknown"


@pytest.mark.parametrize("state", [HostState.PAUSED, HostState.STOPPED])
def test_a_host_that_does_not_run_is_not_asked(world: World, topology: Topology, state: HostState) -> None:
    world.hosts["f0-14"] = state
    status = statuses(world, topology)["f0-14"]
    assert (status.state, str(status.services)) == (state, "not asked")
    assert (status.ssh_port, status.memory_mib) == (42203, None)


def test_hosts_behind_dead_ports_are_listed(
    world: World, topology: Topology, workspace: Workspace, tmp_path: Path
) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(Access(workspace, topology.domain).ssh_config({host: {"ssh": 1} for host in topology.names}))
    with Remote(config) as remote:
        status = statuses(world, topology, remote)["f0-11"]
    assert str(status.services).startswith("f0-11 is not reachable over SSH (")
