"""Which provider makes the hosts."""

import subprocess
import sys

import pytest

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker.provider import DockerProvider
from labs.engine.hosts.provider import Finding, require
from labs.engine.hosts.providers import all_providers, choose_provider, make_provider
from labs.engine.hosts.vagrant.provider import VagrantProvider
from labs.engine.messages import verbatim
from labs.engine.settings import Settings
from labs.engine.workspace import Workspace
from tests.engine.conftest import REPO


@pytest.mark.parametrize(
    ("wanted", "setting", "chosen"),
    [
        (None, None, "docker"),
        (None, "libvirt", "libvirt"),
        ("virtualbox", "libvirt", "virtualbox"),
        ("virtualbox", None, "virtualbox"),
    ],
)
def test_the_one_asked_for_goes_before_the_setting_and_the_default(
    settings: Settings, wanted: str | None, setting: str | None, chosen: str
) -> None:
    assert choose_provider(wanted, settings.model_copy(update={"provider": setting})) == chosen


def test_an_unknown_provider_is_reported_with_the_nearest_one(settings: Settings) -> None:
    with pytest.raises(LabError) as raised:
        choose_provider("dokcer", settings)
    assert raised.value.code == "unknown-name"
    assert str(raised.value) == "There is no provider 'dokcer'. Did you mean 'docker'?"
    assert str(raised.value.hint) == "The providers are docker, libvirt, virtualbox."


@pytest.mark.parametrize(
    ("name", "kind"), [("docker", DockerProvider), ("libvirt", VagrantProvider), ("virtualbox", VagrantProvider)]
)
def test_a_provider_is_made_by_its_name(
    workspace: Workspace, topology: Topology, settings: Settings, name: str, kind: type
) -> None:
    assert isinstance(make_provider(name, workspace, topology, settings), kind)


@pytest.mark.usefixtures("no_programs")
def test_all_providers_can_be_made_on_a_machine_that_has_none(
    workspace: Workspace, topology: Topology, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    assert len(all_providers(workspace, topology, settings)) == 3


def test_choosing_loads_no_library_of_a_provider() -> None:
    script = (
        "import sys; from labs.engine.hosts import providers; "
        "print({'docker', 'vagrant', 'psutil'} & {name.partition('.')[0] for name in sys.modules})"
    )
    output = subprocess.run([sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=True).stdout
    assert output == "set()\n"


def test_the_first_required_finding_that_failed_stops_the_start() -> None:
    optional, required = LabError("inotify", "few"), LabError("memory", "little")
    findings = [
        Finding(verbatim("Docker"), verbatim("there")),
        Finding(verbatim("inotify"), optional.message, optional, required=False),
        Finding(verbatim("Memory"), required.message, required),
    ]
    require(findings[:2])
    with pytest.raises(LabError) as raised:
        require(findings)
    assert raised.value is required
