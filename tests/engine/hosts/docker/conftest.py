"""A real Docker engine, and an image whose containers do as little as a host can do."""

import io
import secrets
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labs.engine.course.topology import Topology, load_topology
from labs.engine.hosts.docker.engine import Engine
from tests.engine.conftest import REPO

if TYPE_CHECKING:
    from docker import DockerClient

HOSTS = ("f0-12", "f0-13")
# Prints how often it was started, then waits for the signal that shuts systemd down.
INIT = """
#include <signal.h>
#include <stdio.h>
int main(void) {
    sigset_t signals;
    int received;
    FILE *starts = fopen("/starts", "a");
    sigemptyset(&signals);
    sigaddset(&signals, SIGRTMIN + 3);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    fputs("x", starts);
    fflush(starts);
    printf("start %ld\\n", ftell(starts));
    fflush(stdout);
    fclose(starts);
    sigwait(&signals, &received);
    puts("shutting down");
    return 0;
}
"""


@pytest.fixture(scope="session")
def image(client: "DockerClient", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image of nothing but INIT."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "init.c").write_text(INIT)
    subprocess.run(["cc", "-static", "-o", folder / "init", folder / "init.c"], check=True)
    tag = secrets.token_hex(3)
    client.api.import_image_from_data(
        _archive(folder / "init"), repository="f0labs-t/init", tag=tag, changes=['CMD ["/init"]']
    )
    yield f"f0labs-t/init:{tag}"
    client.images.remove(f"f0labs-t/init:{tag}", force=True)


def _archive(program: Path) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(program, "init")
    return archive.getvalue()


@pytest.fixture
def topology() -> Topology:
    """Two hosts, in a network that only these tests create."""
    whole = load_topology(REPO).in_network("192.168.199.0/24")
    hosts = [whole.host(name) for name in HOSTS]
    published = [port for port in whole.published if port.host in HOSTS]
    return whole.model_copy(update={"hosts": hosts, "published": published})


@pytest.fixture
def engine(client: "DockerClient") -> Iterator[Engine]:
    engine = Engine(client, f"f0labs-t{secrets.token_hex(3)}")
    yield engine
    engine.remove_all()


@pytest.fixture
def neighbour(client: "DockerClient") -> Iterator[Engine]:
    """Another workspace of the same machine."""
    engine = Engine(client, f"f0labs-t{secrets.token_hex(3)}")
    yield engine
    engine.remove_all()
