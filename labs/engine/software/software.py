"""All software that the hosts of a lab are made from: components in the cache, images in the Docker engine."""

from collections.abc import Iterable
from pathlib import Path

import docker

from labs.engine.course.edition import load_edition
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.software.base_images import Bases
from labs.engine.software.builders.toolchain import Toolchain
from labs.engine.software.components import Builder
from labs.engine.software.images import Images
from labs.engine.terminal.progress import Tasks


class Software:
    """Finds and makes what labs need."""

    def __init__(self, repo: Path, cache: Path, client: docker.DockerClient) -> None:
        self._edition = load_edition(repo)
        self._builder = Builder(repo, cache, self._edition)
        self._bases = Bases(repo, cache, self._edition, client)
        self._images = Images(repo, cache, self._edition, self._bases, self._builder)

    def components(self, needs: Iterable[Needs]) -> dict[str, Path]:
        """Return where each component is, or will be, in the cache."""
        names = {name for one in needs for name in self._edition.components_with(one.roles, one.components)}
        return {name: self._builder.folder(name) for name in sorted(names)}

    def archives(self, needs: Iterable[Needs]) -> dict[str, Path]:
        """Return where the archive of each container image is, or will be, in the cache."""
        return self._images.archives(sorted({name for one in needs for name in one.images}))

    def host_images(self, needs: Needs, topology: Topology) -> dict[str, str]:
        """Return the tag of every host's image."""
        return self._images.host_tags(needs, topology)

    def missing(self, needs: Needs) -> list[str]:
        """Return the components that the cache does not hold yet."""
        return self._builder.missing(self._edition.components_with(needs.roles, needs.components))

    def provide(self, needs: Needs, topology: Topology, progress: Tasks) -> dict[str, str]:
        """Have everything, building what is missing; return the tag of every host's image.

        Raises:
            LabError: something can't be had, or can't be built.
        """
        tools = self._edition.packages_of([self._edition.toolchain or ""])
        toolchain = Toolchain(lambda: self._bases.provide(progress, tools))
        self._builder.provide(self.missing(needs), toolchain, progress)
        return self._images.provide(needs, topology, progress)
