"""Host containers: what Docker is told, that all start side by side, and one that does not start."""

from pathlib import Path

import pytest

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.docker import containers
from labs.engine.hosts.docker.containers import run_arguments
from labs.engine.hosts.docker.engine import LABEL
from labs.engine.workspace import Workspace
from tests.engine.conftest import IMAGES, PORTS, Golden, Program, anywhere

OWN_NAME = 'for one in "$@"; do case "$one" in --hostname=*) host="${one#--hostname=}";; esac; done'


def start(workspace: Workspace, topology: Topology) -> None:
    containers.start(workspace, topology, IMAGES, PORTS, {LABEL: workspace.name})


def notes(workspace: Workspace) -> dict[str, str]:
    """The id that Vagrant will find of each host."""
    folder = workspace.root / ".vagrant/machines"
    return {file.parents[1].name: file.read_text() for file in sorted(folder.glob("*/docker/id"))}


@pytest.mark.parametrize("host", ["f0-12", "f0-13"])
def test_docker_is_told_so(workspace: Workspace, topology: Topology, golden: Golden, host: str) -> None:
    arguments = run_arguments(workspace, topology, host, PORTS[host], {LABEL: workspace.name})
    golden(f"run_arguments.{host}.txt", anywhere("\n".join(arguments) + "\n", workspace))


def test_a_container_gets_no_more_rights_than_it_needs(workspace: Workspace, topology: Topology) -> None:
    arguments = run_arguments(workspace, topology, "f0-13", PORTS["f0-13"], {})
    assert "--privileged" not in arguments
    assert not [one for one in arguments if "/sys/fs/cgroup" in one]
    assert {one.rsplit(":", 1)[1] for one in arguments if one.startswith(f"--volume={workspace.root}")} == {"ro"}


def test_what_is_published_is_on_loopback_only(workspace: Workspace, topology: Topology) -> None:
    told = [one for host in topology.names for one in run_arguments(workspace, topology, host, PORTS[host], {})]
    published = [one for one in told if one.startswith(("--publish", "-p"))]
    assert len(published) == len(topology.hosts) + len(topology.published)
    assert all(one.startswith("--publish=127.0.0.1:") for one in published)


def test_hosts_are_run_as_told_and_noted_for_vagrant(
    workspace: Workspace, topology: Topology, program: Program, tmp_path: Path
) -> None:
    program("docker", f"""{OWN_NAME}; printf '%s\\n' "$@" >{tmp_path}/$host; echo "id-of-$host\n" """)
    start(workspace, topology)
    assert notes(workspace) == {host: f"id-of-{host}" for host in topology.names}
    for host in topology.names:
        arguments = run_arguments(workspace, topology, host, PORTS[host], {LABEL: workspace.name})
        assert (tmp_path / host).read_text().splitlines() == ["run", "--detach", *arguments, IMAGES[host]]


def test_hosts_start_side_by_side(workspace: Workspace, topology: Topology, program: Program, tmp_path: Path) -> None:
    (tmp_path / "begun").mkdir()
    all_begun = f"[ $(ls {tmp_path}/begun | wc -l) = {len(topology.hosts)} ]"
    program("docker", f"{OWN_NAME}; touch {tmp_path}/begun/$host; timeout 20 sh -c 'until {all_begun}; do :; done'")
    start(workspace, topology)


def test_processes_that_create_hosts_say_for_which_workspace(
    workspace: Workspace, topology: Topology, program: Program
) -> None:
    program("docker", f"echo ${containers.MARK}")
    start(workspace, topology)
    assert {*notes(workspace).values()} == {workspace.name}


def test_a_host_that_does_not_start_is_told_in_dockers_words_and_the_others_are_waited_for(
    workspace: Workspace, topology: Topology, program: Program
) -> None:
    refusal = "docker: Error response from daemon: port is already allocated."
    refuse = f'case "$host" in f0-12|f0-14) echo "$host"; echo "{refusal}" >&2; exit 125;; f0-15) sleep 0.3;; esac'
    program("docker", f'{OWN_NAME}; {refuse}; echo "id-of-$host"')
    with pytest.raises(LabError) as raised:
        start(workspace, topology)
    assert raised.value.message == f"f0-12 could not be started:\n{refusal}"
    assert raised.value.hint == "invoke doctor tells what this machine lacks."
    assert notes(workspace) == {host: f"id-of-{host}" for host in ("f0-11", "f0-13", "f0-15")}


@pytest.mark.usefixtures("no_programs")
def test_a_missing_docker_client_is_told(workspace: Workspace, topology: Topology) -> None:
    with pytest.raises(LabError) as raised:
        start(workspace, topology)
    assert raised.value.message == "The docker client is not installed."
    assert raised.value.hint == "Run ./setup.sh: it installs it."
