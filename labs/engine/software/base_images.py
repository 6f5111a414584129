"""Base images: Debian with the packages that all hosts have, and with those that some roles add."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from labs.engine.cache import Cache
from labs.engine.course.edition import Edition
from labs.engine.docker_client import build_image, image_exists
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.messages import Sentence, _
from labs.engine.processes import environment
from labs.engine.software.scratch import scratch_folder

if TYPE_CHECKING:
    from docker import DockerClient

REPOSITORY = "f0labs/base"


class BaseImages:
    """Makes base images with the Docker engine."""

    def __init__(self, repo: Path, cache: Cache, edition: Edition, client: DockerClient) -> None:
        self._folder = repo / "vagrant" / "image"
        self._cache, self._edition, self.client = cache, edition, client

    def packages(self, extra: Collection[str] = ()) -> bytes:
        """Return the text of packages.txt with `extra` packages, one package per line."""
        return (self._folder / "packages.txt").read_bytes() + "".join(f"{name}\n" for name in sorted(extra)).encode()

    def tag(self, extra: Collection[str] = ()) -> str:
        """Return name and tag of the image with the packages that all hosts have and `extra` ones."""
        content = b"\0".join((platform.machine().encode(), self.packages(extra), self._edition.debian.encode()))
        return f"{REPOSITORY}:{hashlib.sha256(content).hexdigest()[:12]}"

    def ensure(self, events: Events, extra: Collection[str] = ()) -> str:
        """Make a base image unless it exists; return its name and tag.

        Raises:
            LabError: Debian's packages are not available, or the disk is full.
        """
        self._cache.claim()
        with FileLock(self._cache.lock("bases")):
            if not image_exists(self.client, self.tag(extra)):
                with events.task(self._title(extra)):
                    self._make(extra)
        return self.tag(extra)

    def _title(self, extra: Collection[str]) -> Sentence:
        if not extra:
            return _("Installing Debian {debian} for the hosts (once)", debian=self._edition.debian)
        return _(
            "Installing Debian {debian} with {count} more packages for some hosts (once)",
            debian=self._edition.debian,
            count=len(extra),
        )

    def _make(self, extra: Collection[str]) -> None:
        """Use Debian's own slim image if it can be pulled; otherwise install Debian from this system's sources."""
        from docker.errors import APIError

        slim = f"debian:{self._edition.debian}-slim"
        ours = not image_exists(self.client, slim)
        try:
            if ours:  # else it is the user's: pulling it again could move the tag to another image
                self.client.images.pull("debian", tag=f"{self._edition.debian}-slim")
        except APIError as error:
            self._bootstrap(extra, str(error.explanation))
            return
        try:
            self._derive(slim, extra)
        finally:
            if ours:
                self.client.images.remove(slim)

    def _derive(self, slim: str, extra: Collection[str]) -> None:
        if not extra:
            self.client.images.get(slim).tag(*self.tag().split(":"))
            return
        context: dict[Path, Path | bytes] = {  # extra packages are in the base because components are built with them
            Path("Dockerfile"): self._folder / "packages.Dockerfile",
            Path("packages.txt"): self.packages(extra),
        }
        build_image(self.client, scratch_folder(self._cache), context, self.tag(extra), {"BASE": slim})

    def _bootstrap(self, extra: Collection[str], reason: str) -> None:
        with tempfile.TemporaryDirectory(dir=scratch_folder(self._cache)) as folder:
            archive = Path(folder) / "base.tar"
            self._install(archive, extra, reason)
            repository, tag = self.tag(extra).split(":")
            self.client.api.import_image_from_file(str(archive), repository=repository, tag=tag)

    def _install(self, archive: Path, extra: Collection[str], reason: str) -> None:
        """Install Debian into a tar archive."""
        sources = debian_sources(self._edition.debian)
        if not sources or not shutil.which("mmdebstrap"):
            raise self._no_debian(
                reason, _("mmdebstrap is not installed") if sources else _("apt has no Debian sources")
            )
        packages = [line for line in self.packages(extra).decode().split("\n") if line and line[0] != "#"]
        excludes = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("man", "doc", "locale")]
        log = self._cache.root / "log" / "base.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            result = subprocess.run(
                [
                    "mmdebstrap",
                    "--variant=minbase",
                    f"--include={','.join(packages)}",
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
                umask=0o022,
                check=False,
            )
        if result.returncode:
            end = "\n".join(log.read_text(errors="replace").strip().splitlines()[-3:])
            raise LabError(
                "debian-packages",
                _("Debian's packages could not be installed:\n{output}", output=end),
                _("Check this system's apt sources. The complete log is {log}.", log=log),
            )

    def _no_debian(self, reason: str, lacking: Sentence) -> LabError:
        return LabError(
            "debian-packages",
            _(
                "The image debian:{debian}-slim can't be pulled ({reason}), and {lacking}.",
                debian=self._edition.debian,
                reason=reason,
                lacking=lacking,
            ),
            _("Configure a registry mirror for Docker, or load a bundle from another machine: invoke bundle.load FILE"),
        )


def debian_sources(suite: str) -> list[str]:
    """Return apt source lines for `suite` on the mirrors that this system uses for Debian, [] when it uses none."""
    if not shutil.which("apt-get"):
        return []
    output = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages", "Origin: Debian"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(LC_ALL="C"),
    ).stdout
    uris: dict[str, str] = {}
    for uri, release in (line.split() for line in output.splitlines() if len(line.split()) == 2):
        uris.setdefault("security" if "security" in release else "main", uri)
    lines = [f"deb {uris['main']} {suite} main", f"deb {uris['main']} {suite}-updates main"] if "main" in uris else []
    return lines + ([f"deb {uris['security']} {suite}-security main"] if lines and "security" in uris else [])
