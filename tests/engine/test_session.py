"""The story of a set of hosts: what each task refuses, what it says then, and that nothing is lost or left."""

import pickle
import shutil
from pathlib import Path

import pytest

from labs.engine.course.course import load_course
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.hosts.provider import Finding, HostState
from labs.engine.hosts.readiness import BOOTED
from labs.engine.messages import verbatim
from labs.engine.session import Session
from labs.engine.settings import Settings
from tests.engine.conftest import Program
from tests.engine.story import Stage, refusal, refused

DEFAULT_NETWORK = "192.168.56.0/24"


# ---------------------------------------------------------------------------------------------------------------- up


def test_a_lab_is_started(session: Session, stage: Stage) -> None:
    session.up("first")
    assert stage.world.story[-1] == f"created by docker in {DEFAULT_NETWORK}"
    assert session.running == "first"


def test_an_unknown_lab_is_not_started(session: Session, stage: Stage) -> None:
    code, message = refusal(lambda: session.up("frist"))
    assert (code, message) == ("unknown-name", "There is no lab 'frist'. Did you mean 'first'?")
    assert not stage.workspace.root.exists()


def test_another_lab_is_not_left_without_being_asked(session: Session, stage: Stage) -> None:
    stage.up("first")
    assert refusal(lambda: session.up("apart")) == ("other-lab", "The hosts are up for the lab 'first'.")
    assert session.running == "first"


def test_another_lab_is_left_when_asked(session: Session, stage: Stage) -> None:
    stage.up("first")
    session.up("apart", switch=True)
    assert stage.world.story == ["destroyed by docker", f"created by docker in {DEFAULT_NETWORK}"]
    assert session.running == "apart"


def test_a_switch_keeps_provider_and_network_and_way_out(session: Session, stage: Stage) -> None:
    stage.up("first", provider="libvirt", network="10.20.30.0/24", internet=True)
    session.up("apart", switch=True)
    assert stage.world.story == ["destroyed by libvirt", "created by libvirt in 10.20.30.0/24"]
    assert (stage.state.provider, stage.state.network, stage.state.internet) == ("libvirt", "10.20.30.0/24", True)


def test_a_switch_to_another_provider_destroys_the_old_hosts_by_the_old_one(session: Session, stage: Stage) -> None:
    stage.up("first", provider="libvirt")
    session.up("apart", switch=True, provider="docker")
    assert stage.world.story == ["destroyed by libvirt", f"created by docker in {DEFAULT_NETWORK}"]


def test_a_lab_that_is_up_stays_as_it_is(session: Session, stage: Stage) -> None:
    stage.up("first")
    session.up("first")
    assert stage.world.story == []
    assert stage.notes == ["The hosts are up for the lab 'first' already. For fresh hosts: invoke lab.reset"]


@pytest.mark.parametrize("asked", [{"provider": "libvirt"}, {"network": "10.20.30.0/24"}])
def test_a_lab_that_is_up_another_way_is_not_taken_for_the_one_asked_for(
    session: Session, stage: Stage, asked: dict[str, str]
) -> None:
    stage.up("first")
    code, message = refusal(lambda: session.up("first", **asked))  # type: ignore[arg-type]
    assert code == "other-lab"
    assert message == f"The hosts are up already, made by docker in {DEFAULT_NETWORK}."
    assert stage.world.story == []


@pytest.mark.parametrize("state", [HostState.STOPPED, HostState.PAUSED, HostState.ABSENT])
def test_stopped_hosts_of_the_lab_that_is_up_are_reported_and_nothing_is_lost(
    session: Session, stage: Stage, state: HostState
) -> None:
    stage.up("first")
    stage.world.hosts |= {"f0-11": state, "f0-15": state}
    assert refusal(lambda: session.up("first")) == (
        "hosts-stopped",
        "The lab is up, but these hosts are stopped: f0-11, f0-15.",
    )
    assert (stage.world.story, session.running) == ([], "first")


def test_a_network_in_use_is_reported_before_anything_is_removed(session: Session, stage: Stage) -> None:
    def taken() -> None:
        raise LabError("network-in-use", "eth7 has it")

    stage.world.network_trouble = taken
    stage.up("first")
    assert refusal(lambda: session.up("apart", switch=True, network="10.1.1.0/24"))[0] == "network-in-use"
    assert (stage.world.story, session.running) == ([], "first")


