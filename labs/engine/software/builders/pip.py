"""Python packages for the hosts' Python, fetched by this machine's pip, so that its settings hold."""

import platform
import shutil
import sys
from collections.abc import Iterator

from labs.engine.course.edition import PipComponent
from labs.engine.software.builders.job import Job, Registry
from labs.engine.software.builders.toolchain import Toolchain

_INDEX = Registry(
    "pip could not fetch the packages of",
    "Could not fetch|Connection refused|Connection broken|ConnectTimeout|ReadTimeout|NewConnectionError|SSLError"
    "|No matching distribution|HTTP error",
    "Name an index that this machine reaches (pip config set global.index-url …), or invoke bundle.load FILE.",
)
# of Debian's libc and every older one that wheels are made for
_GLIBC = (36, 34, 31, 28, 26, 24, 17, 12, 5)
# The hosts can't write beside the packages: without this, Python would compile them at every start.
_COMPILE = "python3 -m compileall -q --invalidation-mode unchecked-hash /out/lib"


def build(job: Job, component: PipComponent, toolchain: Toolchain) -> None:
    """Put the packages of requirements.txt into lib/, and the component's starters into bin/."""
    command = [
        *(sys.executable, "-m", "pip", "install", "--requirement", "requirements.txt", "--require-hashes"),
        *("--target", f"{job.part}/lib", "--no-compile", "--no-deps", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", component.python, *_platforms()),
    ]
    job.run(command, _INDEX)
    shutil.rmtree(job.part / "lib/bin", ignore_errors=True)  # they would start with this machine's Python
    job.copy_starters()
    toolchain.run(job, _COMPILE, _INDEX, {})


def _platforms() -> Iterator[str]:
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    for tag in (*(f"manylinux_2_{minor}" for minor in _GLIBC), "manylinux2014", "manylinux2010", "manylinux1"):
        yield from ("--platform", f"{tag}_{machine}")
