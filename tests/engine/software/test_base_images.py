"""Base images: where Debian comes from, with which packages, and what is told when it comes from nowhere."""

import shutil
from pathlib import Path

import pytest
from docker.errors import APIError

from labs.engine.course.edition import Edition
from labs.engine.errors import LabError
from labs.engine.software.base_images import Bases, debian_sources
from labs.engine.terminal.progress import Tasks
from tests.engine.conftest import REPO, Program
from tests.engine.fakes import FakeDocker

DEBIAN = """\
cat <<END
http://mirror.example/debian/ bookworm
http://mirror.example/debian/ bookworm-updates
http://mirror.example/debian-security/ bookworm-security
END
"""


@pytest.fixture
def engine() -> FakeDocker:
    engine = FakeDocker()
    engine.images.refusal = APIError("500", explanation="registry unreachable")
    return engine


@pytest.fixture
def bases(tmp_path: Path, engine: FakeDocker) -> Bases:
    shutil.copytree(REPO / "vagrant/image", tmp_path / "repo/vagrant/image")
    return make(tmp_path, engine, "trixie")


def make(folder: Path, engine: FakeDocker, debian: str) -> Bases:
    return Bases(folder / "repo", folder / "cache", Edition(debian=debian, components={}, images={}), engine)


def refusal(bases: Bases, tasks: Tasks) -> LabError:
    with pytest.raises(LabError) as raised:
        bases.provide(tasks)
    return raised.value


def test_other_packages_are_another_base(bases: Bases, tmp_path: Path) -> None:
    before = [bases.tag(), bases.tag(["maven"])]
    with (tmp_path / "repo/vagrant/image/packages.txt").open("a") as text:
        text.write("emacs\n")
    assert len({*before, bases.tag(), bases.tag(["maven"])}) == 4


def test_the_order_of_packages_does_not_matter(bases: Bases) -> None:
    assert bases.tag(["git", "maven"]) == bases.tag(["maven", "git"])


def test_another_debian_is_another_base(bases: Bases, tmp_path: Path, engine: FakeDocker) -> None:
    assert make(tmp_path, engine, "forky").tag() != bases.tag()


def test_a_base_that_is_there_is_not_made_again(bases: Bases, engine: FakeDocker, tasks: Tasks) -> None:
    engine.images.tags.add(bases.tag(["maven"]))
    assert bases.provide(tasks, ["maven"]) == bases.tag(["maven"])
    assert engine.images.tags == {bases.tag(["maven"])}


def test_more_packages_are_installed_into_debians_own_image(bases: Bases, engine: FakeDocker, tasks: Tasks) -> None:
    engine.images.refusal = None
    bases.provide(tasks, ["maven"])
    assert engine.images.built == [bases.tag(["maven"])]
    assert engine.images.contexts[bases.tag(["maven"])]["packages.txt"].endswith("\nmaven\n")


def test_more_packages_are_installed_from_this_systems_sources(
    bases: Bases, tasks: Tasks, program: Program, tmp_path: Path
) -> None:
    program("apt-get", DEBIAN)
    program("mmdebstrap", f'for argument; do echo "$argument"; done > {tmp_path}/told')
    bases.provide(tasks, ["maven", "git"])
    (included,) = [line for line in (tmp_path / "told").read_text().splitlines() if line.startswith("--include=")]
    assert included.endswith(",vim-tiny,git,maven")


def test_debians_own_image_is_taken_where_it_can_be_pulled(bases: Bases, engine: FakeDocker, tasks: Tasks) -> None:
    engine.images.refusal = None
    assert bases.provide(tasks) == bases.tag()
    assert engine.images.tags == {bases.tag()}
    assert engine.imported == []


def test_else_debian_is_installed_from_this_systems_sources(
    bases: Bases, engine: FakeDocker, tasks: Tasks, program: Program, tmp_path: Path
) -> None:
    program("apt-get", DEBIAN)
    program("mmdebstrap", f'for argument; do echo "$argument"; done > {tmp_path}/told')
    bases.provide(tasks)
    told = (tmp_path / "told").read_text().splitlines()
    assert "deb http://mirror.example/debian/ trixie main" in told
    assert [line for line in told if line.startswith("--include=systemd,systemd-sysv,")]
    assert [f"{repository}:{tag}" for _, repository, tag in engine.imported] == [bases.tag()]


def test_no_pull_and_no_sources_is_told(bases: Bases, tasks: Tasks, program: Program) -> None:
    program("apt-get", "")
    error = refusal(bases, tasks)
    assert error.message == (
        "debian:trixie-slim can't be pulled (registry unreachable), and apt has no Debian sources."
    )
    assert error.hint == (
        "Configure a registry mirror for Docker, or load a bundle made elsewhere: invoke bundle.load FILE."
    )


def test_no_pull_and_no_mmdebstrap_is_told(
    bases: Bases, tasks: Tasks, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program("apt-get", DEBIAN.replace("cat", "/bin/cat")).parent))
    assert refusal(bases, tasks).message.endswith(", and mmdebstrap is not installed.")


def test_packages_that_cannot_be_had_are_told_with_the_log(
    bases: Bases, tasks: Tasks, program: Program, tmp_path: Path
) -> None:
    program("apt-get", DEBIAN)
    program("mmdebstrap", "seq 1 5; echo 'E: 404 Not Found' >&2; exit 25")
    error = refusal(bases, tasks)
    assert error.message == "Debian's packages could not be installed:\n4\n5\nE: 404 Not Found"
    assert error.hint == f"Check this system's apt sources. The whole log is {tmp_path}/cache/log/base.log."


def test_sources_are_this_systems_mirrors_with_the_courses_debian(program: Program) -> None:
    program("apt-get", DEBIAN)
    assert debian_sources("trixie") == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb http://mirror.example/debian-security/ trixie-security main",
    ]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("echo http://mirror.example/debian bookworm", 2),
        ("echo http://mirror.example/debian-security bookworm-security", 0),
        ("echo; echo http://mirror.example/flat", 0),
        ("true", 0),
        ("exit 100", 0),
    ],
)
def test_a_system_with_fewer_sources_has_fewer_lines(program: Program, listed: str, expected: int) -> None:
    program("apt-get", listed)
    assert len(debian_sources("trixie")) == expected


@pytest.mark.usefixtures("no_programs")
def test_a_system_without_apt_has_no_sources() -> None:
    assert debian_sources("trixie") == []
