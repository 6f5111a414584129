"""Nothing of the user's is deleted: the commands as they are typed, with the folders that users have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.conftest import REPO

INVOKE = Path(sys.executable).with_name("invoke")
HOME = {"thesis.odt": "mine", ".ssh/id_ed25519": "secret", "components/drawer.step": "also mine"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the course as a user has it."""
    place = tmp_path / "f0-labs"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPO,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (REPO / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes((REPO / name).read_bytes())
    return place


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that holds what a user holds dear."""
    place = tmp_path / "home"
    for name, text in HOME.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def invoke(checkout: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INVOKE, "--search-root", str(checkout), *words],
        env={**os.environ, **variables, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_an_empty_variable_is_not_the_current_folder(checkout: Path, tmp_path: Path) -> None:
    before = content(checkout)
    done = invoke(checkout, "lab.down", F0_WORKSPACE="", F0_CACHE="", XDG_CACHE_HOME=str(tmp_path / "xdg"))
    assert done.returncode == 0, done.stderr
    assert before.items() <= content(checkout).items()


@pytest.mark.parametrize("words", [["lab.up", "flannel"], ["lab.reset", "flannel"], ["lab.down"]])
@pytest.mark.parametrize("variable", ["F0_WORKSPACE", "F0_CACHE"])
def test_a_folder_of_the_users_is_refused_in_one_sentence(
    checkout: Path, home: Path, variable: str, words: list[str]
) -> None:
    done = invoke(checkout, *words, **{variable: str(home)})
    assert content(home) == {name: text.encode() for name, text in HOME.items()}
    refused = variable == "F0_WORKSPACE" or words != ["lab.down"]  # without --purge, lab.down leaves the cache alone
    assert (done.returncode == 2) is refused, done.stderr
    assert ("was not created by f0 labs" in done.stderr) is refused
    assert "Traceback" not in done.stderr


def test_purging_a_folder_of_the_users_is_refused(checkout: Path, home: Path) -> None:
    done = invoke(checkout, "lab.down", "--purge", F0_CACHE=str(home))
    assert done.returncode == 2
    assert content(home) == {name: text.encode() for name, text in HOME.items()}


def test_a_symlink_to_a_folder_of_the_users_is_refused(checkout: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home)
    done = invoke(checkout, "lab.down", F0_WORKSPACE=str(tmp_path / "link"))
    assert done.returncode == 2
    assert content(home) == {name: text.encode() for name, text in HOME.items()}
