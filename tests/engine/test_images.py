"""Images: what decides their names, where Debian comes from, and what is told when it comes from nowhere."""

import shutil
from pathlib import Path

import pytest
from docker.errors import APIError, BuildError

from labs.engine.components import Builder
from labs.engine.edition import Component, Edition, Image
from labs.engine.errors import LabError
from labs.engine.images import Images, debian_sources
from labs.engine.progress import Tasks
from tests.engine.conftest import REPO, Program
from tests.engine.fakes import FakeDocker

EDITION = Edition(
    debian="trixie",
    components={
        "pause": Component(version="1", package=".", output="pause"),
        "crane": Component(version="2", package="x"),
    },
    images={"pause": Image(name="harbor.frank.com/public/pause", version="1", components=["pause"])},
)
DEBIAN = """\
cat <<END
http://mirror.example/debian/ bookworm
http://mirror.example/debian/ bookworm-updates
http://mirror.example/debian-security/ bookworm-security
END
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    shutil.copytree(REPO / "vagrant/image", tmp_path / "repo/vagrant/image")
    for name in EDITION.components:
        (tmp_path / f"repo/vagrant/components/{name}").mkdir(parents=True)
        (tmp_path / f"repo/vagrant/components/{name}/go.mod").touch()
    return tmp_path / "repo"


@pytest.fixture
def engine() -> FakeDocker:
    engine = FakeDocker()
    engine.images.refusal = APIError("500", explanation="registry unreachable")
    return engine


@pytest.fixture
def images(repo: Path, tmp_path: Path, engine: FakeDocker) -> Images:
    return make(repo, tmp_path, engine)


def make(repo: Path, tmp_path: Path, engine: FakeDocker, edition: Edition = EDITION) -> Images:
    builder = Builder(repo, tmp_path / "cache", edition)
    for name in EDITION.components:
        (builder.folder(name) / "bin").mkdir(parents=True, exist_ok=True)
        (builder.folder(name) / "bin" / name).touch()
    return Images(repo, tmp_path / "cache", edition, engine, builder)


def refusal(images: Images, tasks: Tasks) -> LabError:
    with pytest.raises(LabError) as raised:
        images.provide(["pause"], [], tasks)
    return raised.value


@pytest.mark.parametrize("file", ["Dockerfile", "packages.txt", "provision", "lab-init", "lab-overlay"])
def test_another_file_of_the_image_is_another_image(images: Images, repo: Path, file: str) -> None:
    before = images.host_tag(["pause"])
    with (repo / "vagrant/image" / file).open("a") as text:
        text.write("# changed\n")
    assert images.host_tag(["pause"]) != before


def test_other_components_are_another_image(images: Images) -> None:
    assert images.host_tag(["pause"]) != images.host_tag(["pause", "crane"])
    assert images.host_tag(["crane", "pause"]) == images.host_tag(["pause", "crane"])


def test_a_component_that_is_built_otherwise_is_another_image(images: Images, repo: Path) -> None:
    host, archive = images.host_tag(["pause"]), images.archives(["pause"])
    (repo / "vagrant/components/pause/go.mod").write_text("changed\n")
    assert images.host_tag(["pause"]) != host
    assert images.archives(["pause"]) != archive


def test_another_debian_is_another_base(images: Images, repo: Path, tmp_path: Path, engine: FakeDocker) -> None:
    later = make(repo, tmp_path, engine, EDITION.model_copy(update={"debian": "forky"}))
    assert later.base_tag != images.base_tag
    assert later.archives(["pause"]) != images.archives(["pause"])


def test_another_recipe_of_a_container_image_is_another_archive(images: Images, repo: Path) -> None:
    before = images.archives(["pause"])["pause"]
    (repo / "vagrant/image/containers/pause/Dockerfile").write_text("FROM scratch\n")
    assert images.archives(["pause"])["pause"] != before
    assert before.name.startswith("pause-")


def test_debians_own_image_is_taken_where_it_can_be_pulled(images: Images, engine: FakeDocker, tasks: Tasks) -> None:
    engine.images.refusal = None
    tag = images.provide(["pause"], [], tasks)
    assert engine.images.tags == {images.base_tag, tag}
    assert engine.imported == []


def test_else_debian_is_installed_from_this_systems_sources(
    images: Images, engine: FakeDocker, tasks: Tasks, program: Program, tmp_path: Path
) -> None:
    program("apt-get", DEBIAN)
    program("mmdebstrap", f'for argument; do echo "$argument"; done > {tmp_path}/told')
    images.provide(["pause"], [], tasks)
    told = (tmp_path / "told").read_text().splitlines()
    assert "deb http://mirror.example/debian/ trixie main" in told
    assert [line for line in told if line.startswith("--include=systemd,systemd-sysv,")]
    assert [f"{repository}:{tag}" for _, repository, tag in engine.imported] == [images.base_tag]


def test_what_is_there_is_not_made_again(images: Images, engine: FakeDocker, tasks: Tasks) -> None:
    engine.images.refusal = None
    images.provide(["pause"], ["pause"], tasks)
    engine.images.built.clear()
    images.provide(["pause"], ["pause"], tasks)
    assert engine.images.built == []


def test_an_archive_appears_whole_and_its_image_is_removed(images: Images, engine: FakeDocker, tasks: Tasks) -> None:
    engine.images.refusal = None
    images.provide(["pause"], ["pause"], tasks)
    archive = images.archives(["pause"])["pause"]
    assert archive.read_text() == "harbor.frank.com/public/pause:1"
    assert [file.name for file in archive.parent.iterdir()] == [archive.name]
    assert engine.images.removed == ["harbor.frank.com/public/pause:1"]


def test_no_pull_and_no_sources_is_told(images: Images, tasks: Tasks, program: Program) -> None:
    program("apt-get", "")
    error = refusal(images, tasks)
    assert error.message == (
        "debian:trixie-slim can't be pulled (registry unreachable), and apt has no Debian sources."
    )
    assert error.hint == (
        "Configure a registry mirror for Docker, or load a bundle made elsewhere: invoke bundle.load FILE."
    )


def test_no_pull_and_no_mmdebstrap_is_told(
    images: Images, tasks: Tasks, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program("apt-get", DEBIAN.replace("cat", "/bin/cat")).parent))
    assert refusal(images, tasks).message.endswith(", and mmdebstrap is not installed.")


def test_packages_that_cannot_be_had_are_told_with_the_log(
    images: Images, tasks: Tasks, program: Program, tmp_path: Path
) -> None:
    program("apt-get", DEBIAN)
    program("mmdebstrap", "seq 1 5; echo 'E: 404 Not Found' >&2; exit 25")
    error = refusal(images, tasks)
    assert error.message == "Debian's packages could not be installed:\n4\n5\nE: 404 Not Found"
    assert error.hint == f"Check this system's apt sources. The whole log is {tmp_path}/cache/log/base.log."


@pytest.mark.parametrize(
    "error",
    [
        BuildError("failed", iter([{"stream": "Step 1\n"}, {"error": "write: no space left on device"}])),
        APIError("500", explanation="Step 1\nwrite: no space left on device"),
    ],
)
def test_an_image_that_cannot_be_built_is_told(
    images: Images, engine: FakeDocker, tasks: Tasks, error: Exception
) -> None:
    engine.images.refusal, engine.images.build_error = None, error
    told = refusal(images, tasks)
    tag = images.host_tag(["pause"])
    assert told.message == f"The image {tag} could not be built:\nStep 1\nwrite: no space left on device"
    assert told.hint == "Is the disk full? `invoke doctor` tells."


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
