"""Images: what decides their names, that hosts of other roles have others, and that the user's own are left alone."""

import io
import json
import secrets
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docker import DockerClient

from labs.engine.cache import Cache
from labs.engine.course.edition import Edition
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.docker_client import image_exists
from labs.engine.errors import LabError
from labs.engine.events import Events, Started
from labs.engine.software.archives import image_names, rename_image
from labs.engine.software.base_images import BaseImages
from labs.engine.software.components import Builder
from labs.engine.software.images import Images, remove_images

NEEDS = Needs(components=["pause"], images=["pause"])
Remover = Callable[[str], str]


@pytest.fixture
def images(
    small_repo: Path, cache: Cache, small_edition: Edition, bases: BaseImages, topology: Topology, remove_later: Remover
) -> Images:
    images = make(small_repo, cache, small_edition, bases)
    everything = topology.with_optional_roles(["zookeeper", "delivery"])
    for tag in {*images.host_tags(NEEDS, everything).values(), *images.host_tags(NEEDS, topology).values()}:
        remove_later(tag)
    return images


def make(repo: Path, cache: Cache, edition: Edition, bases: BaseImages) -> Images:
    builder = Builder(repo, cache, edition)
    for name in edition.components:
        (builder.folder(name) / "bin").mkdir(parents=True, exist_ok=True)
        (builder.folder(name) / "bin" / name).write_text(name)
    return Images(repo, cache, edition, bases, builder)


def files_of(client: DockerClient, tag: str) -> dict[str, bytes]:
    """The files of an image and their contents."""
    container = client.containers.create(tag, "nothing")
    try:
        archive = b"".join(container.export())
    finally:
        container.remove()
    return contents(archive)


def contents(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}  # type: ignore[union-attr]


def files_in(archive: Path) -> dict[str, bytes]:
    """The files in all layers of an image archive."""
    with tarfile.open(archive) as tar:
        (image,) = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        layers = [tar.extractfile(layer).read() for layer in image["Layers"]]  # type: ignore[union-attr]
    return {name: content for layer in layers for name, content in contents(layer).items()}


@pytest.mark.parametrize("file", ["Dockerfile", "packages.txt", "provision", "lab-init", "lab-overlay"])
def test_another_file_of_the_image_is_another_image(images: Images, small_repo: Path, file: str) -> None:
    before = images.host_tag(["pause"])
    with (small_repo / "vagrant/image" / file).open("a") as text:
        text.write("# changed\n")
    assert images.host_tag(["pause"]) != before


def test_the_recipe_of_base_images_is_no_part_of_the_host_image(images: Images, small_repo: Path) -> None:
    before = images.host_tag(["pause"])
    (small_repo / "vagrant/image/packages.Dockerfile").write_text("# changed\n")
    assert images.host_tag(["pause"]) == before


def test_other_components_are_another_image(images: Images) -> None:
    assert images.host_tag(["pause"]) != images.host_tag(["pause", "crane"])
    assert images.host_tag(["crane", "pause"]) == images.host_tag(["pause", "crane"])


def test_a_component_that_is_built_otherwise_is_another_image(images: Images, small_repo: Path) -> None:
    host, archive = images.host_tag(["pause"]), images.archives(["pause"])
    (small_repo / "vagrant/components/pause/go.mod").write_text("changed\n")
    assert images.host_tag(["pause"]) != host
    assert images.archives(["pause"]) != archive


def test_another_debian_is_another_image(
    images: Images, small_repo: Path, cache: Cache, small_edition: Edition, client: DockerClient
) -> None:
    edition = small_edition.model_copy(update={"debian": "forky"})
    later = make(small_repo, cache, edition, BaseImages(small_repo, cache, edition, client))
    assert later.host_tag([]) != images.host_tag([])
    assert later.archives(["pause"]) != images.archives(["pause"])


