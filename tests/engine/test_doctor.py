"""The doctor: everything that a machine lacks, each with what to do about it."""

from pathlib import Path

import pytest

from labs.engine import doctor
from labs.engine.doctor import examine
from labs.engine.hosts.provider import Finding
from labs.engine.settings import Settings
from tests.engine.conftest import Program


def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.name.of("en"): finding for finding in examine(settings)}


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


@pytest.mark.usefixtures("no_docker", "no_programs")
def test_a_machine_with_nothing_has_everything_reported_at_once(settings: Settings) -> None:
    found = findings(settings)
    assert list(found) == [
        *("Course files", "Cache", "Components"),
        *("Docker engine", "Memory", "Disk", "inotify", "kube-proxy"),
    ]
    assert {name: finding.error.code for name, finding in found.items() if finding.error} == {
        "Components": "go-missing",
        "Docker engine": "docker-unavailable",
    }


@pytest.mark.usefixtures("no_docker")
def test_what_is_all_right_is_reported_as_well(settings: Settings, program: Program) -> None:
    program("go", """echo '{"GOVERSION": "go1.99"}'""")
    found = findings(settings)
    assert found["Course files"].result.of("en") == "5 labs, 5 hosts in 192.168.56.0/24"
    assert found["Cache"].result.of("en") == str(settings.cache)
    assert found["Components"].result.of("en").startswith("still to be built: ")


@pytest.mark.usefixtures("no_docker")
def test_broken_course_files_are_a_finding(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "REPO", tmp_path)
    assert [finding.error.code for finding in examine(settings) if finding.error] == ["course-files"]


@pytest.mark.usefixtures("no_docker")
def test_a_cache_that_is_not_ours_is_a_finding(settings: Settings) -> None:
    settings.cache.mkdir()
    (settings.cache / "thesis.odt").touch()
    error = findings(settings)["Cache"].error
    assert error is not None
    assert error.code == "foreign-folder"


@pytest.mark.usefixtures("no_docker")
@pytest.mark.parametrize(
    ("field", "value", "name"), [("provider", "vmware", "Provider"), ("network", "10.0.0.0/8", "Course files")]
)
def test_a_setting_that_can_not_be_used_is_a_finding(settings: Settings, field: str, value: str, name: str) -> None:
    assert findings(settings.model_copy(update={field: value}))[name].error
