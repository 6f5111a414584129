"""What tests of the engine share: settings, a workspace and programs of their own.

Golden files are written anew by `F0_GOLDEN=write pytest tests/engine`; look at `git diff` afterwards.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labs.engine.course.edition import Edition, load_edition
from labs.engine.course.topology import Topology, load_topology
from labs.engine.docker_client import connect
from labs.engine.errors import LabError
from labs.engine.settings import Settings
from labs.engine.state import Ports
from labs.engine.workspace import Workspace

if TYPE_CHECKING:
    from docker import DockerClient

    from labs.engine.session import Session
    from tests.engine.story import Stage

REPO = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
PORTS: Ports = {
    "f0-11": {"ssh": 42200, "web": 42206, "web-tls": 42207},
    "f0-12": {"ssh": 42201},
    "f0-13": {"ssh": 42202, "api": 42205},
    "f0-14": {"ssh": 42203},
    "f0-15": {"ssh": 42204, "ops": 42208},
}
# Some hosts have software of their own.
IMAGES = {host: "f0labs/host:tag" for host in PORTS} | {"f0-15": "f0labs/host:of-f0-15"}

Program = Callable[[str, str], Path]
Golden = Callable[[str, str], None]


def anywhere(text: str, workspace: Workspace) -> str:
    """The text as it would be of a checkout in /course."""
    text = text.replace(str(workspace.root), "/course/.labs").replace(str(workspace.repo), "/course")
    return text.replace(workspace.name, "f0labs-course").replace(f"-{os.getuid()}/", "-1000/")


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test, and no process that it starts, uses the workspace or the cache of this machine's user."""
    monkeypatch.setenv("F0_WORKSPACE", str(tmp_path / "labs"))
    monkeypatch.setenv("F0_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for name in ("F0_NETWORK", "F0_PROVIDER", "F0_BUNDLE", "F0_KEEP_BUILD_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path / "labs", cache=tmp_path / "cache")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(REPO, tmp_path / "labs")


@pytest.fixture
def topology() -> Topology:
    return load_topology(REPO)


@pytest.fixture
def edition() -> Edition:
    return load_edition(REPO)


@pytest.fixture(scope="session")
def client() -> "DockerClient":
    """The real Docker engine; tests that need one are skipped without it."""
    try:
        return connect()
    except LabError as error:
        pytest.skip(str(error))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Makes a shell script that stands before all programs of that name on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def write(name: str, script: str) -> Path:
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return write


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing-here"))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator["Stage"]:
    """A session of a small course in a world of its own."""
    from labs.engine.hosts.access import Access
    from tests.engine.story import Stage, write_course

    repo = tmp_path / "repo"
    repo.mkdir()
    write_course(repo)
    stage = Stage(repo, Settings(workspace=tmp_path / "seat/labs", cache=tmp_path / "cache"))
    yield stage
    Access(stage.workspace, "").end_shared_connections()


@pytest.fixture
def session(stage: "Stage") -> "Session":
    return stage.session


@pytest.fixture
def golden() -> Golden:
    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if os.environ.get("F0_GOLDEN") == "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")

    return compare
