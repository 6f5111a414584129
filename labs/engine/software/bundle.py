"""Everything a machine without network needs, in one file: built components, container images, the host image."""

import tarfile
import tempfile
from pathlib import Path

from docker.errors import DockerException

from labs.engine.course.catalog import load_catalog
from labs.engine.course.topology import load_topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker.engine import connect
from labs.engine.software.software import Software
from labs.engine.terminal.progress import Tasks

_HOST_IMAGES = "host-images"


def save_bundle(repo: Path, cache: Path, file: Path, tasks: Tasks) -> int:
    """Write a bundle of what this edition's labs use and return its size in bytes.

    Raises:
        LabError: something is not built yet, or the file can't be written.
    """
    catalog, client = load_catalog(repo), connect()
    software, topology = Software(repo, cache, client), load_topology(repo)
    needs = {id: catalog.needs(id) for id in catalog.labs}
    parts = [*software.components(needs.values()).values(), *software.archives(needs.values()).values()]
    absent = [part.name for part in parts if not part.exists()]
    tags = {id: {*software.host_images(own, topology.demanding(own.roles)).values()} for id, own in needs.items()}
    built = {tag for image in client.images.list("f0labs/host") for tag in image.tags}
    absent += [f"the host images of '{id}'" for id, own in tags.items() if not own <= built]
    if absent:
        raise LabError(f"Not built yet: {', '.join(absent)}.", "Bring each lab up once: invoke lab.up flannel")
    part = file.with_name(f"{file.name}.part")
    try:
        with (
            tasks.task(f"Writing {file}"),
            tempfile.TemporaryDirectory(dir=cache) as folder,
            tarfile.open(part, "w") as bundle,
        ):
            for number, tag in enumerate(sorted(set().union(*tags.values()))):
                host_image = Path(folder) / f"{number}.tar"
                with host_image.open("wb") as output:
                    for chunk in client.images.get(tag).save(named=tag):
                        output.write(chunk)
                bundle.add(host_image, f"{_HOST_IMAGES}/{number}.tar")
                host_image.unlink()
            for one in parts:
                bundle.add(one, str(one.relative_to(cache)))
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LabError(
            f"The bundle {file} can't be written: {error.strerror or error}.", "Choose a folder with 2 GiB free."
        ) from error
    part.replace(file)
    return file.stat().st_size


def load_bundle(repo: Path, cache: Path, file: Path, tasks: Tasks) -> None:
    """Fill the cache and Docker's images from a bundle.

    Raises:
        LabError: there is no such file, it is no bundle, or it is one of another edition.
    """
    if not file.is_file():
        raise LabError(f"There is no file {file}.", "invoke bundle.save makes one on a machine with a network.")
    client = connect()
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tasks.task(f"Reading {file}"),
            tempfile.TemporaryDirectory(dir=cache) as folder,
            tarfile.open(file) as bundle,
        ):
            bundle.extractall(folder, filter="tar")
            for archive in sorted((Path(folder) / _HOST_IMAGES).iterdir()):
                with archive.open("rb") as host_image:
                    client.images.load(host_image)
            for kind in ("components", "images"):
                for part in (Path(folder) / kind).iterdir():
                    if not (cache / kind / part.name).exists():
                        (cache / kind).mkdir(exist_ok=True)
                        part.replace(cache / kind / part.name)
    except (tarfile.TarError, OSError, DockerException) as error:
        raise LabError(
            f"{file} is no bundle of this course, or it is damaged ({error}).", "Make it again: invoke bundle.save"
        ) from error
    catalog = load_catalog(repo)
    components = Software(repo, cache, client).components(catalog.needs(id) for id in catalog.labs)
    missing = [name for name, place in components.items() if not place.is_dir()]
    if missing:
        raise LabError(
            f"The bundle is of another edition: it lacks {', '.join(missing)}.", "Make it from the same version."
        )
