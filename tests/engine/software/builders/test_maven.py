"""Maven: jars to run with, repositories to build with offline, and a registry that does not answer."""

from pathlib import Path

import pytest

from labs.engine.course.edition import MavenRepository
from labs.engine.errors import LabError
from labs.engine.software.builders import maven
from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain
from tests.engine.software.builders.conftest import Docker

PROJECT = MavenRepository(kind="maven-repository", version="1", source="labs/x/source", goals=["clean", "verify"])
FILLED = """\
cd "$repository"
mkdir -p org/thing/1
touch org/thing/1/thing.jar org/thing/1/_remote.repositories org/thing/1/thing.pom.lastUpdated
echo of-the-mirror >org/thing/maven-metadata-companys-mirror.xml
touch org/thing/maven-metadata-companys-mirror.xml.sha1 org/thing/resolver-status.properties
"""


@pytest.fixture
def project(job: Job) -> Path:
    folder = job.repo / PROJECT.source
    (folder / "api").mkdir(parents=True)
    (folder / "pom.xml").write_text("<project/>")
    (folder / "api/pom.xml").write_text("<project/>")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_jars_come_with_the_components_own_starters(job: Job, docker: Docker, toolchain: Toolchain) -> None:
    (job.source / "bin").mkdir()
    (job.source / "bin/thing").touch(mode=0o755)
    docker.does("mkdir lib; touch lib/thing-1.jar")
    maven.collect_jars(job, toolchain)
    assert files(job.part) == ["bin/thing", "lib/thing-1.jar"]
    assert (job.part / "bin/thing").stat().st_mode & 0o111


def test_the_pom_decides_and_the_network_is_there(job: Job, docker: Docker, toolchain: Toolchain) -> None:
    maven.collect_jars(job, toolchain)
    assert {"--network=host", f"--volume={job.source}:/source:ro"} <= {*docker.told}


def test_the_users_own_settings_are_used(job: Job, docker: Docker, toolchain: Toolchain, home: Path) -> None:
    (home / ".m2").mkdir()
    (home / ".m2/settings.xml").touch()
    maven.collect_jars(job, toolchain)
    assert f"--volume={home}/.m2/settings.xml:/f0/settings.xml:ro" in docker.told


def test_a_repository_is_no_longer_tied_to_where_it_came_from(
    job: Job, docker: Docker, toolchain: Toolchain, project: Path
) -> None:
    docker.does(FILLED)
    maven.fill_repository(job, PROJECT, toolchain)
    assert f"--volume={project}:/source:ro" in docker.told
    assert files(job.part) == ["org/thing/1/thing.jar", "org/thing/maven-metadata-central.xml"]


def test_what_was_fetched_before_a_failure_is_kept(
    job: Job, docker: Docker, toolchain: Toolchain, project: Path
) -> None:
    docker.does('touch "$repository/thing.jar"; exit 1')
    with pytest.raises(LabError):
        maven.fill_repository(job, PROJECT, toolchain)
    docker.does("")
    maven.fill_repository(job, PROJECT, toolchain)
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
def test_a_registry_that_does_not_answer_is_told_with_the_setting(
    job: Job, docker: Docker, toolchain: Toolchain, line: str
) -> None:
    docker.does(f"echo '{line}'; exit 1")
    with pytest.raises(LabError) as raised:
        maven.collect_jars(job, toolchain)
    assert raised.value.message == f"Maven could not fetch what is needed for thing: {line}"
    assert "~/.m2/settings.xml" in raised.value.hint
