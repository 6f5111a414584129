"""JDK and Maven, in a container of a base image that has them, so that this machine needs none of its own."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from labs.engine.processes import environment
from labs.engine.software.builders.job import Job, Registry

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "f0labs.build"

# where systems keep the certificates they trust, as one file
_TRUST = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")

# Java has a store of its own for what is trusted; what is built belongs to the owner of /out, not to root.
_PRELUDE = """\
umask 022
if [ -f /f0/trust.crt ]; then
    awk '/BEGIN CERT/ { n++ } { print > "/usr/local/share/ca-certificates/f0-" n ".crt" }' /f0/trust.crt
    update-ca-certificates >/dev/null 2>&1
fi
exec setpriv --reuid "$(stat -c %u /out)" --regid "$(stat -c %g /out)" --clear-groups env HOME=/tmp sh -euc "$1"
"""


class Toolchain:
    """Runs scripts in containers of the image that `image` returns; it is called when the first script runs."""

    def __init__(self, client: DockerClient, image: Callable[[], str]) -> None:
        self._client, self._image = client, image

    def run(
        self,
        job: Job,
        script: str,
        mounts: Mapping[Path, str],
        registry: Registry | None = None,
        *,
        network: bool = False,
    ) -> None:
        """Run a script that fills /out. However it ends, its container is removed.

        Args:
            job: the build it belongs to
            script: for sh -eu
            mounts: other folders and where they are mounted, as in "/source:ro"
            registry: where the script downloads from
            network: whether it may download

        Raises:
            LabError: it failed.
        """
        name, image = f"f0labs-build-{secrets.token_hex(4)}", self._image()
        mounts = {job.part: "/out", **mounts, **(_trust() if network else {})}
        with job.log.open("ab") as log, self._removing(name):
            log.write(f"+ in a container of {image}: {script}\n".encode())
            container = self._client.containers.create(
                image,
                ["sh", "-euc", _PRELUDE, "sh", script],
                name=name,
                labels={LABEL: job.name},
                network_mode="host" if network else "none",
                volumes=[f"{source}:{target}" for source, target in mounts.items()],
                environment={
                    name: value for name, value in environment().items() if name in ("MAVEN_OPTS", "MAVEN_ARGS")
                },
            )
            output = container.attach(stream=True)  # before it starts: following its logs can miss the last lines
            container.start()
            log.writelines(output)
            status = container.wait()["StatusCode"]
        if status:
            raise job.error(registry)

    @contextlib.contextmanager
    def _removing(self, name: str) -> Iterator[None]:
        """Remove the container of that name at the end, also when Ctrl-C came while it was being created."""
        from docker.errors import APIError

        try:
            yield
        finally:
            with contextlib.suppress(APIError):
                self._client.api.remove_container(name, force=True, v=True)


def _trust() -> dict[Path, str]:
    """This machine's trusted certificates: those of a company's proxy may be among them."""
    files = [Path(path) for path in (environment().get("SSL_CERT_FILE", ""), *_TRUST) if path and Path(path).is_file()]
    return {path: "/f0/trust.crt:ro" for path in files[:1]}
