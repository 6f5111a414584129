"""Base images: Debian with the packages that all hosts have, and with those that some roles bring beside them."""

import hashlib
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path

import docker
from docker.errors import APIError, ImageNotFound
from filelock import FileLock

from labs.engine.course.edition import Edition
from labs.engine.errors import LabError
from labs.engine.hosts.docker.engine import build_image
from labs.engine.terminal.progress import Tasks


class Bases:
    """Makes base images with the Docker engine."""

    def __init__(self, repo: Path, cache: Path, edition: Edition, client: docker.DockerClient) -> None:
        self._folder = repo / "vagrant" / "image"
        self._cache, self._edition, self.client = cache, edition, client

    def packages(self, more: Collection[str] = ()) -> bytes:
        """Return the text of packages.txt with `more` packages, a package a line."""
        return (self._folder / "packages.txt").read_bytes() + "".join(f"{name}\n" for name in sorted(more)).encode()

    def tag(self, more: Collection[str] = ()) -> str:
        """Tag of the image with Debian's packages, those that all hosts have and `more`."""
        decides = b"\0".join((platform.machine().encode(), self.packages(more), self._edition.debian.encode()))
        return f"f0labs/base:{hashlib.sha256(decides).hexdigest()[:12]}"

    def provide(self, progress: Tasks, more: Collection[str] = ()) -> str:
        """Have a base image; return its tag.

        Raises:
            LabError: Debian's packages can't be had, or the disk is full.
        """
        (self._cache / "locks").mkdir(parents=True, exist_ok=True)
        with FileLock(self._cache / "locks" / "bases.lock"):
            if not self._exists(self.tag(more)):
                what = "the hosts" if not more else f"some hosts, with {len(more)} more packages"
                with progress.task(f"Installing Debian {self._edition.debian} for {what} (once)"):
                    self._make(more)
        return self.tag(more)

    def _exists(self, tag: str) -> bool:
        try:
            self.client.images.get(tag)
        except ImageNotFound:
            return False
        return True

    def _make(self, more: Collection[str]) -> None:
        """Take Debian's own slim image where it can be pulled; else install Debian from this system's sources."""
        repository, tag = self.tag(more).split(":")
        slim = f"debian:{self._edition.debian}-slim"
        try:
            pulled = self.client.images.pull("debian", tag=f"{self._edition.debian}-slim")
        except APIError as refused:
            reason = str(refused.explanation)
        else:
            if more:  # they must be in the base itself: components are built with them
                context: dict[Path, Path | bytes] = {
                    Path("Dockerfile"): self._folder / "packages.Dockerfile",
                    Path("packages.txt"): self.packages(more),
                }
                build_image(self.client, self._cache, context, self.tag(more), {"BASE": slim})
            else:
                pulled.tag(repository, tag)
            return
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            archive = Path(folder) / "base.tar"
            self._bootstrap(archive, more, reason)
            self.client.api.import_image_from_file(str(archive), repository=repository, tag=tag)

    def _bootstrap(self, archive: Path, more: Collection[str], reason: str) -> None:
        sources = debian_sources(self._edition.debian)
        lacking = "mmdebstrap is not installed" if sources else "apt has no Debian sources"
        if not sources or not shutil.which("mmdebstrap"):
            raise LabError(
                f"debian:{self._edition.debian}-slim can't be pulled ({reason}), and {lacking}.",
                "Configure a registry mirror for Docker, or load a bundle made elsewhere: invoke bundle.load FILE.",
            )
        wanted = [line for line in self.packages(more).decode().split("\n") if line and line[0] != "#"]
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
                    # a JDK's packages put links to its pages there
                    "--setup-hook=mkdir -p $1/usr/share/man/man1",
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
