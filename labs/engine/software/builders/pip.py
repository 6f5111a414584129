"""Python packages for the hosts' Python, downloaded by this machine's pip, so that the user's mirrors apply."""

import ast
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from labs.engine.course.edition import PipComponent
from labs.engine.messages import _
from labs.engine.software.builders.environment import PIP_MIRRORS, build_environment
from labs.engine.software.builders.job import Job, Registry
from labs.engine.software.builders.toolchain import Toolchain

_INDEX = Registry(
    _("pip could not download the packages of {name}: {line}"),
    "Could not fetch|Connection refused|Connection broken|ConnectTimeout|ReadTimeout|NewConnectionError|SSLError"
    "|No matching distribution|HTTP error",
    _("Set an index that this machine can reach (pip config set global.index-url), or run `invoke bundle.load FILE`."),
)
# minor versions: that of Debian's libc, and every older one that wheels are made for
_GLIBC = (36, 34, 31, 28, 26, 24, 17, 12, 5)
# The hosts can't write beside the packages, so Python would otherwise compile them at every start.
_COMPILE = "python3 -m compileall -q --invalidation-mode unchecked-hash /out/lib"


def build(job: Job, component: PipComponent, toolchain: Toolchain) -> None:
    """Put the packages of requirements.txt into lib/, and the component's launchers into bin/."""
    command = [
        *(sys.executable, "-m", "pip", "install", "--requirement", "requirements.txt", "--require-hashes"),
        *("--target", f"{job.part}/lib", "--no-compile", "--no-deps", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", component.python, *_platforms()),
    ]
    job.run(command, _INDEX, pip_environment())
    shutil.rmtree(job.part / "lib/bin", ignore_errors=True)  # they would start with this machine's Python
    job.copy_launchers()
    toolchain.run(job, _COMPILE, {})


def pip_environment() -> dict[str, str]:
    """Return the environment of an installation with pip: of all that pip's files configure, only the mirrors apply."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    environment = build_environment(PIP_USER="0")  # else `user = true` there would hide what other files configure
    listed = subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):  # the later, the stronger
        for name, value in re.findall(rf"^{section}\.([\w-]+)=('.*'|\".*\")$", listed, re.MULTILINE):
            if name in PIP_MIRRORS:
                settings[f"PIP_{name.upper().replace('-', '_')}"] = " ".join(str(ast.literal_eval(value)).split())
    return build_environment(**{**settings, "PIP_CONFIG_FILE": os.devnull})


def _platforms() -> Iterator[str]:
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    for tag in (*(f"manylinux_2_{minor}" for minor in _GLIBC), "manylinux2014", "manylinux2010", "manylinux1"):
        yield from ("--platform", f"{tag}_{machine}")