def test_a_machine_that_lacks_something_keeps_its_hosts(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.world.findings = [Finding(verbatim("Memory"), verbatim(""), LabError("memory", "too little"))]
    assert refusal(session.reset)[0] == "memory"
    assert (stage.world.story, session.running) == ([], "first")


def test_what_is_only_worth_knowing_stops_nothing(session: Session, stage: Stage) -> None:
    stage.world.findings = [Finding(verbatim("inotify"), verbatim(""), LabError("inotify", "few"), required=False)]
    session.up("first")
    assert session.running == "first"


def test_an_interrupted_up_is_continued_by_the_next_one(session: Session, stage: Stage) -> None:
    stage.up("apart", phase="starting")
    session.up("first")
    assert stage.world.story == ["destroyed by docker", f"created by docker in {DEFAULT_NETWORK}"]
    assert session.running == "first"


def test_hosts_have_the_roles_that_their_lab_needs(stage: Stage) -> None:
    file = stage.repo / "labs/apart/lab.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("{components: []}", "{components: [], roles: [delivery]}"), encoding="utf-8")
    session = stage.another()
    stage.up("apart")
    assert session.topology.with_role("delivery").name == "f0-15"
    stage.up("first")
    assert session.topology.all_with_role("delivery") == []


def test_what_hosts_are_made_of_is_remembered(session: Session, stage: Stage) -> None:
    session.up("first", internet=True, network="10.20.30.0/24")
    state = stage.state
    assert (state.lab, state.phase, state.provider, state.network, state.internet) == (
        *("first", "ready", "docker"),
        *("10.20.30.0/24", True),
    )
    assert state.ports["f0-13"].keys() == {"ssh", "api"}
    assert stage.world.internet


def test_earlier_labs_are_solved_by_their_own_steps(session: Session, stage: Stage) -> None:
    session.up("second")
    assert [command for command in stage.world.ran if command[1] != BOOTED] == [
        ("f0-13", "echo one\n"),
        ("f0-13", "echo two\n"),
        ("f0-14", "echo two\n"),
    ]
    assert "'second' builds on 'first': solving that lab by its documented steps." in stage.notes


def test_an_interrupted_start_leaves_nothing(session: Session, stage: Stage) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    stage.world.trouble = interrupt
    with pytest.raises(KeyboardInterrupt):
        session.up("first")
    assert stage.world.story[-1].startswith("destroyed")
    assert not stage.workspace.root.exists()


def test_hosts_that_can_not_be_created_are_reported_at_once(session: Session, stage: Stage) -> None:
    def fail() -> None:
        raise LabError("hosts-not-created", "no such image")

    stage.world.trouble = fail
    assert refusal(lambda: session.up("first")) == ("hosts-not-created", "no such image")
    assert session.running is None


def test_a_provider_that_does_not_exist_starts_nothing(session: Session, stage: Stage) -> None:
    assert refusal(lambda: session.up("first", provider="dokcer")) == (
        "unknown-name",
        "There is no provider 'dokcer'. Did you mean 'docker'?",
    )
    assert not stage.workspace.root.exists()


def test_two_sessions_of_one_process_have_hosts_of_their_own(session: Session, stage: Stage, tmp_path: Path) -> None:
    other = stage.another(Settings(workspace=tmp_path / "other", cache=tmp_path / "cache", network="10.1.1.0/24"))
    session.up("first")
    other.up("apart")
    assert (session.running, other.running) == ("first", "apart")
    assert (str(session.topology.network), str(other.topology.network)) == (DEFAULT_NETWORK, "10.1.1.0/24")


def test_a_session_can_be_sent_to_another_process(stage: Stage) -> None:
    session = Session(load_course(stage.repo), stage.workspace, stage.settings, Events())
    assert pickle.loads(pickle.dumps(session)).running is None


# ------------------------------------------------------------------------------------------------ what is not ours


@pytest.mark.parametrize("task", ["up", "reset", "down"])
def test_a_folder_that_is_not_ours_is_left_alone(session: Session, stage: Stage, task: str) -> None:
    stage.workspace.root.mkdir(parents=True)
    (stage.workspace.root / "thesis.odt").touch()
    tasks = {"up": lambda: session.up("first"), "reset": lambda: session.reset("first"), "down": session.down}
    assert refusal(tasks[task])[0] == "foreign-folder"
    assert [path.name for path in stage.workspace.root.iterdir()] == ["thesis.odt"]
    assert stage.world.story == []


def test_a_cache_that_is_not_ours_is_left_alone_and_the_hosts_stay(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.settings.cache.mkdir()
    (stage.settings.cache / "thesis.odt").touch()
    assert refusal(lambda: session.down(purge=True))[0] == "foreign-folder"
    assert (stage.settings.cache / "thesis.odt").exists()
    assert session.running == "first"


def test_purging_removes_the_cache_and_the_images(session: Session, stage: Stage) -> None:
    session.up("first")
    session.down(purge=True)
    assert not stage.settings.cache.exists()
    assert stage.world.story[-2:] == ["destroyed by docker", "removed the images"]


def test_the_images_of_another_workspace_are_not_purged(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.world.neighbours = {"f0labs-abcdef"}
    assert refusal(lambda: session.down(purge=True))[0] == "busy"
    assert session.running == "first"


# --------------------------------------------------------------------------------------------------- damaged, moved


@pytest.mark.parametrize("text", ["", '{"lab": "fir', '{"version": 99}'])
def test_down_removes_hosts_whose_state_is_damaged(session: Session, stage: Stage, text: str) -> None:
    stage.up("first")
    stage.workspace.state_file.write_text(text)
    session.down()
    assert stage.world.story == ["destroyed by docker"]
    assert not stage.workspace.root.exists()


def test_a_reset_mends_a_damaged_state(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.workspace.state_file.write_text("{")
    session.reset("first")
    assert session.running == "first"


@pytest.mark.parametrize("task", ["up", "reset", "check", "solve", "plant"])
def test_other_tasks_say_that_the_state_is_damaged(session: Session, stage: Stage, task: str) -> None:
    stage.up("first")
    stage.workspace.state_file.write_text("{")
    arguments = () if task == "reset" else ("first",)
    assert refusal(lambda: getattr(session, task)(*arguments))[0] == "state-damaged"
    assert stage.world.story == []


def test_the_status_is_complete_with_a_damaged_state(session: Session, stage: Stage) -> None:
    stage.up("first")
    stage.workspace.state_file.write_text("{")
    status = session.status()
    assert (status.phase, status.hosts[0].state) == ("damaged", HostState.RUNNING)


def test_a_workspace_that_was_moved_is_still_the_same(stage: Stage, tmp_path: Path) -> None:
    stage.up("first")
    shutil.move(tmp_path / "seat", tmp_path / "moved")
    moved = stage.another(Settings(workspace=tmp_path / "moved/labs", cache=tmp_path / "cache"))
    assert moved.running == "first"
    assert moved.workspace.name == stage.workspace.name
    assert f'IdentityFile "{tmp_path}/moved/labs/ssh_key"' in moved.workspace.ssh_config.read_text()
    moved.down()
    assert stage.world.story == ["destroyed by docker"]


# ----------------------------------------------------------------------------------------------- tasks that exclude


@pytest.mark.parametrize("task", ["up", "reset", "down", "start", "check", "solve", "plant", "repair"])
def test_nothing_is_done_to_hosts_that_are_being_changed(session: Session, stage: Stage, task: str) -> None:
    stage.up("apart" if task == "up" else "first")
    arguments = () if task in ("reset", "down", "start") else ("first",)
    options = {"switch": True} if task == "up" else {}
    with stage.workspace.exclusive():
        assert refusal(lambda: getattr(session, task)(*arguments, **options))[0] == "busy"
    assert stage.world.story == []


def test_hosts_are_not_reset_while_a_lab_is_being_solved(session: Session, stage: Stage) -> None:
    stage.up("first")
    with stage.workspace.shared():
        assert refusal(session.reset)[0] == "busy"
    assert stage.world.story == []


# ---------------------------------------------------------------------------------------------- check, hint and solve


@pytest.mark.parametrize("task", ["check", "hint", "solve", "plant", "repair"])
def test_nothing_is_done_with_nothing_up(session: Session, task: str) -> None:
    with pytest.raises(LabError) as raised:
        getattr(session, task)("first")
    assert (refused(raised), str(raised.value.hint)) == (
        ("no-lab", "No lab is up."),
        "Start a lab: invoke lab.up first",
    )


def test_the_labs_that_are_up_are_the_running_one_and_those_it_builds_on(session: Session, stage: Stage) -> None:
    stage.up("second")
    assert [lab.id for lab in session.labs_up()] == ["first", "second"]


def test_nothing_is_graded_on_hosts_that_did_not_start(session: Session, stage: Stage) -> None:
    stage.up("first", phase="starting")
    assert refusal(lambda: session.check("first")) == ("no-lab", "The last `lab.up` did not finish.")


@pytest.mark.parametrize("id", ["apart", "second"])
def test_another_lab_than_the_one_that_is_up_is_not_graded(session: Session, stage: Stage, id: str) -> None:
    stage.up("first")
    assert refusal(lambda: session.check(id)) == ("other-lab", f"The hosts are up for 'first', not for '{id}'.")


def test_steps_are_listed_up_to_a_number(session: Session) -> None:
    assert [step.body for step in session.steps("first", 1)] == ["echo one\n"]
    assert len(session.steps("first")) == 2


@pytest.mark.parametrize("until", [0, 3, -1])
def test_a_step_that_does_not_exist_is_an_error(session: Session, until: int) -> None:
    assert refusal(lambda: session.steps("first", until))[1] == f"'first' has steps 1 to 2, not {until}."


def test_a_lab_is_solved_by_its_documented_steps(session: Session, stage: Stage) -> None:
    stage.up("first")
    session.solve("first", until=1)
    assert stage.world.ran == [("f0-13", "echo one\n")]


# -------------------------------------------------------------------------------------------------- reset and down


def test_there_is_nothing_to_reset_with_nothing_up(session: Session) -> None:
    assert refusal(session.reset) == ("no-lab", "No lab is up, so there is nothing to reset.")


def test_a_reset_makes_the_same_hosts_anew(session: Session, stage: Stage) -> None:
    stage.up("first", network="10.20.30.0/24", internet=True, hints={"first/routes": 1})
    generation = stage.state.generation
    assert session.reset() == "first"
    assert stage.world.story == ["destroyed by docker", "created by docker in 10.20.30.0/24"]
    state = stage.state
    assert (state.network, state.internet, state.hints) == ("10.20.30.0/24", True, {})
    assert state.generation != generation


def test_a_reset_restores_the_checkpoint_where_the_provider_has_one(session: Session, stage: Stage) -> None:
    stage.world.can_restore = True
    session.up("first")
    session.hint("first", "routes")
    generation = stage.state.generation
    session.reset()
    assert stage.world.story[-3:] == [f"created by docker in {DEFAULT_NETWORK}", "checkpoint", "restored"]
    state = stage.state
    assert (session.running, state.hints, state.generation != generation) == ("first", {}, True)


def test_the_checkpoint_is_of_the_labs_starting_state(session: Session, stage: Stage) -> None:
    stage.world.can_restore = True
    session.up("second")
    assert stage.world.story[-1] == "checkpoint"
    assert ("f0-13", "echo one\n") in stage.world.ran


def test_a_reset_to_another_lab_makes_its_hosts(session: Session, stage: Stage) -> None:
    stage.world.can_restore = True
    session.up("first")
    session.reset("apart")
    assert "restored" not in stage.world.story
    assert session.running == "apart"


def test_hosts_that_did_not_start_are_reset_as_well(session: Session, stage: Stage) -> None:
    stage.up("first", phase="starting")
    session.reset()
    assert session.running == "first"


def test_down_with_nothing_up_is_harmless(session: Session, stage: Stage) -> None:
    session.down()
    session.down()
    assert not stage.workspace.root.exists()


def test_the_grade_record_outlives_the_hosts(session: Session, stage: Stage) -> None:
    stage.up("first")
    session.hint("first", "routes")
    session.reset()
    session.down()
    progress = session.status().progress["first"]
    assert (progress.hints, progress.resets) == (1, 1)


# ------------------------------------------------------------------------------------------------------------ shell


@pytest.mark.parametrize("task", ["shell", "reboot"])
def test_an_unknown_host_is_an_error(session: Session, task: str) -> None:
    assert refusal(lambda: getattr(session, task)("f0-99"))[1].startswith("There is no host 'f0-99'.")


def test_there_is_no_shell_without_hosts(session: Session) -> None:
    assert refusal(lambda: session.shell("f0-13")) == ("no-lab", "There are no hosts.")


def test_a_shell_ends_with_its_own_status(session: Session, stage: Stage, program: Program) -> None:
    stage.up("first")
    stage.workspace.ssh_config.touch()
    program("ssh", "exit 7")
    assert session.shell("f0-13") == 7
