"""Bundles: what one machine saved another one loads; and files that are no bundle of this edition."""

import re
import tarfile
from pathlib import Path

import pytest
from docker.errors import ImageLoadError

from labs.engine.course.catalog import Catalog, load_catalog
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import load_topology
from labs.engine.errors import LabError
from labs.engine.software import bundle
from labs.engine.software.bundle import load_bundle, save_bundle
from labs.engine.software.software import Software
from labs.engine.terminal.progress import Tasks
from tests.engine.conftest import REPO
from tests.engine.fakes import FakeDocker, FakeImages


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    engine = FakeDocker(FakeImages({"f0labs/host:of-an-older-edition"}))
    monkeypatch.setattr(bundle, "connect", lambda: engine)
    return engine


def host_images(cache: Path, catalog: Catalog) -> set[str]:
    """The tags of all labs' host images."""
    software, topology = Software(REPO, cache, None), load_topology(REPO)
    needs = [catalog.needs(id) for id in catalog.labs]
    return {tag for one in needs for tag in software.host_images(one, topology.demanding(one.roles)).values()}


def fill(cache: Path, engine: FakeDocker, catalog: Catalog) -> None:
    """Have in the cache and in the engine what the labs need."""
    software, needs = Software(REPO, cache, None), [catalog.needs(id) for id in catalog.labs]
    for name, folder in software.components(needs).items():
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / name).write_text(name)
        (folder / "bin" / f"{name}-link").unlink(missing_ok=True)
        (folder / "bin" / f"{name}-link").symlink_to(name)
    (cache / "images").mkdir(exist_ok=True)
    for archive in software.archives(needs).values():
        archive.write_text(archive.name)
    engine.images.tags |= host_images(cache, catalog)


@pytest.fixture
def cache(tmp_path: Path, engine: FakeDocker) -> Path:
    """A cache with all that this edition's labs need in it."""
    fill(tmp_path / "cache", engine, load_catalog(REPO))
    return tmp_path / "cache"


