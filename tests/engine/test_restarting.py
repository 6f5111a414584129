"""Starting hosts that were stopped, with everything the learner did on them."""

import pytest

from labs.engine.errors import LabError
from labs.engine.hosts.provider import HostState
from labs.engine.session import Session
from tests.engine.story import Stage, refusal


def test_stopped_hosts_are_started_together(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.world.hosts = dict.fromkeys(stage.world.hosts, HostState.STOPPED)
    session.start()
    assert stage.world.story == ["started f0-11, f0-12, f0-13, f0-14, f0-15"]
    assert session.running == "first"


def test_running_hosts_are_not_started_again(session: Session, stage: Stage) -> None:
    stage.up("first")
    session.start()
    assert (stage.world.story, stage.notes) == ([], ["All hosts are running already."])


def test_hosts_that_are_gone_can_not_be_started(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.world.hosts["f0-14"] = HostState.ABSENT
    assert refusal(session.start) == ("hosts-stopped", "These hosts don't exist any more: f0-14.")


def test_nothing_is_started_with_nothing_up(session: Session) -> None:
    assert refusal(session.start) == ("no-lab", "No lab is up.")


def test_a_reboot_stops_and_starts_one_host(session: Session, stage: Stage) -> None:
    stage.up("first")
    session.reboot("f0-14")
    assert stage.world.story == ["stopped f0-14", "started f0-14"]


def test_a_reboot_of_one_among_stopped_hosts_advises_to_start_all(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.world.hosts["f0-11"] = HostState.STOPPED
    with pytest.raises(LabError) as raised:
        session.reboot("f0-14")
    assert "lab.start" in str(raised.value.hint)
    assert stage.world.story == []
