"""Images: what decides their names, that hosts of other roles have others, and that nothing is made twice."""

import shutil
from pathlib import Path

import pytest
from docker.errors import APIError, BuildError

from labs.engine.course.edition import Edition, GoComponent, Image, JlinkComponent, Role
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.software.base_images import Bases
from labs.engine.software.components import Builder
from labs.engine.software.images import Images
from labs.engine.terminal.progress import Tasks
from tests.engine.conftest import REPO
from tests.engine.fakes import FakeDocker

EDITION = Edition(
    debian="trixie",
    components={
        "pause": GoComponent(version="1", package=".", output="pause"),
        "crane": GoComponent(version="2", package="x"),
        "jre": JlinkComponent(kind="jlink", version="21", modules=["java.base"]),
    },
    images={
        "pause": Image(name="harbor.frank.com/public/pause", version="1", components=["pause"]),
        "probe": Image(name="base/jre", version="21", components=["jre", "crane"]),
    },
    roles={"zookeeper": Role(components=["jre"]), "delivery": Role(packages=["maven", "git"])},
    toolchain="delivery",
)
NEEDS = Needs(components=["pause"], images=["pause"])


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    shutil.copytree(REPO / "vagrant/image", tmp_path / "repo/vagrant/image")
    for name in EDITION.components:
        (tmp_path / f"repo/vagrant/components/{name}").mkdir(parents=True)
        (tmp_path / f"repo/vagrant/components/{name}/go.mod").touch()
    return tmp_path / "repo"


@pytest.fixture
def engine() -> FakeDocker:
    return FakeDocker()


@pytest.fixture
def images(repo: Path, tmp_path: Path, engine: FakeDocker) -> Images:
    return make(repo, tmp_path, engine)


def make(repo: Path, tmp_path: Path, engine: FakeDocker, edition: Edition = EDITION) -> Images:
    builder = Builder(repo, tmp_path / "cache", edition)
    for name in EDITION.components:
        (builder.folder(name) / "bin").mkdir(parents=True, exist_ok=True)
        (builder.folder(name) / "bin" / name).touch()
    return Images(repo, tmp_path / "cache", edition, Bases(repo, tmp_path / "cache", edition, engine), builder)


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
    assert later.host_tag([]) != images.host_tag([])
    assert later.archives(["pause"]) != images.archives(["pause"])


def test_another_recipe_of_a_container_image_is_another_archive(images: Images, repo: Path) -> None:
    before = images.archives(["pause"])["pause"]
    (repo / "vagrant/image/containers/pause/Dockerfile").write_text("FROM scratch\n")
    assert images.archives(["pause"])["pause"] != before
    assert before.name.startswith("pause-")


def test_every_file_beside_the_recipe_is_in_the_image_and_decides_its_archive(
    images: Images, topology: Topology, engine: FakeDocker, tasks: Tasks, repo: Path
) -> None:
    page = repo / "vagrant/image/containers/pause/page/index.html"
    before = images.archives(["pause"])["pause"]
    page.parent.mkdir()
    page.write_text("one")
    first = images.archives(["pause"])["pause"]
    page.rename(page.with_name("other.html"))
    assert len({before, first, images.archives(["pause"])["pause"]}) == 3
    images.provide(NEEDS, topology, tasks)
    assert engine.images.contexts["harbor.frank.com/public/pause:1"]["page/other.html"] == "one"


def test_hosts_with_the_same_roles_on_demand_share_an_image(images: Images, topology: Topology) -> None:
    tags = images.host_tags(NEEDS, topology.demanding(["zookeeper", "delivery"]))
    assert tags["f0-11"] == tags["f0-12"] == tags["f0-13"] == images.host_tag(["jre", "pause"])
    assert tags["f0-14"] == images.host_tag(["pause"])
    assert tags["f0-15"] == images.host_tag(["pause"], ["git", "maven"])


def test_all_hosts_share_one_when_no_role_is_demanded(images: Images, topology: Topology) -> None:
    assert {*images.host_tags(NEEDS, topology).values()} == {images.host_tag(["pause"])}


def test_every_image_is_made_once(images: Images, topology: Topology, engine: FakeDocker, tasks: Tasks) -> None:
    demanding = topology.demanding(["zookeeper", "delivery"])
    tags = images.provide(NEEDS, demanding, tasks)
    assert tags == images.host_tags(NEEDS, demanding)
    assert sorted(tag for tag in engine.images.built if tag.startswith("f0labs/host:")) == sorted({*tags.values()})


def test_what_is_there_is_not_made_again(images: Images, topology: Topology, engine: FakeDocker, tasks: Tasks) -> None:
    images.provide(NEEDS, topology, tasks)
    engine.images.built.clear()
    images.provide(NEEDS, topology, tasks)
    assert engine.images.built == []


def test_a_host_image_has_its_components_and_its_list_of_packages(
    images: Images, topology: Topology, engine: FakeDocker, tasks: Tasks
) -> None:
    tags = images.provide(NEEDS, topology.demanding(["delivery"]), tasks)
    assert "opt/pause/bin/pause" in engine.images.contexts[tags["f0-15"]]
    assert engine.images.contexts[tags["f0-15"]]["packages.txt"].endswith("vim-tiny\ngit\nmaven\n")
    assert engine.images.contexts[tags["f0-14"]]["packages.txt"].endswith("vim-tiny\n")


def test_a_container_image_has_a_go_program_or_all_of_another_component(
    images: Images, topology: Topology, engine: FakeDocker, tasks: Tasks
) -> None:
    images.provide(Needs(components=[], images=["probe"]), topology, tasks)
    assert sorted(engine.images.contexts["base/jre:21"]) == ["Dockerfile", "crane", "jre/bin/jre"]


def test_an_archive_appears_whole_and_its_image_is_removed(
    images: Images, topology: Topology, engine: FakeDocker, tasks: Tasks
) -> None:
    images.provide(NEEDS, topology, tasks)
    archive = images.archives(["pause"])["pause"]
    assert archive.read_text() == "harbor.frank.com/public/pause:1"
    assert [file.name for file in archive.parent.iterdir()] == [archive.name]
    assert engine.images.removed == ["harbor.frank.com/public/pause:1"]


@pytest.mark.parametrize(
    "error",
    [
        BuildError("failed", iter([{"stream": "Step 1\n"}, {"error": "write: no space left on device"}])),
        APIError("500", explanation="Step 1\nwrite: no space left on device"),
    ],
)
def test_an_image_that_cannot_be_built_is_told(
    images: Images, topology: Topology, engine: FakeDocker, tasks: Tasks, error: Exception
) -> None:
    engine.images.build_error = error
    with pytest.raises(LabError) as raised:
        images.provide(NEEDS, topology, tasks)
    tag = images.host_tag(["pause"])
    assert raised.value.message == f"The image {tag} could not be built:\nStep 1\nwrite: no space left on device"
    assert raised.value.hint == "Is the disk full? `invoke doctor` tells."
