"""The status of a session, complete even when hosts are dead."""

from labs.engine.hosts.provider import HostState
from labs.engine.hosts.remote import CommandResult
from labs.engine.session import Session
from tests.engine.story import Stage


def test_the_status_of_nothing_is_complete(session: Session) -> None:
    status = session.status()
    assert (status.lab, status.phase, {host.state for host in status.hosts}) == (None, "down", {HostState.ABSENT})


def test_hosts_are_shown_in_the_network_they_were_made_in(session: Session, stage: Stage) -> None:
    stage.up("first", network="10.20.30.0/24")
    assert session.status().hosts[0].address == "10.20.30.11"


def test_a_host_that_is_stopped_is_not_asked(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.world.hosts["f0-14"] = HostState.STOPPED
    status = {host.name: host for host in session.status().hosts}["f0-14"]
    assert (status.services.of("en"), status.memory_mib) == ("not asked", None)


def test_a_service_that_failed_is_shown(session: Session, stage: Stage) -> None:
    stage.up("first")
    script = next(iter({script for _, script in (session.status(), stage.world.ran)[1]}))
    stage.world.answers[("f0-13", script)] = CommandResult("f0-13", 0, "degraded\netcd.service\n")
    status = {host.name: host for host in session.status().hosts}["f0-13"]
    assert (status.services.of("en"), status.failed_units) == ("degraded", ["etcd.service"])
