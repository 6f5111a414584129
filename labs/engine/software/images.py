"""The hosts' images, and the container images that hosts start with: built once, named by a digest of their content."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from labs.engine.cache import Cache
from labs.engine.course.edition import Edition, GoComponent
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.docker_client import build_image, image_exists
from labs.engine.events import Events
from labs.engine.messages import _, listing
from labs.engine.software.archives import rename_image
from labs.engine.software.base_images import REPOSITORY as BASE_REPOSITORY
from labs.engine.software.base_images import BaseImages
from labs.engine.software.components import Builder
from labs.engine.software.scratch import scratch_folder

if TYPE_CHECKING:
    from docker import DockerClient

HOST_REPOSITORY = "f0labs/host"
_NOT_OF_HOSTS = "packages.Dockerfile"  # the recipe of base images, in the same folder


def remove_images(client: DockerClient) -> None:
    """Remove host images and base images from the Docker engine, and no other tag of theirs."""
    for repository in (HOST_REPOSITORY, BASE_REPOSITORY):
        for tag in host_tags(client, repository):
            client.images.remove(tag, force=True)


def host_tags(client: DockerClient, repository: str = HOST_REPOSITORY) -> set[str]:
    """Return the tags of a repository in the Docker engine."""
    tags = {tag for image in client.images.list(repository) for tag in image.tags}
    return {tag for tag in tags if tag.startswith(f"{repository}:")}


class Images:
    """Builds images with the Docker engine. Everything that decides what is in an image decides its tag."""

    def __init__(self, repo: Path, cache: Cache, edition: Edition, bases: BaseImages, builder: Builder) -> None:
        self._folder = repo / "vagrant" / "image"
        self._cache, self._edition, self._bases, self._builder = cache, edition, bases, builder
        self._client = bases.client

    def host_tag(self, components: Collection[str], packages: Collection[str] = ()) -> str:
        """Return the tag of the host image with `components`, and `packages` beyond those that all hosts have."""
        files = [part for name, file in self._host_files().items() for part in (bytes(name), file.read_bytes())]
        built = [self._builder.folder(name).name.encode() for name in sorted(components)]
        return f"{HOST_REPOSITORY}:{_digest(self._bases.tag(packages).encode(), *files, *built)}"

    def host_tags(self, needs: Needs, topology: Topology) -> dict[str, str]:
        """Return the tag of every host's image: hosts with the same optional roles share one."""
        return {name: self.host_tag(*contents) for name, contents in self._contents(needs, topology).items()}

    def archives(self, names: Collection[str]) -> dict[str, Path]:
        """Return where the archive of each container image is, or will be, in the cache."""
        return {name: self._cache.root / "images" / f"{name}-{self._archive_digest(name)}.tar" for name in names}

    def ensure(self, needs: Needs, topology: Topology, events: Events) -> dict[str, str]:
        """Build the host images and container archives that don't exist yet; return the tag of every host's image.

        Raises:
            LabError: Debian's packages are not available, the disk is full, or a build fails.
        """
        contents = self._contents(needs, topology)
        self._cache.claim()
        with FileLock(self._cache.lock("images")):
            for content in dict.fromkeys(contents.values()):
                self._ensure_host_image([host for host in contents if contents[host] == content], *content, events)
            for name, archive in self.archives(needs.images).items():
                if not archive.exists():
                    base = self._bases.ensure(events)
                    reference = self._edition.images[name].reference
                    with events.task(_("Building the container image {image} (once)", image=reference)):
                        self._make_archive(name, archive, base)
        return self.host_tags(needs, topology)

    def _contents(self, needs: Needs, topology: Topology) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """The components and packages of every host."""
        return {
            host.name: (
                tuple(self._edition.components_with(host.roles, needs.components)),
                tuple(self._edition.packages_of(host.roles)),
            )
            for host in topology.hosts
        }

    def _host_files(self) -> dict[Path, Path]:
        """The files of the host image's build context."""
        files = sorted(file for file in self._folder.iterdir() if file.is_file() and file.name != _NOT_OF_HOSTS)
        return {Path(file.name): file for file in files}

    def _ensure_host_image(
        self, hosts: Collection[str], components: Collection[str], packages: Collection[str], events: Events
    ) -> None:
        tag = self.host_tag(components, packages)
        if image_exists(self._client, tag):
            return
        base = self._bases.ensure(events, packages)
        context: dict[Path, Path | bytes] = {**self._host_files(), Path("packages.txt"): self._bases.packages(packages)}
        context |= {Path("opt") / name: self._builder.folder(name) for name in components}
        with events.task(_("Building the image of {hosts} (once)", hosts=listing(hosts))):
            build_image(self._client, scratch_folder(self._cache), context, tag, {"BASE": base})

    def _archive_digest(self, name: str) -> str:
        image = self._edition.images[name]
        built = [self._builder.folder(component).name.encode() for component in image.components]
        files = [part for place, file in self._recipe(name).items() for part in (bytes(place), file.read_bytes())]
        return _digest(image.reference.encode(), *files, self._bases.tag().encode(), *built)

    def _recipe(self, name: str) -> dict[Path, Path]:
        """The files of a container image's folder by their place in the context of the build."""
        folder = self._folder / "containers" / name
        return {file.relative_to(folder): file for file in sorted(folder.rglob("*")) if file.is_file()}

    def _make_archive(self, name: str, archive: Path, base: str) -> None:
        """Build under a name of our own: upstream's may belong to an image that the user has in the same engine."""
        image = self._edition.images[name]
        tag = f"f0labs/build-{name}:{self._archive_digest(name)}"
        context: dict[Path, Path | bytes] = {
            **self._recipe(name),
            **dict(self._part(component) for component in image.components),
        }
        scratch = scratch_folder(self._cache)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            saved, renamed = Path(folder) / "saved.tar", Path(folder) / "renamed.tar"
            build_image(self._client, scratch, context, tag, {"HOST_IMAGE": base})
            try:
                with saved.open("wb") as file:
                    file.writelines(self._client.images.get(tag).save(named=tag))
            finally:
                self._client.images.remove(tag)
            rename_image(saved, renamed, image.reference)
            renamed.replace(archive)

    def _part(self, component: str) -> tuple[Path, Path]:
        """What a container image gets of a component: the program of one in Go, the folder of any other."""
        recipe, folder = self._edition.component(component), self._builder.folder(component)
        if not isinstance(recipe, GoComponent):
            return Path(component), folder
        program = recipe.output or component
        return Path(program), folder / "bin" / program


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
