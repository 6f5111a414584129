"""Everything that is written into a workspace before its hosts are created."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.engine.course.edition import Edition
from labs.engine.course.topology import Topology
from labs.engine.hosts.access import Access
from labs.engine.hosts.blueprint import write_blueprint
from labs.engine.hosts.provider import Blueprint, Facts
from labs.engine.workspace import Workspace
from tests.engine.conftest import IMAGES

NO_WAY_OUT = "etc/systemd/system/lab.target.wants/no-way-out.service"


class Writer:
    """Writes blueprints for one workspace."""

    def __init__(self, workspace: Workspace, topology: Topology, edition: Edition, archive: Path) -> None:
        self._workspace, self._topology, self._edition, self._archive = workspace, topology, edition, archive

    def write(self, *, ip_vs: bool = False, internet: bool = False) -> Blueprint:
        return write_blueprint(
            self._workspace,
            self._topology,
            self._edition,
            IMAGES,
            {"pause": self._archive},
            Facts(ip_vs=ip_vs, interface="eth0"),
            internet=internet,
        )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "pause-1.tar").write_text("pause")
    return tmp_path / "pause-1.tar"


@pytest.fixture
def writer(workspace: Workspace, topology: Topology, edition: Edition, archive: Path) -> Iterator[Writer]:
    workspace.claim()
    yield Writer(workspace, topology, edition, archive)
    Access(workspace, topology.domain).end_shared_connections()


@pytest.fixture
def written(writer: Writer, workspace: Workspace) -> Workspace:
    writer.write()
    return workspace


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def proxy_mode(workspace: Workspace) -> str:
    config = (workspace.hosts / "f0-13/etc/kubernetes/kube-proxy.yaml").read_text()
    return next(line for line in config.splitlines() if line.startswith("mode:"))


def test_everything_that_hosts_need_is_written(written: Workspace, topology: Topology) -> None:
    assert sorted(path.name for path in written.hosts.iterdir()) == topology.names
    assert written.ssh_config.exists()
    assert written.kubeconfig.exists()
    assert sorted(path.name for path in (written.root / "api").iterdir()) == ["admin-key.pem", "admin.pem", "ca.pem"]
    assert (written.root / "images/pause.tar").read_text() == "pause"


def test_other_users_can_read_no_key(written: Workspace, topology: Topology) -> None:
    assert mode(written.root) == 0o700
    assert mode(written.root / "ssh_key") == 0o600
    assert mode(written.root / "api/admin-key.pem") == 0o600
    assert mode(Access(written, topology.domain).control_folder) == 0o700


@pytest.mark.parametrize("host", ["f0-11", "f0-15"])
def test_the_workspaces_key_opens_every_host(written: Workspace, host: str) -> None:
    from paramiko import Ed25519Key

    key = Ed25519Key.from_private_key_file(str(written.root / "ssh_key"))
    opened_by = (written.hosts / host / "home/vagrant/.ssh/authorized_keys").read_text().splitlines()[0]
    assert opened_by.split()[:2] == ["ssh-ed25519", key.get_base64()]


def test_the_kubeconfig_names_the_published_api(writer: Writer, workspace: Workspace) -> None:
    port = writer.write().ports["f0-13"]["api"]
    assert f"server: https://127.0.0.1:{port}\n" in workspace.kubeconfig.read_text()


def test_the_ssh_configuration_names_the_published_ports(writer: Writer, workspace: Workspace) -> None:
    port = writer.write().ports["f0-14"]["ssh"]
    assert f"Host f0-14 f0-14.frank.com\n  HostName 127.0.0.1\n  Port {port}\n" in workspace.ssh_config.read_text()


@pytest.mark.parametrize("internet", [False, True])
def test_hosts_leave_this_machine_only_when_asked(writer: Writer, workspace: Workspace, internet: bool) -> None:
    blueprint = writer.write(internet=internet)
    assert blueprint.internet is internet
    assert (workspace.hosts / "f0-13" / NO_WAY_OUT).is_symlink() is not internet


@pytest.mark.parametrize(("ip_vs", "expected"), [(True, "mode: ipvs"), (False, "mode: iptables")])
def test_kube_proxys_mode_is_what_the_hosts_kernel_has(
    writer: Writer, workspace: Workspace, ip_vs: bool, expected: str
) -> None:
    writer.write(ip_vs=ip_vs)
    assert proxy_mode(workspace).replace('"', "") == expected


def test_each_host_is_given_its_own_tree_and_the_courses_folders(writer: Writer, workspace: Workspace) -> None:
    assert writer.write().mounts["f0-13"] == {
        workspace.hosts / "f0-13": "/f0/tree",
        workspace.root / "images": "/opt/images",
        workspace.repo / "manifests": "/f0/manifests",
    }


def test_the_ops_host_is_given_the_sources_of_labs_as_well(writer: Writer, workspace: Workspace) -> None:
    mounts = writer.write().mounts["f0-15"]
    assert mounts[workspace.repo / "labs/dubbo/source"] == "/f0/source/dubbo"


def test_images_are_those_it_was_asked_for(writer: Writer) -> None:
    assert writer.write().images == IMAGES


def test_an_archive_shares_its_space_with_the_cache(written: Workspace, archive: Path) -> None:
    assert (written.root / "images/pause.tar").samefile(archive)


def test_an_archive_on_another_file_system_is_copied(
    writer: Writer, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    writer.write()
    assert (workspace.root / "images/pause.tar").read_text() == "pause"


def test_archives_of_an_earlier_lab_are_gone(writer: Writer, workspace: Workspace) -> None:
    writer.write()
    (workspace.root / "images/old.tar").touch()
    writer.write()
    assert [file.name for file in (workspace.root / "images").iterdir()] == ["pause.tar"]
