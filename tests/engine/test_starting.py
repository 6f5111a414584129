"""Making hosts and removing them: what is tried first, and what is left when it fails."""

from pathlib import Path

import pytest

from labs.engine.errors import LabError
from labs.engine.hosts.provider import HostState
from labs.engine.session import Session
from tests.engine.story import Stage, refusal


def test_hosts_that_stop_immediately_are_not_waited_for(session: Session, stage: Stage) -> None:
    stage.world.ready = False
    stage.world.stops = {"f0-14": HostState.STOPPED}
    assert refusal(lambda: session.up("first")) == ("hosts-not-created", "f0-14 stopped immediately:\n(no output)")


def test_a_cluster_that_does_not_get_ready_is_diagnosed_and_the_log_is_kept(
    session: Session, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labs.engine.starting.UP_SECONDS", 0.0)
    stage.world.ready = False
    with pytest.raises(LabError) as raised:
        session.up("first")
    assert raised.value.code == "cluster-not-ready"
    assert str(raised.value).startswith("Not ready in time: f0-13, f0-14.\nf0-13 did not start:\n")
    assert (stage.workspace.logs / "up.log").read_text() == f"{raised.value}\n"


def test_what_is_missing_comes_from_the_bundle_that_the_settings_name(stage: Stage, tmp_path: Path) -> None:
    stage.world.missing = ["flannel"]
    session = stage.another(stage.settings.model_copy(update={"bundle": tmp_path / "bundle.tar"}))
    assert refusal(lambda: session.up("first"))[0] == "bundle"  # that file doesn't exist: it was looked for


def test_a_bundle_is_not_needed_when_nothing_is_missing(stage: Stage, tmp_path: Path) -> None:
    session = stage.another(stage.settings.model_copy(update={"bundle": tmp_path / "bundle.tar"}))
    session.up("first")
    assert session.running == "first"


def test_the_hosts_stay_when_what_they_need_can_not_be_loaded(stage: Stage, tmp_path: Path) -> None:
    stage.up("first")
    stage.world.missing = ["flannel"]
    settings = stage.settings.model_copy(update={"bundle": tmp_path / "bundle.tar"})
    assert refusal(stage.another(settings).reset)[0] == "bundle"
    assert (stage.world.story, stage.session.running) == ([], "first")


def test_nothing_is_left_in_the_folder_of_shared_connections(session: Session, stage: Stage) -> None:
    session.up("first")
    session.down()
    assert not list(Path("/tmp").glob(f"{stage.workspace.name}-*"))
