"""Commands on the hosts: hosts that don't answer, files as they were meant, shared connections that end."""

import subprocess
from pathlib import Path

import pytest

from labs.engine.errors import LabError
from labs.engine.hosts.remote import Outcome, Remote, end_shared_connections
from labs.engine.hosts.vagrant.machines import control_path
from labs.engine.workspace import Workspace
from tests.engine.conftest import Program

CONTENT = """[Service]
ExecStart=/bin/sh -c "echo '$HOME' \\"%n\\" \\\\ > /tmp/x"  # 中文
\ttab, no end of line"""


class Here(Remote):
    """Hosts that are this machine."""

    def run(self, host: str, script: str, seconds: float = 300) -> Outcome:
        said = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False)
        return Outcome(host, said.returncode, said.stdout + said.stderr)


@pytest.fixture
def closed(workspace: Workspace) -> Workspace:
    """A workspace whose hosts are gone: nobody listens on their ports."""
    workspace.root.mkdir()
    workspace.ssh_config.write_text("Host f0-*\n  HostName 127.0.0.1\n  Port 1\n  User nobody\n")
    return workspace


def test_a_host_that_does_not_answer_is_told(closed: Workspace) -> None:
    with Remote(closed) as remote, pytest.raises(LabError) as raised:
        remote.run("f0-14", "true")
    assert raised.value.message.startswith("f0-14 does not answer over SSH (")
    assert raised.value.hint == "`invoke lab.status` shows its state."


def test_a_workspace_without_hosts_is_told_the_same_way(workspace: Workspace) -> None:
    with pytest.raises(LabError) as raised, Remote(workspace) as remote:
        remote.run("f0-14", "true")
    assert raised.value.message.startswith("f0-14 does not answer over SSH (")


def test_a_file_is_written_as_it_is_meant(workspace: Workspace, tmp_path: Path, program: Program) -> None:
    program("sudo", 'exec "$@"')
    target = tmp_path / "made/on the way/unit.service"
    assert [one.status for one in Here(workspace).write(["f0-13"], str(target), CONTENT)] == [0]
    assert target.read_text() == CONTENT
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_file_replaces_a_longer_one(workspace: Workspace, tmp_path: Path, program: Program) -> None:
    program("sudo", 'exec "$@"')
    (tmp_path / "file").write_text("longer than that\n")
    Here(workspace).write(["f0-13"], str(tmp_path / "file"), "short\n")
    assert (tmp_path / "file").read_text() == "short\n"


def test_outcomes_come_in_the_order_of_the_hosts(workspace: Workspace) -> None:
    outcomes = Here(workspace).run_everywhere(["f0-14", "f0-11", "f0-13"], "echo hello")
    assert [one.host for one in outcomes] == ["f0-14", "f0-11", "f0-13"]
    assert {one.output for one in outcomes} == {"hello\n"}


def test_shared_connections_are_ended_and_their_folder_is_removed(
    workspace: Workspace, program: Program, tmp_path: Path
) -> None:
    program("ssh", f'echo "$@" >> {tmp_path}/told')
    folder = control_path(workspace).parent
    folder.mkdir()
    (folder / "f0-13").touch()
    end_shared_connections(workspace)
    assert (tmp_path / "told").read_text() == f"-F {workspace.ssh_config} -O exit f0-13\n"
    assert not folder.exists()


def test_ending_no_connections_is_harmless(workspace: Workspace) -> None:
    end_shared_connections(workspace)
