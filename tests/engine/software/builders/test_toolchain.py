"""The toolchain: what its containers get of this machine, and that none is left, however a build ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from docker import DockerClient

from labs.engine.errors import LabError
from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import LABEL, Toolchain
from labs.engine.waiting import wait_until
from tests.engine.conftest import REPO
from tests.engine.software.builders.conftest import MakeToolchain

RUN = """\
import sys
from pathlib import Path
from labs.engine.docker_client import connect
from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain
folder = Path(sys.argv[1])
job = Job(folder.name, folder, folder, folder, folder, folder / "log")
Toolchain(connect(), lambda: sys.argv[2]).run(job, "touch /out/started; sleep 60", {})
"""


def containers(client: DockerClient, name: str) -> list[object]:
    return list(client.containers.list(all=True, filters={"label": f"{LABEL}={name}"}, ignore_removed=True))


def test_a_script_fills_out_from_the_folders_it_is_given(job: Job, toolchain: Toolchain, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given/file").write_text("text")
    toolchain.run(job, "cp /source/file /out/copy", {tmp_path / "given": "/source:ro"})
    assert (job.part / "copy").read_text() == "text"


def test_results_belong_to_the_owner_of_the_folder_and_can_be_read(job: Job, toolchain: Toolchain) -> None:
    toolchain.run(job, "mkdir /out/lib; touch /out/lib/file", {})
    assert (job.part / "lib/file").stat().st_uid == job.part.stat().st_uid
    assert (job.part / "lib/file").stat().st_mode & 0o777 == 0o644


def test_a_script_has_no_network_unless_it_needs_one(job: Job, toolchain: Toolchain) -> None:
    toolchain.run(job, "ls /sys/class/net >/out/interfaces", {})
    assert "lo" in (job.part / "interfaces").read_text().split()
    assert "eth0" not in (job.part / "interfaces").read_text().split()


def test_the_output_is_in_the_log(job: Job, toolchain: Toolchain) -> None:
    toolchain.run(job, "echo working; sleep 0.2; echo hard >&2", {})
    assert job.log.read_text().endswith("working\nhard\n")


def test_with_a_network_this_machines_certificates_are_trusted(
    job: Job, toolchain_with: MakeToolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "company.crt").write_text("BEGIN CERT of the company\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company.crt"))
    toolchain = toolchain_with({"update-ca-certificates": "cp /usr/local/share/ca-certificates/* /tmp/"})
    toolchain.run(job, "cat /tmp/f0-1.crt >/out/trusted", {}, network=True)
    assert (job.part / "trusted").read_text() == "BEGIN CERT of the company\n"


@pytest.mark.parametrize("name", ["MAVEN_OPTS", "MAVEN_ARGS"])
def test_mavens_settings_in_the_environment_are_used(
    job: Job, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "-Dhttps.proxyHost=proxy.example")
    toolchain.run(job, f'echo "${name}" >/out/value', {})
    assert (job.part / "value").read_text() == "-Dhttps.proxyHost=proxy.example\n"


def test_a_build_that_fails_is_an_error_and_leaves_no_container(
    job: Job, toolchain: Toolchain, client: DockerClient
) -> None:
    with pytest.raises(LabError, match=r"^thing could not be built:\n(.*\n)*it is not there$") as raised:
        toolchain.run(job, "echo it is not there; exit 3", {})
    assert raised.value.code == "build-failed"
    assert containers(client, "thing") == []


def test_an_interrupted_build_leaves_no_container(client: DockerClient, tools: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, tmp_path, tools],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert wait_until((tmp_path / "started").exists, 30)
    assert len(containers(client, tmp_path.name)) == 1
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) != 0
    assert containers(client, tmp_path.name) == []
