"""The toolchain: what its containers get of this machine, and that none is left when a build does not end well."""

from pathlib import Path

import pytest

from labs.engine.errors import LabError
from labs.engine.software.builders.job import Job, Registry
from labs.engine.software.builders.toolchain import Toolchain
from tests.engine.software.builders.conftest import Docker

REGISTRY = Registry("Nobody gives", "refused", "Ask another.")


def test_a_script_runs_in_the_image_with_its_folders(job: Job, docker: Docker, toolchain: Toolchain) -> None:
    toolchain.run(job, "make it", REGISTRY, {Path("/src"): "/source:ro"})
    assert {"--rm", "--network=none", f"--volume={job.part}:/out", "--volume=/src:/source:ro"} <= {*docker.told}
    assert "f0labs/base:tools" in docker.told
    assert docker.told[-1] == "make it"


def test_a_container_is_labelled(job: Job, docker: Docker, toolchain: Toolchain) -> None:
    toolchain.run(job, "", REGISTRY, {})
    assert "--label=f0labs.build=thing" in docker.told


def test_what_the_container_says_is_in_the_log(job: Job, docker: Docker, toolchain: Toolchain) -> None:
    docker.does("echo working; echo hard >&2")
    toolchain.run(job, "", REGISTRY, {})
    assert job.log.read_text().endswith("working\nhard\n")


def test_with_a_network_this_machines_certificates_are_trusted(
    job: Job, docker: Docker, toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "company.crt").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company.crt"))
    toolchain.run(job, "", REGISTRY, {}, network=True)
    assert {"--network=host", f"--volume={tmp_path}/company.crt:/f0/trust.crt:ro"} <= {*docker.told}


@pytest.mark.parametrize("name", ["MAVEN_OPTS", "MAVEN_ARGS"])
def test_mavens_settings_of_the_environment_come_along(
    job: Job, docker: Docker, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "-Dhttps.proxyHost=proxy.example")
    toolchain.run(job, "", REGISTRY, {})
    assert f"--env={name}" in docker.told


def test_a_build_that_fails_is_told_and_leaves_no_container(job: Job, docker: Docker, toolchain: Toolchain) -> None:
    docker.does("echo it is not there; exit 1")
    with pytest.raises(LabError, match=r"^thing could not be built:\n(.*\n)*it is not there$"):
        toolchain.run(job, "", REGISTRY, {})
    (name,) = [word for word in docker.told if word.startswith("--name=")]
    assert docker.told[-3:] == ["rm", "--force", name.removeprefix("--name=")]


def test_an_interrupted_build_leaves_no_container(
    job: Job, docker: Docker, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        toolchain.run(job, "", REGISTRY, {})
    assert docker.told[:2] == ["rm", "--force"]


@pytest.mark.usefixtures("no_programs")
def test_a_missing_docker_client_is_told(job: Job, toolchain: Toolchain) -> None:
    with pytest.raises(LabError, match=r"^The docker client is not installed\.$"):
        toolchain.run(job, "", REGISTRY, {})
