"""The workspace: where it is, what it is called, and what it remembers."""

import stat
from pathlib import Path

import pytest

from labs.engine.workspace import Workspace, cache_dir, free_disk


def test_a_checkout_has_its_workspace_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("F0_WORKSPACE")
    assert Workspace.of(tmp_path).root == tmp_path / ".labs"


def test_the_environment_names_another_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0_WORKSPACE", str(tmp_path / "seat"))
    assert Workspace.of(Path("/course")).root == tmp_path / "seat"


def test_the_name_of_a_folder_never_changes(tmp_path: Path) -> None:
    assert Workspace(tmp_path, Path("/course/.labs")).name == "f0labs-d7484e"


def test_two_folders_have_two_names() -> None:
    assert Workspace(Path("/one"), Path("/one/.labs")).name != Workspace(Path("/two"), Path("/two/.labs")).name


def test_the_name_is_short_enough_for_a_bridge(workspace: Workspace) -> None:
    assert len(workspace.name) <= 15


def test_nothing_is_remembered_at_first(workspace: Workspace) -> None:
    assert workspace.read_state() == {}


def test_what_is_noted_is_read_again(workspace: Workspace) -> None:
    workspace.write_state({"lab": "flannel", "ports": {"f0-13": {"ssh": 42202}}})
    assert workspace.read_state() == {"lab": "flannel", "ports": {"f0-13": {"ssh": 42202}}}


def test_only_this_user_sees_the_workspace(workspace: Workspace) -> None:
    workspace.write_state({})
    assert stat.S_IMODE(workspace.root.stat().st_mode) == 0o700


def test_a_state_that_cannot_be_noted_leaves_the_one_before(workspace: Workspace) -> None:
    workspace.write_state({"lab": "flannel"})
    with pytest.raises(TypeError):
        workspace.write_state({"lab": object()})
    assert workspace.read_state() == {"lab": "flannel"}


def test_nothing_but_the_state_is_left_behind(workspace: Workspace) -> None:
    workspace.write_state({"lab": "flannel"})
    assert [file.name for file in workspace.root.iterdir()] == ["state.json"]


def test_the_environment_names_another_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0_CACHE", str(tmp_path / "elsewhere"))
    assert cache_dir() == tmp_path / "elsewhere"


def test_without_it_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("F0_CACHE")
    assert cache_dir().name == "f0-labs"


def test_room_is_measured_before_the_cache_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0_CACHE", str(tmp_path / "not/yet/there"))
    assert free_disk() > 0
