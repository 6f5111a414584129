"""The components of an edition: from the cache, or built from language registries, as vagrant/components/ says."""

import contextlib
import hashlib
import json
import platform
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from labs.engine.cache import Cache
from labs.engine.course.edition import (
    Component,
    Edition,
    GoComponent,
    JlinkComponent,
    MavenComponent,
    MavenRepository,
    PipComponent,
)
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.messages import _
from labs.engine.software.builders import go, jlink, maven, pip
from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain

# Bytes of module and build cache per line of go.sum: all components together have 1747 lines and take 10 GB.
DISK_PER_LINE = 7 << 20


def recipe_digest(repo: Path, name: str, component: Component) -> str:
    """Return a digest of what changes the result of a build: recipe, folder and architecture."""
    recipe = json.dumps(component.model_dump(exclude_defaults=True), sort_keys=True)
    digest = hashlib.sha256(f"{platform.machine()}\0{recipe}\0".encode())
    folder = repo / "vagrant" / "components" / name
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    if isinstance(component, MavenRepository):
        digest.update(maven.poms(repo, component))
    return digest.hexdigest()[:12]


class Builder:
    """Builds into `cache/components/<name>-<version>-<digest>/`; each appears there whole or not at all."""

    def __init__(self, repo: Path, cache: Cache, edition: Edition, keep_build_cache: bool = False) -> None:
        self._repo, self._cache, self._edition, self._keep = repo, cache, edition, keep_build_cache

    def folder(self, name: str) -> Path:
        """Return where a component is, or will be, in the cache."""
        component = self._edition.component(name)
        digest = recipe_digest(self._repo, name, component)
        return self._cache.root / "components" / f"{name}-{component.version}-{digest}"

    def missing(self, names: Collection[str]) -> list[str]:
        """Return the components that the cache does not hold yet."""
        return [name for name in names if not self.folder(name).is_dir()]

    def ensure(self, names: Collection[str], toolchain: Toolchain, events: Events) -> None:
        """Build those of `names` that the cache does not hold yet.

        Raises:
            LabError: no Go, no room on the disk, a registry that does not answer, a build that fails (with its log).
        """
        missing = self.missing(names)
        if not missing:
            return
        self._cache.claim()
        self._check_disk(missing)
        with self._turn(events):
            for name in self.missing(names):  # another lab.up may have built some meanwhile
                version, log = self._edition.component(name).version, self._log(name)
                title = _("Building {name} {version} (once; log: {log})", name=name, version=version, log=log)
                with events.task(title):
                    self._build(name, toolchain)
            if not self._keep:
                go.drop_caches(self._scratch)
                shutil.rmtree(self._scratch, ignore_errors=True)

    @contextlib.contextmanager
    def _turn(self, events: Events) -> Iterator[None]:
        """Let one at a time build: all share the caches that the last step drops, and a build takes GiBs of memory."""
        lock = FileLock(self._cache.lock("components"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            with events.task(_("Waiting for another lab.up to finish building components")):
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @property
    def _scratch(self) -> Path:
        return self._cache.root / "build"

    def _log(self, name: str) -> Path:
        return self._cache.root / "log" / f"{name}.log"

    def _check_disk(self, missing: Collection[str]) -> None:
        """Raise LabError when the modules of missing components don't fit on the disk."""
        if self._scratch.exists():  # an earlier build has fetched some already, and nothing says how many
            return
        lists = [self._repo / "vagrant" / "components" / name / "go.sum" for name in missing]
        needed = DISK_PER_LINE * sum(file.read_bytes().count(b"\n") for file in lists if file.exists())
        free = self._cache.free_disk()
        if free < needed:
            raise LabError(
                "disk-space",
                _(
                    "Building the components needs {needed} GiB in {folder}, but only {free} GiB are free.",
                    needed=-(-needed >> 30),
                    folder=self._cache.root,
                    free=free >> 30,
                ),
                _("Free some space, set F0_CACHE to a folder on a larger disk, or run `invoke bundle.load FILE`."),
            )

    def _build(self, name: str, toolchain: Toolchain) -> None:
        folder, log = self.folder(name), self._log(name)
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")
        job = Job(name, self._repo, self._repo / "vagrant" / "components" / name, part, self._scratch, log)
        match self._edition.component(name):
            case GoComponent() as component:
                go.build(job, component)
            case MavenComponent():
                maven.collect_jars(job, toolchain)
            case MavenRepository() as component:
                maven.fill_repository(job, component, toolchain)
            case PipComponent() as component:
                pip.build(job, component, toolchain)
            case JlinkComponent() as component:
                jlink.build(job, component, toolchain)
        part.replace(folder)
