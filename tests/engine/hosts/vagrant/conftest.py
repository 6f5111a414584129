"""A blueprint of all hosts, as the course makes them."""

import pytest

from labs.engine.course.topology import Topology
from labs.engine.hosts.provider import Blueprint
from labs.engine.workspace import Workspace
from tests.engine.conftest import IMAGES, PORTS


@pytest.fixture
def blueprint(workspace: Workspace, topology: Topology) -> Blueprint:
    workspace.claim()
    (workspace.root / "images").mkdir()
    mounts = {
        host: {
            workspace.hosts / host: "/f0/tree",
            workspace.root / "images": "/opt/images",
            workspace.repo / "manifests": "/f0/manifests",
        }
        for host in topology.names
    }
    mounts["f0-15"][workspace.repo / "labs/dubbo/source"] = "/f0/source/dubbo"
    for host in topology.names:
        (workspace.hosts / host).mkdir(parents=True)
    return Blueprint(IMAGES, PORTS, mounts, internet=False)
