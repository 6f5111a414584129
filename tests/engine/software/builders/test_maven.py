"""Maven: jars to run with, repositories for building offline, and a registry that does not answer."""

from pathlib import Path

import pytest

from labs.engine.course.edition import MavenRepository
from labs.engine.errors import LabError
from labs.engine.software.builders import maven
from labs.engine.software.builders.job import Job
from tests.engine.software.builders.conftest import MakeToolchain, files

PROJECT = MavenRepository(kind="maven-repository", version="1", source="labs/x/source", goals=["clean", "verify"])
FILLED = """\
cd /repository
mkdir -p org/thing/1
touch org/thing/1/thing.jar org/thing/1/_remote.repositories org/thing/1/thing.pom.lastUpdated
echo of-the-mirror >org/thing/maven-metadata-companys-mirror.xml
touch org/thing/maven-metadata-companys-mirror.xml.sha1 org/thing/resolver-status.properties
"""


@pytest.fixture(autouse=True)
def no_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tools have no program that would trust them."""
    monkeypatch.setattr("labs.engine.software.builders.toolchain._TRUST", ())
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


@pytest.fixture
def project(job: Job) -> Path:
    folder = job.repo / PROJECT.source
    (folder / "api").mkdir(parents=True)
    (folder / "pom.xml").write_text("<project/>")
    (folder / "api/pom.xml").write_text("<project/>")
    return folder


def test_jars_come_with_the_components_own_launchers(job: Job, toolchain_with: MakeToolchain) -> None:
    (job.source / "bin").mkdir()
    (job.source / "bin/thing").touch(mode=0o755)
    maven.collect_jars(job, toolchain_with({"mvn": "mkdir /out/lib; touch /out/lib/thing-1.jar"}))
    assert files(job.part) == ["bin/thing", "lib/thing-1.jar"]
    assert (job.part / "bin/thing").stat().st_mode & 0o111


def test_the_pom_decides(job: Job, toolchain_with: MakeToolchain) -> None:
    (job.source / "pom.xml").write_text("<project>the component's</project>")
    maven.collect_jars(job, toolchain_with({"mvn": "cat /source/pom.xml"}))
    assert job.log.read_text().endswith("<project>the component's</project>")


def test_the_users_own_settings_are_used(job: Job, toolchain_with: MakeToolchain, home: Path) -> None:
    (home / ".m2").mkdir()
    (home / ".m2/settings.xml").write_text("<mirror/>")
    maven.collect_jars(job, toolchain_with({"mvn": 'echo "$@"; cat /f0/settings.xml'}))
    assert " -s /f0/settings.xml " in job.log.read_text()
    assert job.log.read_text().endswith("<mirror/>")


def test_a_repository_is_no_longer_tied_to_where_it_came_from(
    job: Job, toolchain_with: MakeToolchain, project: Path
) -> None:
    maven.fill_repository(job, PROJECT, toolchain_with({"mvn": FILLED}))
    assert files(job.part) == ["org/thing/1/thing.jar", "org/thing/maven-metadata-central.xml"]


def test_a_project_is_built_with_its_goals_and_its_source_stays_as_it_is(
    job: Job, toolchain_with: MakeToolchain, project: Path
) -> None:
    maven.fill_repository(job, PROJECT, toolchain_with({"mvn": 'echo "$@"; touch target'}))
    assert job.log.read_text().endswith(" clean verify\n")
    assert files(project) == ["api/pom.xml", "pom.xml"]


def test_what_was_downloaded_before_a_failure_is_kept(job: Job, toolchain_with: MakeToolchain, project: Path) -> None:
    with pytest.raises(LabError):
        maven.fill_repository(job, PROJECT, toolchain_with({"mvn": "touch /repository/thing.jar; exit 1"}))
    maven.fill_repository(job, PROJECT, toolchain_with({"mvn": ""}))
    assert files(job.part) == ["thing.jar"]


def test_the_poms_decide_what_a_repository_holds_and_the_program_does_not(job: Job, project: Path) -> None:
    before = maven.poms(job.repo, PROJECT)
    (project / "api/Main.java").touch()
    assert maven.poms(job.repo, PROJECT) == before
    (project / "api/pom.xml").write_text("<project><version>2</version></project>")
    assert maven.poms(job.repo, PROJECT) != before


@pytest.mark.parametrize(
    "line",
    [
        "[ERROR] Could not transfer artifact a:b:pom:1 from/to central: Connection timed out",
        "[ERROR] Unknown host maven.example",
        "[ERROR] PKIX path building failed",
        "[ERROR] status code: 403, reason phrase: Forbidden (403)",
    ],
)
def test_a_registry_that_does_not_answer_is_an_error_that_names_the_setting(
    job: Job, toolchain_with: MakeToolchain, line: str
) -> None:
    with pytest.raises(LabError) as raised:
        maven.collect_jars(job, toolchain_with({"mvn": f"echo '{line}'; exit 1"}))
    assert raised.value.code == "registry-unreachable"
    assert str(raised.value) == f"Maven could not download what thing needs: {line}"
    assert "~/.m2/settings.xml" in str(raised.value.hint)
