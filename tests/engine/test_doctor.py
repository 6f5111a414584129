"""The doctor: everything that is wrong with a machine, each with what to do about it."""

from collections import namedtuple
from pathlib import Path

import pytest

from labs.engine import doctor
from labs.engine.doctor import Finding, examine
from labs.engine.errors import LabError
from labs.engine.hosts.hosts import proxy_mode
from tests.engine.conftest import REPO, Program

Memory = namedtuple("Memory", ["total", "available"])
Usage = namedtuple("Usage", ["total", "used", "free"])
GIB = 1 << 30


def findings(repo: Path = REPO) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(repo)}


def with_memory(monkeypatch: pytest.MonkeyPatch, available: int) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: Memory(64 * GIB, available))


def with_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(100 * GIB, 0, free))


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


@pytest.fixture
def boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Vagrant keeps boxes."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path / ".vagrant.d/boxes"


@pytest.mark.usefixtures("no_docker", "no_programs")
def test_a_machine_with_nothing_has_everything_told_at_once() -> None:
    found = findings()
    assert found["Docker engine"] == Finding(
        "Docker engine",
        False,
        "No Docker engine answers.",
        "Run ./setup.sh: it installs and starts one. (A remote one is named by DOCKER_HOST.)",
    )
    assert found["Vagrant"].found == "Vagrant is not installed."
    assert list(found) == [
        "Docker engine",
        "Vagrant",
        "topology.yml",
        "versions.yml",
        "Components",
        "Memory",
        "Disk",
        "inotify",
        "kube-proxy",
    ]


@pytest.mark.usefixtures("no_docker")
@pytest.mark.parametrize(("limit", "ok"), [(128, False), (1024, True)])
def test_a_kernel_with_few_inotify_instances_is_told(
    limit: int, ok: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "limit").write_text(f"{limit}\n")
    monkeypatch.setattr(doctor, "INOTIFY_LIMIT", tmp_path / "limit")
    assert findings()["inotify"].ok is ok


@pytest.mark.usefixtures("no_docker")
def test_what_is_all_right_is_told_as_well(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    program("vagrant", "echo Vagrant 2.4.9")
    program("go", """echo '{"GOVERSION": "go1.99"}'""")
    with_memory(monkeypatch, 8 * GIB)
    with_disk(monkeypatch, 40 * GIB)
    found = findings()
    assert found["Vagrant"] == Finding("Vagrant", True, "Vagrant 2.4.9")
    assert found["topology.yml"].found == "5 hosts in 192.168.56.0/24"
    assert found["Memory"] == Finding("Memory", True, "8.0 GiB available")
    assert found["Disk"].found.startswith("40.0 GiB free in ")
    assert found["Components"].found.startswith("still to be built: kubernetes, cni-plugins, flannel,")


@pytest.mark.usefixtures("no_docker", "no_programs")
def test_broken_files_are_findings_not_the_end(tmp_path: Path) -> None:
    found = findings(tmp_path)
    assert not found["topology.yml"].ok
    assert found["versions.yml"].found.startswith("vagrant/versions.yml:1: not readable")


def test_too_little_memory_is_told_in_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    with_memory(monkeypatch, 3 * GIB // 2)
    finding = findings()["Memory"]
    assert (finding.ok, finding.found) == (False, "The hosts need 2 GiB of memory, and 1.5 GiB are available.")
    assert finding.advice == "End some programs, or give the machine (or Docker's virtual machine) more memory."


def test_too_little_disk_is_told_in_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_disk(monkeypatch, GIB)
    finding = findings()["Disk"]
    assert (finding.ok, finding.found) == (
        False,
        f"The hosts need 3 GiB of disk, and 1.0 GiB are free in {tmp_path}/cache.",
    )
    assert "F0_CACHE" in finding.advice


@pytest.mark.parametrize(("memory", "disk", "lacking"), [(1, 40, "memory"), (8, 1, "disk")])
def test_hosts_are_not_started_without_room(
    program: Program, monkeypatch: pytest.MonkeyPatch, memory: int, disk: int, lacking: str
) -> None:
    program("vagrant", "echo Vagrant 2.4.9")
    with_memory(monkeypatch, memory * GIB)
    with_disk(monkeypatch, disk * GIB)
    with pytest.raises(LabError, match=rf"^The hosts need \d GiB of {lacking}, and 1.0 GiB are"):
        doctor.check_room()


def test_docker_is_the_provider_unless_told_otherwise() -> None:
    assert doctor.choose_provider(None) == "docker"


def test_an_unknown_provider_is_told() -> None:
    with pytest.raises(LabError) as raised:
        doctor.choose_provider("vmware")
    assert raised.value.message == "There is no provider 'vmware'."
    assert raised.value.hint == "The providers are docker, virtualbox, libvirt."


@pytest.mark.usefixtures("boxes")
def test_a_provider_without_a_box_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0_PROVIDER", "libvirt")
    with pytest.raises(LabError) as raised:
        doctor.choose_provider(None)
    assert raised.value.message == "The provider 'libvirt' needs the box f0labs/host, and this machine has none."
    assert raised.value.hint.endswith("--provider docker needs none.")


def test_a_provider_with_a_box_is_taken(boxes: Path) -> None:
    (boxes / "f0labs-VAGRANTSLASH-host/0/libvirt").mkdir(parents=True)
    assert doctor.choose_provider("libvirt") == "libvirt"


def test_the_flag_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0_PROVIDER", "vmware")
    assert doctor.choose_provider("docker") == "docker"


@pytest.mark.parametrize(("there", "mode"), [(True, "ipvs"), (False, "iptables")])
def test_kube_proxys_mode_is_what_the_kernel_has(monkeypatch: pytest.MonkeyPatch, there: bool, mode: str) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: there and str(path) == "/proc/net/ip_vs")
    assert proxy_mode() == mode
