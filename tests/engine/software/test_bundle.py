"""Bundles: what one machine saves another one loads, and a file that can't be used changes nothing."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docker import DockerClient

from labs.engine.cache import Cache
from labs.engine.course.catalog import Catalog, load_catalog
from labs.engine.course.course import Course
from labs.engine.course.edition import Edition
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.docker_client import image_exists
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.software.bundle import load_bundle, save_bundle
from labs.engine.software.software import Software
from tests.engine.conftest import REPO

NEEDS = {
    "first": Needs(components=["pause"], images=["pause"]),
    "second": Needs(components=["crane"], roles=["zookeeper"]),
}


@pytest.fixture
def course(small_repo: Path, small_edition: Edition, topology: Topology) -> Course:
    """A course with two labs, which need different images for some hosts."""
    lab = load_catalog(REPO).lab("flannel")
    labs = {id: lab.model_copy(update={"id": id, "after": [], "needs": needs}) for id, needs in NEEDS.items()}
    return Course(small_repo, Catalog(labs), topology, small_edition)


def host_images(course: Course, id: str) -> set[str]:
    software = Software(course.repo, Cache(Path("/nowhere")), course.edition, None)
    topology = course.topology.with_optional_roles(NEEDS[id].roles)
    return {*software.host_images(course.needs(id), topology).values()}


@pytest.fixture
def tags(course: Course, empty_image: Callable[[str], str]) -> list[str]:
    """The host images of all labs, which the Docker engine has."""
    return [empty_image(tag) for tag in sorted(host_images(course, "first") | host_images(course, "second"))]


@pytest.fixture
def full(course: Course, cache: Cache, tags: list[str]) -> Cache:
    """A cache with everything that the labs need."""
    software = Software(course.repo, cache, course.edition, None)
    for name, folder in software.components(NEEDS.values()).items():
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / name).write_text(name)
        (folder / "bin" / name).chmod(0o755)
        (folder / "bin" / f"{name}-link").symlink_to(name)
    (cache.root / "images").mkdir()
    for archive in software.archives(NEEDS.values()).values():
        archive.write_text(archive.name)
    return cache


@pytest.fixture
def file(course: Course, full: Cache, tmp_path: Path, events: Events) -> Path:
    """A bundle."""
    save_bundle(course, full, tmp_path / "bundle.tar", events)
    return tmp_path / "bundle.tar"


@pytest.fixture
def other(tmp_path: Path) -> Cache:
    """The cache of another machine."""
    return Cache(tmp_path / "other")


def listing(cache: Cache) -> list[str]:
    folders = [cache.root / "components", cache.root / "images"]
    return sorted(str(path.relative_to(cache.root)) for folder in folders for path in folder.rglob("*"))


def repack(file: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Write a bundle anew, its regular files changed by a function."""
    with tarfile.open(file) as old:
        entries = [(entry, old.extractfile(entry).read() if entry.isfile() else b"") for entry in old]  # type: ignore[union-attr]
    contents = {entry.name: content for entry, content in entries if entry.isfile()}
    change(contents)
    staging = file.with_name("staging")
    with tarfile.open(file, "w") as new:
        for entry, _ in entries:
            if entry.isfile() and entry.name in contents:
                staging.write_bytes(contents[entry.name])
                entry.size = staging.stat().st_size
                with staging.open("rb") as content:
                    new.addfile(entry, content)
            elif not entry.isfile():
                new.addfile(entry)


def contents_with(**changes: object) -> Callable[[dict[str, bytes]], object]:
    """A change to what a bundle says of itself."""

    def change(files: dict[str, bytes]) -> None:
        files["bundle.json"] = json.dumps({**json.loads(files["bundle.json"]), **changes}).encode()

    return change


def not_loaded(course: Course, file: Path, cache: Cache, events: Events) -> LabError:
    """The error of loading a bundle, which has changed nothing."""
    with pytest.raises(LabError) as raised:
        load_bundle(course, cache, file, events)
    assert raised.value.code == "bundle"
    assert listing(cache) == []
    return raised.value


def not_saved(course: Course, cache: Cache, file: Path, events: Events) -> LabError:
    with pytest.raises(LabError) as raised:
        save_bundle(course, cache, file, events)
    assert raised.value.code == "bundle"
    assert not file.exists()
    return raised.value


def remove(client: DockerClient, tags: list[str]) -> None:
    for tag in tags:
        client.images.remove(tag)


def test_another_machine_gets_all_of_it(
    course: Course, file: Path, full: Cache, other: Cache, client: DockerClient, tags: list[str], events: Events
) -> None:
    remove(client, tags)
    load_bundle(course, other, file, events)
    assert listing(other) == listing(full)
    assert [image_exists(client, tag) for tag in tags] == [True, True, True]


def test_programs_and_links_stay_what_they_are(course: Course, file: Path, other: Cache, events: Events) -> None:
    load_bundle(course, other, file, events)
    programs = Software(course.repo, other, course.edition, None).components(NEEDS.values())["crane"] / "bin"
    assert (programs / "crane").stat().st_mode & 0o777 == 0o755
    assert (programs / "crane-link").readlink() == Path("crane")


