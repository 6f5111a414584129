"""What tests of the builders share: a build to be made, and containers with the programs that it runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from docker import DockerClient

from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain

MakeToolchain = Callable[[dict[str, str]], Toolchain]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    repo = tmp_path / "repo"
    (repo / "vagrant/components/thing").mkdir(parents=True)
    (tmp_path / "thing-1.part").mkdir()
    (tmp_path / "thing.log").touch()
    source = repo / "vagrant/components/thing"
    return Job("thing", repo, source, tmp_path / "thing-1.part", tmp_path / "scratch", tmp_path / "thing.log")


@pytest.fixture
def toolchain_with(client: DockerClient, tools_with: Callable[[dict[str, str]], str]) -> MakeToolchain:
    """Makes a toolchain with these programs, shell scripts by their names."""

    def make(programs: dict[str, str]) -> Toolchain:
        tag = tools_with(programs)
        return Toolchain(client, lambda: tag)

    return make


@pytest.fixture
def toolchain(client: DockerClient, tools: str) -> Toolchain:
    return Toolchain(client, lambda: tools)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home: no test uses the settings of this machine's user."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
