"""The workspace: its mark, its name, what it remembers, and which tasks exclude each other."""

import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

from labs.engine.errors import LabError
from labs.engine.settings import Settings
from labs.engine.state import State
from labs.engine.workspace import MARK, Workspace

STATE = State(generation="g", lab="flannel", provider="docker", network="192.168.56.0/24")


@pytest.fixture
def claimed(workspace: Workspace) -> Workspace:
    workspace.claim()
    return workspace


def code(raised: pytest.ExceptionInfo[LabError]) -> str:
    return raised.value.code


def test_a_checkout_has_its_workspace_in_it(tmp_path: Path) -> None:
    assert Workspace.of(tmp_path, Settings()).root == tmp_path / ".labs"


def test_the_settings_name_another_workspace(tmp_path: Path) -> None:
    assert Workspace.of(Path("/course"), Settings(workspace=tmp_path / "seat")).root == tmp_path / "seat"


def test_the_name_of_a_folder_never_changes(tmp_path: Path) -> None:
    assert Workspace(tmp_path, Path("/course/.labs")).name == "f0labs-d7484e"


def test_two_folders_have_two_names() -> None:
    assert Workspace(Path("/one"), Path("/one/.labs")).name != Workspace(Path("/two"), Path("/two/.labs")).name


def test_the_name_is_short_enough_for_a_bridge(workspace: Workspace) -> None:
    assert len(workspace.name) <= 15


# ---------------------------------------------------------------------------------------------------------- ownership


def test_only_this_user_sees_the_workspace(claimed: Workspace) -> None:
    assert stat.S_IMODE(claimed.root.stat().st_mode) == 0o700


def test_an_empty_folder_becomes_a_workspace(workspace: Workspace) -> None:
    workspace.root.mkdir()
    workspace.claim()
    assert (workspace.root / MARK).is_file()


@pytest.mark.parametrize("task", ["claim", "remove", "require_ours"])
def test_a_folder_that_holds_something_else_is_refused(workspace: Workspace, task: str) -> None:
    workspace.root.mkdir()
    (workspace.root / "thesis.odt").touch()
    with pytest.raises(LabError) as raised:
        getattr(workspace, task)()
    assert code(raised) == "foreign-folder"
    assert [path.name for path in workspace.root.iterdir()] == ["thesis.odt"]


def test_a_file_of_that_name_is_refused(workspace: Workspace) -> None:
    workspace.root.write_text("mine")
    with pytest.raises(LabError):
        workspace.remove()
    assert workspace.root.read_text() == "mine"


def test_removing_a_workspace_takes_the_folder(claimed: Workspace) -> None:
    (claimed.root / "hosts/f0-13").mkdir(parents=True)
    claimed.remove()
    assert not claimed.root.exists()


def test_removing_a_workspace_that_does_not_exist_is_harmless(workspace: Workspace) -> None:
    workspace.remove()
    assert not workspace.root.exists()


def test_symlinks_in_a_workspace_are_not_followed(claimed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.odt").touch()
    (claimed.root / "link").symlink_to(tmp_path / "mine")
    claimed.remove()
    assert (tmp_path / "mine/thesis.odt").exists()


# --------------------------------------------------------------------------------------------------------------- moves


def test_a_moved_workspace_keeps_the_name_that_its_hosts_carry(claimed: Workspace, tmp_path: Path) -> None:
    shutil.move(claimed.root, tmp_path / "elsewhere")
    moved = Workspace(claimed.repo, tmp_path / "elsewhere")
    assert (moved.name, moved.was_moved) == (claimed.name, True)


def test_claiming_a_moved_workspace_makes_it_stay(claimed: Workspace, tmp_path: Path) -> None:
    shutil.move(claimed.root, tmp_path / "elsewhere")
    Workspace(claimed.repo, tmp_path / "elsewhere").claim()
    settled = Workspace(claimed.repo, tmp_path / "elsewhere")
    assert (settled.name, settled.was_moved) == (claimed.name, False)


def test_a_copy_of_a_workspace_does_not_get_at_the_hosts_of_the_original(claimed: Workspace, tmp_path: Path) -> None:
    shutil.copytree(claimed.root, tmp_path / "copy")
    with pytest.raises(LabError) as raised:
        _ = Workspace(claimed.repo, tmp_path / "copy").name
    assert code(raised) == "moved-workspace"


# --------------------------------------------------------------------------------------------------------------- state


def test_nothing_is_remembered_at_first(workspace: Workspace) -> None:
    assert workspace.state is None


def test_what_is_saved_is_read_again(claimed: Workspace) -> None:
    claimed.save(STATE)
    assert claimed.state == STATE


def test_a_change_is_saved(claimed: Workspace) -> None:
    claimed.save(STATE)
    with claimed.changing() as state:
        state.phase = "ready"
    assert claimed.state == STATE.model_copy(update={"phase": "ready"})


def test_a_change_that_fails_is_not_saved(claimed: Workspace) -> None:
    claimed.save(STATE)
    with pytest.raises(ZeroDivisionError), claimed.changing() as state:
        state.phase = "ready"
        raise ZeroDivisionError
    assert claimed.state == STATE


def test_changes_made_at_once_do_not_undo_each_other(claimed: Workspace) -> None:
    claimed.save(STATE)

    def add(name: str) -> None:
        with claimed.changing() as state:
            state.hints = {**state.hints, name: 1}

    threads = [threading.Thread(target=add, args=[f"hint {number}"]) for number in range(20)]
    list(map(threading.Thread.start, threads))
    list(map(threading.Thread.join, threads))
    assert claimed.state is not None
    assert len(claimed.state.hints) == 20


def test_nothing_is_changed_without_hosts(workspace: Workspace) -> None:
    with pytest.raises(LabError) as raised, workspace.changing():
        pass
    assert code(raised) == "no-lab"


@pytest.mark.parametrize("text", ["", '{"version": 1, "lab": "fla', '{"version": 99}', "[]", "\0"])
def test_a_damaged_state_is_an_error_that_says_what_to_do(claimed: Workspace, text: str) -> None:
    claimed.state_file.write_text(text)
    with pytest.raises(LabError) as raised:
        _ = claimed.state
    assert code(raised) == "state-damaged"
    assert "invoke lab.down" in str(raised.value.hint)
    assert claimed.readable_state() is None


def test_nothing_but_the_state_is_left_behind(claimed: Workspace) -> None:
    claimed.save(STATE)
    assert sorted(os.listdir(claimed.root)) == [MARK, "state.json"]


# --------------------------------------------------------------------------------------------------------------- locks


def test_hosts_are_changed_by_one_task_at_a_time(workspace: Workspace) -> None:
    with workspace.exclusive(), pytest.raises(LabError) as raised, workspace.exclusive():
        pass
    assert code(raised) == "busy"


def test_hosts_in_use_are_not_changed(workspace: Workspace) -> None:
    with workspace.shared(), pytest.raises(LabError) as raised, workspace.exclusive():
        pass
    assert code(raised) == "busy"


def test_hosts_that_are_being_changed_are_not_used(workspace: Workspace) -> None:
    with workspace.exclusive(), pytest.raises(LabError) as raised, workspace.shared():
        pass
    assert code(raised) == "busy"


def test_hosts_are_used_by_several_tasks_at_once(workspace: Workspace) -> None:
    with workspace.shared(), workspace.shared():
        pass


def test_a_lock_does_not_outlive_its_task(workspace: Workspace) -> None:
    with workspace.exclusive():
        pass
    with workspace.exclusive():
        pass