def test_another_recipe_of_a_container_image_is_another_archive(images: Images, small_repo: Path) -> None:
    before = images.archives(["pause"])["pause"]
    (small_repo / "vagrant/image/containers/pause/Dockerfile").write_text("FROM scratch\n")
    assert images.archives(["pause"])["pause"] != before
    assert before.name.startswith("pause-")


def test_every_file_beside_the_recipe_is_in_the_image_and_decides_its_archive(
    images: Images, topology: Topology, events: Events, small_repo: Path
) -> None:
    folder = small_repo / "vagrant/image/containers/pause"
    before = images.archives(["pause"])["pause"]
    (folder / "page").mkdir()
    (folder / "page/index.html").write_text("one")
    first = images.archives(["pause"])["pause"]
    (folder / "page/index.html").rename(folder / "page/other.html")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY page /page\n")
    archive = images.archives(["pause"])["pause"]
    assert len({before, first, archive}) == 3
    images.ensure(NEEDS, topology, events)
    assert files_in(archive) == {"page/other.html": b"one"}


def test_hosts_with_the_same_optional_roles_share_an_image(images: Images, topology: Topology) -> None:
    tags = images.host_tags(NEEDS, topology.with_optional_roles(["zookeeper", "delivery"]))
    assert tags["f0-11"] == tags["f0-12"] == tags["f0-13"] == images.host_tag(["jre", "pause"])
    assert tags["f0-14"] == images.host_tag(["pause"])
    assert tags["f0-15"] == images.host_tag(["pause"], ["git", "maven"])


def test_all_hosts_share_one_image_without_optional_roles(images: Images, topology: Topology) -> None:
    assert {*images.host_tags(NEEDS, topology).values()} == {images.host_tag(["pause"])}


def test_a_host_image_has_its_components_and_its_list_of_packages(
    images: Images, topology: Topology, client: DockerClient, events: Events
) -> None:
    tags = images.ensure(NEEDS, topology.with_optional_roles(["zookeeper", "delivery"]), events)
    ops, node = files_of(client, tags["f0-15"]), files_of(client, tags["f0-13"])
    assert ops["opt/pause/bin/pause"] == b"pause"
    assert ops["opt/f0/packages.txt"].endswith(b"vim-tiny\ngit\nmaven\n")
    assert node["opt/jre/bin/jre"] == b"jre"
    assert node["opt/f0/packages.txt"].endswith(b"vim-tiny\n")


def test_what_exists_is_not_built_again(images: Images, topology: Topology) -> None:
    started: list[object] = []
    images.ensure(NEEDS, topology, Events(started.append))
    assert len([event for event in started if isinstance(event, Started)]) == 2
    started.clear()
    images.ensure(NEEDS, topology, Events(started.append))
    assert started == []


