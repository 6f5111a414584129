"""The hosts' images, and the container images that hosts start with: built once, named by a digest of their content."""

import hashlib
from collections.abc import Collection
from pathlib import Path

from docker.errors import ImageNotFound
from filelock import FileLock

from labs.engine.course.edition import Edition, GoComponent
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.hosts.docker.engine import build_image
from labs.engine.software.base_images import Bases
from labs.engine.software.components import Builder
from labs.engine.terminal.progress import Tasks

_HOST_FILES = [
    "Dockerfile",
    "packages.txt",
    "provision",
    "lab-init",
    "lab-overlay",
    "lab-overlay.path",
    "lab-overlay.service",
]


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


class Images:
    """Builds images with the Docker engine. Everything that decides what is in an image decides its tag."""

    def __init__(self, repo: Path, cache: Path, edition: Edition, bases: Bases, builder: Builder) -> None:
        self._folder = repo / "vagrant" / "image"
        self._cache, self._edition, self._bases, self._builder = cache, edition, bases, builder
        self._client = bases.client

    def host_tag(self, components: Collection[str], packages: Collection[str] = ()) -> str:
        """Tag of the host image that holds `components`, and `packages` beside those that all hosts have."""
        files = [(self._folder / name).read_bytes() for name in _HOST_FILES]
        built = [self._builder.folder(name).name.encode() for name in sorted(components)]
        return f"f0labs/host:{_digest(self._bases.tag(packages).encode(), *files, *built)}"

    def host_tags(self, needs: Needs, topology: Topology) -> dict[str, str]:
        """Return the tag of every host's image: those of the same roles on demand share one."""
        return {name: self.host_tag(*contents) for name, contents in self._contents(needs, topology).items()}

    def archives(self, names: Collection[str]) -> dict[str, Path]:
        """Return where the archive of each container image is, or will be, in the cache."""
        return {name: self._cache / "images" / f"{name}-{self._container_digest(name)}.tar" for name in names}

    def provide(self, needs: Needs, topology: Topology, progress: Tasks) -> dict[str, str]:
        """Have the hosts' images and the archives of container images; return the tag of every host's image.

        Raises:
            LabError: Debian's packages can't be had, the disk is full, or a build fails.
        """
        contents = self._contents(needs, topology)
        (self._cache / "locks").mkdir(parents=True, exist_ok=True)
        with FileLock(self._cache / "locks" / "images.lock"):
            for one in dict.fromkeys(contents.values()):
                self._provide_host_image([host for host in contents if contents[host] == one], *one, progress)
            for name, archive in self.archives(needs.images).items():
                if not archive.exists():
                    with progress.task(f"Making the container image {self._edition.images[name].reference} (once)"):
                        self._make_archive(name, archive, self._bases.provide(progress))
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

    def _provide_host_image(
        self, hosts: Collection[str], components: Collection[str], packages: Collection[str], progress: Tasks
    ) -> None:
        tag = self.host_tag(components, packages)
        try:
            self._client.images.get(tag)
        except ImageNotFound:
            base = self._bases.provide(progress, packages)
            context: dict[Path, Path | bytes] = {Path(name): self._folder / name for name in _HOST_FILES}
            context[Path("packages.txt")] = self._bases.packages(packages)
            context |= {Path("opt") / name: self._builder.folder(name) for name in components}
            with progress.task(f"Making the image of {', '.join(hosts)} (once)"):
                build_image(self._client, self._cache, context, tag, {"BASE": base})

    def _container_digest(self, name: str) -> str:
        image = self._edition.images[name]
        built = [self._builder.folder(component).name.encode() for component in image.components]
        files = [part for place, file in self._recipe(name).items() for part in (bytes(place), file.read_bytes())]
        return _digest(image.reference.encode(), *files, self._bases.tag().encode(), *built)

    def _recipe(self, name: str) -> dict[Path, Path]:
        """The files of a container image's folder by their place in the context of the build."""
        folder = self._folder / "containers" / name
        return {file.relative_to(folder): file for file in sorted(folder.rglob("*")) if file.is_file()}

    def _make_archive(self, name: str, archive: Path, base: str) -> None:
        image = self._edition.images[name]
        context: dict[Path, Path | bytes] = {
            **self._recipe(name),
            **dict(self._part(component) for component in image.components),
        }
        build_image(self._client, self._cache, context, image.reference, {"HOST_IMAGE": base})
        archive.parent.mkdir(parents=True, exist_ok=True)
        part = archive.with_suffix(".part")
        with part.open("wb") as file:
            for chunk in self._client.images.get(image.reference).save(named=True):
                file.write(chunk)
        part.replace(archive)
        self._client.images.remove(image.reference)

    def _part(self, component: str) -> tuple[Path, Path]:
        """What a container image gets of a component: the program of one in Go, the folder of any other."""
        recipe, folder = self._edition.component(component), self._builder.folder(component)
        if not isinstance(recipe, GoComponent):
            return Path(component), folder
        program = recipe.output or component
        return Path(program), folder / "bin" / program
