"""Everything a machine without network needs, in one file: components, container images and host images."""

from __future__ import annotations

import json
import platform
import tarfile
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labs.engine.cache import Cache
from labs.engine.course.course import Course
from labs.engine.docker_client import connect
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.messages import _, listing
from labs.engine.software.archives import image_names
from labs.engine.software.images import host_tags
from labs.engine.software.scratch import scratch_folder
from labs.engine.software.software import Software

if TYPE_CHECKING:
    from docker import DockerClient

# The first entry of a bundle: {"version": 1, "architecture": …, "parts": […], "host_images": […]}.
_CONTENTS = "bundle.json"
_VERSION = 1
_HOST_IMAGES = "host-images"


@dataclass(frozen=True)
class _Parts:
    """What all labs of a course need: paths in the cache, and tags of host images by lab."""

    paths: list[Path]
    tags: dict[str, set[str]]

    @classmethod
    def of(cls, course: Course, cache: Cache, client: DockerClient) -> _Parts:
        software = Software(course.repo, cache, course.edition, client)
        needs = {id: course.needs(id) for id in course.catalog.labs}
        tags = {
            id: {*software.host_images(need, course.topology.with_optional_roles(need.roles)).values()}
            for id, need in needs.items()
        }
        return cls([*software.components(needs.values()).values(), *software.archives(needs.values()).values()], tags)

    def names(self, cache: Cache) -> list[str]:
        return [str(path.relative_to(cache.root)) for path in self.paths]

    @property
    def all_tags(self) -> list[str]:
        return sorted(set().union(*self.tags.values()))


def save_bundle(course: Course, cache: Cache, file: Path, events: Events) -> int:
    """Write a bundle of what the course's labs use; return its size in bytes.

    Raises:
        LabError: something is not built yet, or the file can't be written.
    """
    client = connect()
    parts = _Parts.of(course, cache, client)
    _require_built(parts, client)
    names = parts.names(cache)
    contents = {"version": _VERSION, "architecture": platform.machine(), "parts": names, "host_images": parts.all_tags}
    part = file.with_name(f"{file.name}.part")
    try:
        with (
            events.task(_("Writing {file}", file=file)),
            tempfile.TemporaryDirectory(dir=scratch_folder(cache)) as folder,
            tarfile.open(part, "w") as bundle,
        ):
            (Path(folder) / _CONTENTS).write_text(json.dumps(contents), encoding="utf-8")
            bundle.add(Path(folder) / _CONTENTS, _CONTENTS)
            for number, tag in enumerate(parts.all_tags):
                archive = Path(folder) / f"{number}.tar"
                with archive.open("wb") as output:
                    output.writelines(client.images.get(tag).save(named=tag))
                bundle.add(archive, f"{_HOST_IMAGES}/{number}.tar")
                archive.unlink()
            for path, name in zip(parts.paths, names, strict=True):
                bundle.add(path, name)
        part.replace(file)
    except OSError as error:
        raise LabError(
            "bundle",
            _("Cannot write the bundle {file}: {reason}.", file=file, reason=error.strerror or error),
            _("Choose a folder with enough free space: a bundle takes about {size} GiB.", size=4),
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def _require_built(parts: _Parts, client: DockerClient) -> None:
    built = host_tags(client)
    absent: list[object] = [path.name for path in parts.paths if not path.exists()]
    absent += [_("the host images of '{lab}'", lab=id) for id, tags in parts.tags.items() if not tags <= built]
    if absent:
        raise LabError(
            "bundle",
            _("Not built yet: {parts}.", parts=listing(absent)),
            _("Start each lab once, such as: invoke lab.up flannel"),
        )


def load_bundle(course: Course, cache: Cache, file: Path, events: Events) -> None:
    """Fill the cache and the Docker engine from a bundle. Nothing is changed unless all of it can be used.

    Raises:
        LabError: there is no such file, it is not a bundle, or it is for other hosts or another version of the course.
    """
    from docker.errors import DockerException

    if not file.is_file():
        raise LabError(
            "bundle",
            _("There is no file {file}.", file=file),
            _("Make a bundle on a machine with a network: invoke bundle.save FILE"),
        )
    client = connect()
    try:
        with tarfile.open(file) as bundle:
            parts = _Parts.of(course, cache, client)
            tags = _check_contents(bundle, file, [*parts.names(cache), *parts.all_tags])
            cache.claim()
            with (
                events.task(_("Reading {file}", file=file)),
                tempfile.TemporaryDirectory(dir=scratch_folder(cache)) as folder,
            ):
                bundle.extractall(folder, filter="data")
                _require_complete(parts.paths, Path(folder), cache)
                _load_host_images(Path(folder) / _HOST_IMAGES, tags, client)
                _move(parts.paths, Path(folder), cache)
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError, DockerException) as error:
        raise LabError(
            "bundle",
            _("{file} is not an f0 labs bundle, or it is damaged ({reason}).", file=file, reason=error),
            _("Make it again: invoke bundle.save FILE"),
        ) from error


def _check_contents(bundle: tarfile.TarFile, file: Path, wanted: Collection[str]) -> list[str]:
    """Return the tags of a bundle's host images, in their order; LabError when this machine can't use the bundle."""
    entry = bundle.extractfile(_CONTENTS)
    contents = json.load(entry) if entry else {}
    if contents["architecture"] != platform.machine():
        raise LabError(
            "bundle",
            _(
                "The bundle {file} is for {theirs} machines, but this one is {ours}.",
                file=file,
                theirs=contents["architecture"],
                ours=platform.machine(),
            ),
            _("Make a bundle on a machine of the same architecture: invoke bundle.save FILE"),
        )
    absent = sorted({*wanted} - {*contents["parts"], *contents["host_images"]})
    if contents["version"] != _VERSION or absent:
        raise LabError(
            "bundle",
            _(
                "The bundle {file} is from another version of f0 labs. It lacks {parts}.",
                file=file,
                parts=listing(absent),
            ),
            _("Make a bundle with this version on a machine with a network: invoke bundle.save FILE"),
        )
    return [str(tag) for tag in contents["host_images"]]


def _load_host_images(folder: Path, tags: list[str], client: DockerClient) -> None:
    """Load host images that are archived as 0.tar, 1.tar …; ValueError when one would take over another tag."""
    archives = {tag: folder / f"{number}.tar" for number, tag in enumerate(tags)}
    for tag, archive in archives.items():
        if image_names(archive) != [tag]:
            raise ValueError(f"{archive.name}: {tag}?")
    for archive in archives.values():
        with archive.open("rb") as image:
            client.images.load(image)


def _require_complete(paths: Collection[Path], folder: Path, cache: Cache) -> None:
    """Raise OSError when an extracted bundle lacks a part that its contents list."""
    for path in paths:
        (folder / path.relative_to(cache.root)).lstat()


def _move(paths: Collection[Path], folder: Path, cache: Cache) -> None:
    """Move extracted parts to their places in the cache, unless they are there already."""
    for path in filter(lambda path: not path.exists(), paths):
        path.parent.mkdir(exist_ok=True)
        (folder / path.relative_to(cache.root)).replace(path)