def test_the_size_of_a_bundle_is_returned(course: Course, full: Cache, tmp_path: Path, events: Events) -> None:
    assert save_bundle(course, full, tmp_path / "bundle.tar", events) == (tmp_path / "bundle.tar").stat().st_size


def test_loading_twice_is_harmless(course: Course, file: Path, full: Cache, other: Cache, events: Events) -> None:
    load_bundle(course, other, file, events)
    load_bundle(course, other, file, events)
    assert listing(other) == listing(full)


def test_what_is_not_built_yet_is_listed(course: Course, full: Cache, tmp_path: Path, events: Events) -> None:
    next((full.root / "components").glob("crane-*")).rename(tmp_path / "away")
    error = not_saved(course, full, tmp_path / "bundle.tar", events)
    assert str(error).startswith("Not built yet: crane-")
    assert str(error.hint) == "Start each lab once, such as: invoke lab.up flannel"


def test_labs_without_host_images_are_listed(
    course: Course, full: Cache, tmp_path: Path, client: DockerClient, events: Events
) -> None:
    remove(client, sorted(host_images(course, "second") - host_images(course, "first")))
    error = not_saved(course, full, tmp_path / "bundle.tar", events)
    assert str(error) == "Not built yet: the host images of 'second'."


def test_a_folder_that_does_not_exist_is_an_error(course: Course, full: Cache, tmp_path: Path, events: Events) -> None:
    error = not_saved(course, full, tmp_path / "nowhere/bundle.tar", events)
    assert str(error) == f"Cannot write the bundle {tmp_path}/nowhere/bundle.tar: No such file or directory."
    assert str(error.hint).startswith("Choose a folder with enough free space")


def test_a_missing_bundle_is_an_error(course: Course, tmp_path: Path, other: Cache, events: Events) -> None:
    error = not_loaded(course, tmp_path / "none.tar", other, events)
    assert str(error) == f"There is no file {tmp_path}/none.tar."
    assert str(error.hint) == "Make a bundle on a machine with a network: invoke bundle.save FILE"


def test_a_file_that_is_no_archive_is_an_error(course: Course, tmp_path: Path, other: Cache, events: Events) -> None:
    (tmp_path / "notes.txt").write_text("no bundle")
    error = not_loaded(course, tmp_path / "notes.txt", other, events)
    assert str(error).startswith(f"{tmp_path}/notes.txt is not an f0 labs bundle, or it is damaged (")
    assert str(error.hint) == "Make it again: invoke bundle.save FILE"


def test_an_archive_of_something_else_is_an_error(course: Course, tmp_path: Path, other: Cache, events: Events) -> None:
    tarfile.open(tmp_path / "else.tar", "w").close()
    assert "is not an f0 labs bundle" in str(not_loaded(course, tmp_path / "else.tar", other, events))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.8])
def test_a_bundle_that_ends_early_changes_nothing(
    course: Course, file: Path, other: Cache, events: Events, part: float
) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])
    assert "is not an f0 labs bundle, or it is damaged" in str(not_loaded(course, file, other, events))


def test_a_bundle_that_lacks_what_it_lists_changes_nothing(
    course: Course, file: Path, other: Cache, events: Events
) -> None:
    repack(file, lambda files: [files.pop(name) for name in [*files] if name.startswith("images/pause-")])
    assert "it is damaged" in str(not_loaded(course, file, other, events))


def test_a_bundle_for_another_architecture_changes_nothing(
    course: Course, file: Path, other: Cache, client: DockerClient, tags: list[str], events: Events
) -> None:
    remove(client, tags)
    repack(file, contents_with(architecture="riscv64"))
    error = not_loaded(course, file, other, events)
    assert str(error).startswith(f"The bundle {file} is for riscv64 machines, but this one is ")
    assert [image_exists(client, tag) for tag in tags] == [False, False, False]
    assert not other.root.exists()


def test_a_bundle_of_another_edition_changes_nothing(
    course: Course, file: Path, other: Cache, client: DockerClient, tags: list[str], events: Events
) -> None:
    remove(client, tags)
    repack(file, contents_with(parts=["components/crane-0.1-abc"]))
    error = not_loaded(course, file, other, events)
    assert str(error).startswith(f"The bundle {file} is from another version of f0 labs. It lacks components/crane-2-")
    assert str(error.hint) == "Make a bundle with this version on a machine with a network: invoke bundle.save FILE"
    assert [image_exists(client, tag) for tag in tags] == [False, False, False]
    assert not other.root.exists()


def test_an_image_under_another_name_is_refused(
    course: Course, file: Path, other: Cache, tags: list[str], events: Events
) -> None:
    repack(file, lambda files: files.update({"host-images/0.tar": files["host-images/1.tar"]}))
    assert "it is damaged (0.tar" in str(not_loaded(course, file, other, events))


def test_an_image_that_docker_refuses_is_an_error(course: Course, file: Path, other: Cache, events: Events) -> None:
    def cut_layers(files: dict[str, bytes]) -> None:
        files["host-images/0.tar"] = files["host-images/0.tar"].replace(b"layer.tar", b"other.tar")

    repack(file, cut_layers)
    assert "it is damaged (" in str(not_loaded(course, file, other, events))
