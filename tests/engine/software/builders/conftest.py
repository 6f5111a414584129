"""What tests of the builders share: a build to be made, and a docker client that notes what it is told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain
from tests.engine.conftest import Program

# The `docker` of these tests: notes what it was told, a word a line; `run` does %s in the folder mounted on /out.
DOCKER = """\
for word; do echo "$word" >>"$TOLD"; done
[ "$1" = run ] || exit 0
for word; do
    case $word in --volume=*:/out) part=${word#--volume=} out=${part%%:*} ;; esac
    case $word in --volume=*:/repository) part=${word#--volume=} repository=${part%%:*} ;; esac
done
cd "$out"
%s
"""


@dataclass
class Docker:
    """A docker client; `does` says what its containers do."""

    does: Callable[[str], object]
    file: Path

    @property
    def told(self) -> list[str]:
        """Every word that it was told, in order."""
        return self.file.read_text().splitlines() if self.file.exists() else []


@pytest.fixture
def job(tmp_path: Path) -> Job:
    repo = tmp_path / "repo"
    (repo / "vagrant/components/thing").mkdir(parents=True)
    (tmp_path / "thing-1.part").mkdir()
    (tmp_path / "thing.log").touch()
    scratch = tmp_path / "scratch"
    source = repo / "vagrant/components/thing"
    return Job("thing", repo, source, tmp_path / "thing-1.part", scratch, tmp_path / "thing.log")


@pytest.fixture
def docker(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    does = Docker(lambda script: program("docker", DOCKER % script), tmp_path / "told")
    does.does("")
    return does


@pytest.fixture
def toolchain() -> Toolchain:
    return Toolchain(lambda: "f0labs/base:tools")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"