def test_a_container_image_has_a_go_program_or_all_of_another_component(
    images: Images, topology: Topology, events: Events, small_repo: Path
) -> None:
    (small_repo / "vagrant/image/containers/probe/Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    images.ensure(Needs(components=["pause"], images=["probe"]), topology, events)
    assert sorted(files_in(images.archives(["probe"])["probe"])) == ["Dockerfile", "crane", "jre/bin/jre"]


def test_an_archive_appears_whole_and_its_tag_is_removed(
    images: Images, topology: Topology, events: Events, client: DockerClient
) -> None:
    images.ensure(NEEDS, topology, events)
    archive = images.archives(["pause"])["pause"]
    assert image_names(archive) == ["harbor.frank.com/public/pause:1"]
    assert [file.name for file in archive.parent.iterdir()] == [archive.name]
    assert client.images.list("f0labs/build-pause") == []
    assert not image_exists(client, "harbor.frank.com/public/pause:1")


def test_the_users_image_of_the_same_name_is_left_alone(
    images: Images, topology: Topology, events: Events, client: DockerClient, empty_image: Callable[[str], str]
) -> None:
    if image_exists(client, "traefik:v3.7.13"):
        pytest.skip("this machine's user has the image that this test would make")
    users = client.images.get(empty_image("traefik:v3.7.13")).id
    images.ensure(Needs(components=["pause"], images=["traefik"]), topology, events)
    assert client.images.get("traefik:v3.7.13").id == users
    archive = images.archives(["traefik"])["traefik"]
    assert image_names(archive) == ["traefik:v3.7.13"]
    assert files_in(archive)["image/crane"] == b"crane"


def test_a_renamed_archive_is_loaded_under_its_new_name(
    client: DockerClient, empty_image: Callable[[str], str], remove_later: Remover, tmp_path: Path
) -> None:
    old, new = empty_image(f"f0labs-t/old:{secrets.token_hex(4)}"), f"f0labs-t/new:{secrets.token_hex(4)}"
    with (tmp_path / "old.tar").open("wb") as file:
        file.writelines(client.images.get(old).save(named=old))
    rename_image(tmp_path / "old.tar", tmp_path / "new.tar", new)
    with (tmp_path / "new.tar").open("rb") as file:
        (loaded,) = client.images.load(file)
    assert loaded.id == client.images.get(remove_later(new)).id == client.images.get(old).id


@pytest.mark.parametrize(
    ("reference", "canonical"),
    [
        ("traefik:v3.7.13", "docker.io/library/traefik:v3.7.13"),
        ("coredns/coredns:1.14.7", "docker.io/coredns/coredns:1.14.7"),
        ("harbor.frank.com/public/pause:3", "harbor.frank.com/public/pause:3"),
    ],
)
def test_an_archive_in_ocis_layout_is_renamed_for_containerd(tmp_path: Path, reference: str, canonical: str) -> None:
    names = {"io.containerd.image.name": "docker.io/old:1", "org.opencontainers.image.ref.name": "1"}
    index = {"schemaVersion": 2, "manifests": [{"digest": "a", "annotations": names}, {"digest": "b"}]}
    (tmp_path / "index.json").write_text(json.dumps(index))
    with tarfile.open(tmp_path / "old.tar", "w") as file:
        file.add(tmp_path / "index.json", "index.json")
    rename_image(tmp_path / "old.tar", tmp_path / "new.tar", reference)
    with tarfile.open(tmp_path / "new.tar") as file:
        renamed = json.load(file.extractfile("index.json"))  # type: ignore[arg-type]
    assert renamed["manifests"][0]["annotations"] == {
        "io.containerd.image.name": canonical,
        "org.opencontainers.image.ref.name": reference.split(":")[1],
    }
    assert renamed["manifests"][1] == {"digest": "b"}


def test_an_image_that_cannot_be_built_is_an_error_with_the_end_of_its_log(
    images: Images, topology: Topology, events: Events, small_repo: Path
) -> None:
    (small_repo / "vagrant/image/Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY nothing /\n")
    with pytest.raises(LabError) as raised:
        images.ensure(NEEDS, topology, events)
    assert raised.value.code == "image-build"
    assert str(raised.value).startswith(f"The image {images.host_tag(['pause'])} could not be built:\n")
    assert str(raised.value.hint) == "Is the disk full? `invoke doctor` tells you."


class Engine:
    """Docker images by their tags, instead of this machine's, of which none may be removed."""

    def __init__(self, *images: list[str]) -> None:
        self.images, self._images = self, images
        self.removed: list[str] = []

    def list(self, repository: str) -> "list[Tagged]":
        return [Tagged(tags) for tags in self._images if any(tag.startswith(f"{repository}:") for tag in tags)]

    def remove(self, tag: str, force: bool) -> None:
        self.removed.append(tag)


class Tagged:
    def __init__(self, tags: list[str]) -> None:
        self.tags = tags


def test_only_tags_of_hosts_and_bases_are_removed() -> None:
    engine = Engine(["f0labs/host:1"], ["f0labs/base:1", "debian:trixie-slim"], ["f0labs/other:1"])
    remove_images(engine)
    assert sorted(engine.removed) == ["f0labs/base:1", "f0labs/host:1"]
