"""All software that the hosts of a lab are made from: components in the cache, images in the Docker engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from labs.engine.cache import Cache
from labs.engine.course.edition import Edition
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.events import Events
from labs.engine.software.base_images import BaseImages
from labs.engine.software.builders.toolchain import Toolchain
from labs.engine.software.components import Builder
from labs.engine.software.images import Images, remove_images

if TYPE_CHECKING:
    from docker import DockerClient


class Software:
    """Finds and builds what labs need. `keep_build_cache`: whether Go's and Maven's caches stay after a build."""

    def __init__(
        self, repo: Path, cache: Cache, edition: Edition, client: DockerClient, keep_build_cache: bool = False
    ) -> None:
        self._edition, self._client = edition, client
        self._builder = Builder(repo, cache, edition, keep_build_cache)
        self._bases = BaseImages(repo, cache, edition, client)
        self._images = Images(repo, cache, edition, self._bases, self._builder)

    def components(self, needs: Iterable[Needs]) -> dict[str, Path]:
        """Return where each component is, or will be, in the cache."""
        names = {name for need in needs for name in self._edition.components_with(need.roles, need.components)}
        return {name: self._builder.folder(name) for name in sorted(names)}

    def archives(self, needs: Iterable[Needs]) -> dict[str, Path]:
        """Return where the archive of each container image is, or will be, in the cache."""
        return self._images.archives(sorted({name for need in needs for name in need.images}))

    def host_images(self, needs: Needs, topology: Topology) -> dict[str, str]:
        """Return the tag of every host's image."""
        return self._images.host_tags(needs, topology)

    def missing(self, needs: Needs) -> list[str]:
        """Return the components that the cache does not hold yet."""
        return self._builder.missing(self._edition.components_with(needs.roles, needs.components))

    def ensure(self, needs: Needs, topology: Topology, events: Events) -> dict[str, str]:
        """Build what is missing; return the tag of every host's image.

        Raises:
            LabError: something is not available, or a build fails.
        """
        tools = self._edition.packages_of([self._edition.toolchain or ""])
        toolchain = Toolchain(self._client, lambda: self._bases.ensure(events, tools))
        self._builder.ensure(self.missing(needs), toolchain, events)
        return self._images.ensure(needs, topology, events)

    def image_size(self, tag: str) -> int:
        """Return the size of a host image in bytes."""
        return int(self._client.images.get(tag).attrs["Size"])

    def remove_images(self) -> None:
        """Remove the images that hosts are made from out of the Docker engine."""
        remove_images(self._client)
