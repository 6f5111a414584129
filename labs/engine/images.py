"""The host image, and the container images that hosts start with: built once, named by a digest of their content."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path

import docker
from docker.errors import APIError, BuildError, ImageNotFound
from filelock import FileLock

from labs.engine.components import Builder
from labs.engine.edition import Edition
from labs.engine.errors import LabError
from labs.engine.progress import Tasks

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

    def __init__(
        self, repo: Path, cache: Path, edition: Edition, client: docker.DockerClient, builder: Builder
    ) -> None:
        self._folder = repo / "vagrant" / "image"
        self._cache, self._edition, self._client, self._builder = cache, edition, client, builder

    @property
    def base_tag(self) -> str:
        """Tag of the image with Debian's packages."""
        return f"f0labs/base:{_digest((self._folder / 'packages.txt').read_bytes(), self._edition.debian.encode())}"

    def host_tag(self, components: Collection[str]) -> str:
        """Tag of the host image that holds `components`."""
        files = [(self._folder / name).read_bytes() for name in _HOST_FILES]
        built = [self._builder.folder(name).name.encode() for name in sorted(components)]
        return f"f0labs/host:{_digest(self.base_tag.encode(), *files, *built)}"

    def archives(self, names: Collection[str]) -> dict[str, Path]:
        """Return where the archive of each container image is, or will be, in the cache."""
        return {name: self._cache / "images" / f"{name}-{self._container_digest(name)}.tar" for name in names}

    def provide(self, components: Collection[str], images: Collection[str], progress: Tasks) -> str:
        """Have the host image and the archives of `images`; return the host image's tag.

        Raises:
            LabError: Debian's packages can't be had, the disk is full, or a build fails.
        """
        tag = self.host_tag(components)
        (self._cache / "locks").mkdir(parents=True, exist_ok=True)
        with FileLock(self._cache / "locks" / "images.lock"):
            if not self._exists(tag):
                if not self._exists(self.base_tag):
                    with progress.task(f"Installing Debian {self._edition.debian} for the hosts (once)"):
                        self._make_base()
                with progress.task("Making the host image (once)"):
                    self._build(self._host_context(components), tag, {"BASE": self.base_tag})
            for name, archive in self.archives(images).items():
                if not archive.exists():
                    with progress.task(f"Making the container image {self._edition.images[name].reference} (once)"):
                        self._make_archive(name, archive)
        return tag

    def _exists(self, tag: str) -> bool:
        try:
            self._client.images.get(tag)
        except ImageNotFound:
            return False
        return True

    def _make_base(self) -> None:
        """Take Debian's own slim image where it can be pulled; else install Debian from this system's sources."""
        repository, tag = self.base_tag.split(":")
        try:
            self._client.images.pull("debian", tag=f"{self._edition.debian}-slim").tag(repository, tag)
            return
        except APIError as refused:
            reason = str(refused.explanation)
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            archive = Path(folder) / "base.tar"
            self._bootstrap(archive, reason)
            self._client.api.import_image_from_file(str(archive), repository=repository, tag=tag)

    def _bootstrap(self, archive: Path, reason: str) -> None:
        sources = debian_sources(self._edition.debian)
        lacking = "mmdebstrap is not installed" if sources else "apt has no Debian sources"
        if not sources or not shutil.which("mmdebstrap"):
            raise LabError(
                f"debian:{self._edition.debian}-slim can't be pulled ({reason}), and {lacking}.",
                "Configure a registry mirror for Docker, or load a bundle made elsewhere: invoke bundle.load FILE.",
            )
        wanted = [line for line in (self._folder / "packages.txt").read_text().split("\n") if line and line[0] != "#"]
        excludes = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("man", "doc", "locale")]
        log = self._cache / "log" / "base.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            result = subprocess.run(
                [
                    "mmdebstrap",
                    "--variant=minbase",
                    f"--include={','.join(wanted)}",
                    '--aptopt=APT::Install-Recommends "false"',
                    *excludes,
                    self._edition.debian,
                    str(archive),
                    *sources,
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        if result.returncode:
            last = "\n".join(log.read_text(errors="replace").strip().splitlines()[-3:])
            raise LabError(
                f"Debian's packages could not be installed:\n{last}",
                f"Check this system's apt sources. The whole log is {log}.",
            )

    def _host_context(self, components: Collection[str]) -> dict[Path, Path]:
        context = {self._folder / name: Path(name) for name in _HOST_FILES}
        return context | {self._builder.folder(name): Path("opt") / name for name in components}

    def _container_digest(self, name: str) -> str:
        image = self._edition.images[name]
        built = [self._builder.folder(component).name.encode() for component in image.components]
        dockerfile = (self._folder / "containers" / name / "Dockerfile").read_bytes()
        return _digest(image.reference.encode(), dockerfile, self.base_tag.encode(), *built)

    def _make_archive(self, name: str, archive: Path) -> None:
        image = self._edition.images[name]
        context = {self._folder / "containers" / name / "Dockerfile": Path("Dockerfile")}
        for component in image.components:
            recipe = self._edition.component(component)
            program = recipe.output or component
            context[self._builder.folder(component) / "bin" / program] = Path(program)
        self._build(context, image.reference, {"HOST_IMAGE": self.base_tag})
        archive.parent.mkdir(parents=True, exist_ok=True)
        part = archive.with_suffix(".part")
        with part.open("wb") as file:
            for chunk in self._client.images.get(image.reference).save(named=True):
                file.write(chunk)
        part.replace(archive)
        self._client.images.remove(image.reference)

    def _build(self, context: dict[Path, Path], tag: str, arguments: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            for source, target in context.items():
                place = Path(folder) / target
                place.parent.mkdir(parents=True, exist_ok=True)
                if source.is_dir():
                    shutil.copytree(source, place, symlinks=True, copy_function=os.link)
                else:
                    shutil.copy2(source, place)
            try:
                self._client.images.build(path=folder, tag=tag, buildargs=arguments, rm=True, forcerm=True)
            except BuildError as error:
                said = "".join(str(line.get("stream") or line.get("error") or "") for line in error.build_log)
                last = "\n".join(said.strip().splitlines()[-5:])
                raise _build_error(tag, last) from error
            except APIError as error:
                raise _build_error(tag, str(error.explanation or error)) from error


def _build_error(tag: str, reason: str) -> LabError:
    return LabError(f"The image {tag} could not be built:\n{reason}", "Is the disk full? `invoke doctor` tells.")


def debian_sources(suite: str) -> list[str]:
    """Return apt source lines of `suite` on the mirrors that this system uses for Debian, [] when it uses none."""
    if not shutil.which("apt-get"):
        return []
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages", "Origin: Debian"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    uris: dict[str, str] = {}
    for uri, release in (line.split() for line in said.splitlines() if len(line.split()) == 2):
        uris.setdefault("security" if "security" in release else "main", uri)
    lines = [f"deb {uris['main']} {suite} main", f"deb {uris['main']} {suite}-updates main"] if "main" in uris else []
    return lines + ([f"deb {uris['security']} {suite}-security main"] if lines and "security" in uris else [])
