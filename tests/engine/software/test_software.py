"""Software as a whole: what a lab's hosts are made from, and that all of it is there afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest
from docker import DockerClient

from labs.engine.cache import Cache
from labs.engine.course.edition import Edition
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.docker_client import image_exists
from labs.engine.events import Events
from labs.engine.software.base_images import BaseImages
from labs.engine.software.software import Software
from tests.engine.conftest import Program

NEEDS = Needs(components=["pause"], images=["pause"], roles=["zookeeper"])
OTHER = Needs(components=["crane"], images=["traefik"])
GO = """\
case $1 in env) echo '{"GOVERSION": "go1.99.1"}'; exit ;; esac
while [ "$1" != -o ]; do shift; done
echo built >"$2"
"""


@pytest.fixture
def software(small_repo: Path, cache: Cache, small_edition: Edition, client: DockerClient) -> Software:
    return Software(small_repo, cache, small_edition, client)


def test_components_are_those_of_all_labs_and_of_their_roles(software: Software, cache: Cache) -> None:
    components = software.components([NEEDS, OTHER])
    assert sorted(components) == ["crane", "jre", "pause"]
    assert {folder.parent for folder in components.values()} == {cache.root / "components"}


def test_archives_are_those_of_all_labs(software: Software, cache: Cache) -> None:
    archives = software.archives([NEEDS, OTHER])
    assert sorted(archives) == ["pause", "traefik"]
    assert {archive.parent for archive in archives.values()} == {cache.root / "images"}


def test_components_of_roles_are_missing_as_well(software: Software) -> None:
    assert software.missing(NEEDS) == ["jre", "pause"]


@pytest.mark.usefixtures("bases")
def test_everything_is_there_afterwards(
    software: Software,
    topology: Topology,
    events: Events,
    client: DockerClient,
    program: Program,
    remove_later: Callable[[str], str],
) -> None:
    program("go", GO)
    needs = Needs(components=["pause"], images=["pause"])
    for tag in {*software.host_images(needs, topology).values()}:
        remove_later(tag)
    tags = software.ensure(needs, topology, events)
    assert tags == software.host_images(needs, topology)
    assert image_exists(client, tags["f0-11"])
    assert software.missing(needs) == []
    assert software.archives([needs])["pause"].exists()


def test_java_is_built_in_the_base_with_the_toolchains_packages(
    software: Software,
    topology: Topology,
    events: Events,
    client: DockerClient,
    bases: BaseImages,
    tools_with: Callable[[dict[str, str]], str],
    remove_later: Callable[[str], str],
) -> None:
    tools = tools_with({"jlink": "mkdir -p /tmp/runtime/bin; echo java >/tmp/runtime/bin/java"})
    client.images.remove(bases.tag(["git", "maven"]))
    client.images.get(tools).tag(*bases.tag(["git", "maven"]).split(":"))
    needs = Needs(components=["jre"])
    for tag in {*software.host_images(needs, topology).values()}:
        remove_later(tag)
    software.ensure(needs, topology, events)
    assert (software.components([needs])["jre"] / "bin/java").read_text() == "java\n"
