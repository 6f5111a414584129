"""JDK and Maven, in a container of a base image that has them: so that this machine needs none of its own."""

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from labs.engine.errors import LabError
from labs.engine.software.builders.job import Job, Registry

# where systems keep the certificates they trust, as one file
_TRUST = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")

# Java has a store of its own for what is trusted; what is built belongs to the owner of /out, not to root.
_PRELUDE = """\
if [ -f /f0/trust.crt ]; then
    awk '/BEGIN CERT/ { n++ } { print > "/usr/local/share/ca-certificates/f0-" n ".crt" }' /f0/trust.crt
    update-ca-certificates >/dev/null 2>&1
fi
exec setpriv --reuid "$(stat -c %u /out)" --regid "$(stat -c %g /out)" --clear-groups env HOME=/tmp sh -euc "$1"
"""


class Toolchain:
    """Runs scripts in containers of an image, which `image` makes if need be, and names."""

    def __init__(self, image: Callable[[], str]) -> None:
        self._image = image

    def run(
        self, job: Job, script: str, registry: Registry, mounts: Mapping[Path, str], *, network: bool = False
    ) -> None:
        """Run a script that fills /out, with other folders mounted where it wants them; it ends with this process."""
        docker = shutil.which("docker")
        if not docker:
            raise LabError("The docker client is not installed.", "Run ./setup.sh: it installs it.")
        name = f"f0labs-build-{secrets.token_hex(4)}"
        volumes = {job.part: "/out", **mounts, **(_trust() if network else {})}
        command = [
            docker,
            *("run", "--rm", f"--name={name}", f"--label=f0labs.build={job.name}"),
            f"--network={'host' if network else 'none'}",
            *(f"--volume={source}:{target}" for source, target in volumes.items()),
            *(f"--env={name}" for name in ("MAVEN_OPTS", "MAVEN_ARGS") if name in os.environ),
            *(self._image(), "sh", "-euc", _PRELUDE, "sh", script),
        ]
        try:
            job.run(command, registry, folder=job.part)  # not every component has a folder of its own
        except BaseException:  # Ctrl-C ends the docker client, not the container
            with contextlib.suppress(OSError):
                subprocess.run([docker, "rm", "--force", name], check=False, capture_output=True)
            raise


def _trust() -> dict[Path, str]:
    """This machine's trusted certificates: those of a company's proxy may be among them."""
    found = [path for path in (os.environ.get("SSL_CERT_FILE", ""), *_TRUST) if path and Path(path).is_file()]
    return {Path(path): "/f0/trust.crt:ro" for path in found[:1]}
