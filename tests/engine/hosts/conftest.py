"""Hosts and a cluster on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.engine.hosts.kube_api import KubeApi
from labs.engine.hosts.remote import Remote
from tests.engine.hosts.api_server import ApiServer
from tests.engine.hosts.ssh_server import SshServer


@pytest.fixture
def ssh_server(tmp_path: Path) -> Iterator[SshServer]:
    server = SshServer(tmp_path / "ssh")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def remote(ssh_server: SshServer) -> Iterator[Remote]:
    with Remote(ssh_server.ssh_config) as opened:
        yield opened


@pytest.fixture
def api_server(tmp_path: Path) -> Iterator[ApiServer]:
    server = ApiServer(tmp_path / "credentials")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def api(api_server: ApiServer) -> KubeApi:
    return KubeApi(api_server.port, api_server.credentials, ["f0-13", "f0-14"])