@pytest.fixture
def two_labs(cache: Path, engine: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A course with a second lab, which needs other images for some hosts, and all is built."""
    flannel = load_catalog(REPO).lab("flannel")
    other = flannel.model_copy(update={"id": "other", "needs": Needs(components=["kubernetes"], roles=["zookeeper"])})
    catalog = Catalog({"flannel": flannel, "other": other})
    monkeypatch.setattr(bundle, "load_catalog", lambda _: catalog)
    fill(cache, engine, catalog)
    return catalog


@pytest.fixture
def file(cache: Path, tmp_path: Path, tasks: Tasks) -> Path:
    """A bundle."""
    save_bundle(REPO, cache, tmp_path / "bundle.tar", tasks)
    return tmp_path / "bundle.tar"


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def not_loaded(file: Path, tmp_path: Path, tasks: Tasks) -> LabError:
    with pytest.raises(LabError) as raised:
        load_bundle(REPO, tmp_path / "other", file, tasks)
    return raised.value


def not_saved(cache: Path, file: Path, tasks: Tasks) -> LabError:
    with pytest.raises(LabError) as raised:
        save_bundle(REPO, cache, file, tasks)
    return raised.value


def test_another_machine_has_all_of_it(
    file: Path, cache: Path, tmp_path: Path, engine: FakeDocker, tasks: Tasks
) -> None:
    engine.images.tags.clear()
    load_bundle(REPO, tmp_path / "other", file, tasks)
    assert listing(tmp_path / "other") == listing(cache)
    assert engine.images.tags == host_images(cache, load_catalog(REPO))


def test_another_machine_has_the_host_images_of_all_labs(
    cache: Path, two_labs: Catalog, tmp_path: Path, engine: FakeDocker, tasks: Tasks
) -> None:
    save_bundle(REPO, cache, tmp_path / "bundle.tar", tasks)
    engine.images.tags.clear()
    load_bundle(REPO, tmp_path / "other", tmp_path / "bundle.tar", tasks)
    assert len(engine.images.tags) == 3
    assert engine.images.tags == host_images(cache, two_labs)


def test_links_stay_links(file: Path, tmp_path: Path, tasks: Tasks) -> None:
    load_bundle(REPO, tmp_path / "other", file, tasks)
    catalog = load_catalog(REPO)
    needed = Software(REPO, tmp_path, None).components(catalog.needs(id) for id in catalog.labs)
    links = [path.name for path in (tmp_path / "other").rglob("*-link") if path.is_symlink()]
    assert sorted(links) == sorted(f"{name}-link" for name in needed)


def test_loading_twice_is_harmless(file: Path, tmp_path: Path, tasks: Tasks) -> None:
    load_bundle(REPO, tmp_path / "other", file, tasks)
    load_bundle(REPO, tmp_path / "other", file, tasks)


def test_what_is_not_built_yet_is_told(cache: Path, tmp_path: Path, tasks: Tasks) -> None:
    next((cache / "components").glob("crane-*")).rename(tmp_path / "away")
    error = not_saved(cache, tmp_path / "bundle.tar", tasks)
    assert error.message.startswith("Not built yet: crane-")
    assert error.hint == "Bring each lab up once: invoke lab.up flannel"


def test_a_missing_host_image_is_told(cache: Path, tmp_path: Path, engine: FakeDocker, tasks: Tasks) -> None:
    engine.images.tags -= host_images(cache, load_catalog(REPO))
    error = not_saved(cache, tmp_path / "bundle.tar", tasks)
    missing = ", ".join(f"the host images of '{id}'" for id in load_catalog(REPO).labs)
    assert error.message == f"Not built yet: {missing}."
    assert not (tmp_path / "bundle.tar").exists()


def test_the_missing_host_image_of_one_lab_is_told(
    cache: Path, two_labs: Catalog, tmp_path: Path, engine: FakeDocker, tasks: Tasks
) -> None:
    engine.images.tags -= host_images(cache, two_labs) - host_images(cache, load_catalog(REPO))
    error = not_saved(cache, tmp_path / "bundle.tar", tasks)
    assert error.message == "Not built yet: the host images of 'other'."


def test_a_folder_that_is_not_there_is_told(cache: Path, tmp_path: Path, tasks: Tasks) -> None:
    error = not_saved(cache, tmp_path / "nowhere/bundle.tar", tasks)
    assert error.message == f"The bundle {tmp_path}/nowhere/bundle.tar can't be written: No such file or directory."
    assert error.hint == "Choose a folder with 2 GiB free."


def test_a_missing_bundle_is_told(tmp_path: Path, tasks: Tasks) -> None:
    error = not_loaded(tmp_path / "none.tar", tmp_path, tasks)
    assert error.message == f"There is no file {tmp_path}/none.tar."
    assert error.hint == "invoke bundle.save makes one on a machine with a network."


@pytest.mark.usefixtures("engine")
def test_a_file_that_is_no_archive_is_told(tmp_path: Path, tasks: Tasks) -> None:
    (tmp_path / "notes.txt").write_text("no bundle")
    error = not_loaded(tmp_path / "notes.txt", tmp_path, tasks)
    assert error.message.startswith(f"{tmp_path}/notes.txt is no bundle of this course, or it is damaged (")
    assert error.hint == "Make it again: invoke bundle.save"


@pytest.mark.usefixtures("engine")
def test_an_archive_of_something_else_is_told(tmp_path: Path, tasks: Tasks) -> None:
    tarfile.open(tmp_path / "else.tar", "w").close()
    assert "is no bundle of this course" in not_loaded(tmp_path / "else.tar", tmp_path, tasks).message


def test_a_bundle_that_ends_early_is_told(file: Path, tmp_path: Path, tasks: Tasks) -> None:
    file.write_bytes(file.read_bytes()[:2000])
    assert "is no bundle of this course, or it is damaged" in not_loaded(file, tmp_path, tasks).message


def test_a_host_image_that_docker_refuses_is_told(
    file: Path, tmp_path: Path, engine: FakeDocker, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise ImageLoadError("unexpected EOF")

    monkeypatch.setattr(engine.images, "load", refuse)
    assert "it is damaged (unexpected EOF)" in not_loaded(file, tmp_path, tasks).message


def test_a_bundle_of_another_edition_is_told(cache: Path, tmp_path: Path, tasks: Tasks) -> None:
    with tarfile.open(tmp_path / "old.tar", "w") as old:
        (tmp_path / "0.tar").write_text("f0labs/host:of-an-older-edition")
        old.add(tmp_path / "0.tar", "host-images/0.tar")
        old.add(cache / "images", "images")
        old.add(next((cache / "components").glob("crane-*")), "components/crane-0.1-abc")
    error = not_loaded(tmp_path / "old.tar", tmp_path, tasks)
    assert re.match(r"^The bundle is of another edition: it lacks .*\bcni-plugins, coredns,", error.message)
    assert error.hint == "Make it from the same version."


def test_a_bundle_that_cannot_be_loaded_leaves_nothing_half_done(file: Path, tmp_path: Path, tasks: Tasks) -> None:
    file.write_bytes(file.read_bytes()[:2000])
    not_loaded(file, tmp_path, tasks)
    assert listing(tmp_path / "other") == []
