"""What Maven downloads: jars to run, or a whole repository for building offline."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from labs.engine.course.edition import MavenRepository
from labs.engine.messages import _
from labs.engine.software.builders.job import Job, Registry
from labs.engine.software.builders.toolchain import Toolchain

_REPOSITORY = Registry(
    _("Maven could not download what {name} needs: {line}"),
    "Could not transfer|Could not find artifact|Unknown host|Connection (refused|timed out|reset)|PKIX path"
    "|status(?: code)?: [45]",
    _("Set a mirror that this machine can reach in ~/.m2/settings.xml, or run `invoke bundle.load FILE`."),
)
# -C: refuse what doesn't match its checksum. The user's settings are used because mirrors are configured there.
_MAVEN = """\
MAVEN_OPTS="${MAVEN_OPTS:-} -Duser.home=/tmp"; export MAVEN_OPTS
settings=
[ ! -f /f0/settings.xml ] || settings="-s /f0/settings.xml -Dsettings.security=/f0/settings-security.xml"
maven() { mvn -B -ntp -C $settings -Dmaven.repo.local=/repository "$@"; }
"""
_JARS = """\
maven -f /source/pom.xml org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory=/out/lib
"""
_BUILD = """\
cp -r /source /tmp/source
cd /tmp/source
maven {goals}
"""


def collect_jars(job: Job, toolchain: Toolchain) -> None:
    """Put the run-time dependencies of the component's pom.xml into lib/, and its launchers into bin/."""
    _maven(job, toolchain, job.source, job.scratch / "maven", _JARS)
    job.copy_launchers()


def fill_repository(job: Job, component: MavenRepository, toolchain: Toolchain) -> None:
    """Build a project once with a repository that holds nothing else, and keep the repository."""
    repository = job.scratch / job.part.stem
    _maven(job, toolchain, job.repo / component.source, repository, _BUILD.format(goals=" ".join(component.goals)))
    _remove_origins(repository)
    job.part.rmdir()
    repository.replace(job.part)


def poms(repo: Path, component: MavenRepository) -> bytes:
    """Return a digest of what decides which artifacts a project's build needs."""
    digest, folder = hashlib.sha256(), repo / component.source
    for pom in sorted(folder.rglob("pom.xml")):
        digest.update(str(pom.relative_to(folder)).encode() + b"\0" + pom.read_bytes())
    return digest.digest()


def _maven(job: Job, toolchain: Toolchain, source: Path, repository: Path, script: str) -> None:
    repository.mkdir(parents=True, exist_ok=True)
    mounts = {source: "/source:ro", repository: "/repository", **dict(_settings())}
    toolchain.run(job, _MAVEN + script, mounts, _REPOSITORY, network=True)


def _settings() -> Iterator[tuple[Path, str]]:
    for name in ("settings.xml", "settings-security.xml"):
        if (file := Path.home() / ".m2" / name).is_file():
            yield file, f"/f0/{name}:ro"
    if (system := Path("/etc/maven/settings.xml")).is_file():
        yield system, "/etc/maven/settings.xml:ro"


def _remove_origins(repository: Path) -> None:
    """Delete what ties artifacts to the mirror they came from: offline, Maven refuses those of unknown mirrors."""
    for pattern in ("_remote.repositories", "*.lastUpdated", "resolver-status.properties"):
        for file in repository.rglob(pattern):
            file.unlink()
    for file in repository.rglob("maven-metadata-*.xml*"):
        if file.suffix == ".xml":
            file.replace(file.with_name("maven-metadata-central.xml"))
        else:
            file.unlink()
