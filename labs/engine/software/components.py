"""The components of an edition: from the cache, or built from language registries, as vagrant/components/ says."""

import contextlib
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

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
from labs.engine.software.builders import go, jlink, maven, pip
from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain
from labs.engine.terminal.progress import Tasks

DISK_NEEDED = 12 << 30  # bytes: module and build caches of a first build (measured: 10 GB)


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

    def __init__(self, repo: Path, cache: Path, edition: Edition) -> None:
        self._repo, self._cache, self._edition = repo, cache, edition

    def folder(self, name: str) -> Path:
        """Return where a component is, or will be, in the cache."""
        component = self._edition.component(name)
        digest = recipe_digest(self._repo, name, component)
        return self._cache / "components" / f"{name}-{component.version}-{digest}"

    def missing(self, names: Collection[str]) -> list[str]:
        """Return the components that the cache does not hold yet."""
        return [name for name in names if not self.folder(name).is_dir()]

    def provide(self, names: Collection[str], toolchain: Toolchain, progress: Tasks) -> None:
        """Have all of `names` in the cache, building what is missing.

        Raises:
            LabError: no Go, no room on the disk, a registry that does not answer, a build that fails (with its log).
        """
        missing = self.missing(names)
        if not missing:
            return
        self._check_disk(missing)
        with self._turn(progress):
            for name in self.missing(names):  # another lab.up may have built some meanwhile
                version = self._edition.component(name).version
                with progress.task(f"Building {name} {version} (once; log: {self._log(name)})"):
                    self._build(name, toolchain)
            if not os.environ.get("F0_KEEP_BUILD_CACHE"):
                go.drop_caches(self._scratch)
                shutil.rmtree(self._scratch, ignore_errors=True)

    @contextlib.contextmanager
    def _turn(self, progress: Tasks) -> Iterator[None]:
        """Let one at a time build: all share the caches that the last step drops, and a build takes GiBs of memory."""
        lock = FileLock(self._cache / "locks" / "components.lock")
        (self._cache / "locks").mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            with progress.task("Waiting for another lab.up, which builds components"):
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @property
    def _scratch(self) -> Path:
        return self._cache / "build"

    def _log(self, name: str) -> Path:
        return self._cache / "log" / f"{name}.log"

    def _check_disk(self, missing: list[str]) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        need, free = DISK_NEEDED >> 30, shutil.disk_usage(self._cache).free >> 30
        if "kubernetes" in missing and not self._scratch.exists() and free < need:
            raise LabError(
                f"Building the components needs {need} GiB in {self._cache}, and {free} GiB are free.",
                "Free some space, let F0_CACHE name a folder on a larger disk, or invoke bundle.load FILE.",
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
