"""What tests of software share: the real Docker engine, and small images in it that are removed afterwards."""

import io
import re
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from labs.engine.cache import Cache
from labs.engine.course.edition import Edition, GoComponent, Image, JlinkComponent, Role
from labs.engine.docker_client import build_image, image_exists
from labs.engine.events import Events
from labs.engine.software.base_images import BaseImages
from tests.engine.conftest import REPO

# Programs of this machine that are enough for the toolchain's scripts.
PROGRAMS = ("sh", "env", "setpriv", "stat", "mkdir", "touch", "cp", "mv", "cat", "sleep", "id", "awk", "ls")
MakeImage = Callable[[dict[str, str]], str]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    cache = Cache(tmp_path / "cache")
    cache.claim()
    return cache


@pytest.fixture
def remove_later(client: DockerClient) -> Iterator[Callable[[str], str]]:
    """Has tags removed from the Docker engine after the test."""
    tags: list[str] = []
    yield lambda tag: tags.append(tag) or tag  # type: ignore[func-returns-value]
    for tag in filter(lambda tag: image_exists(client, tag), tags):
        client.images.remove(tag, force=True)


@pytest.fixture(scope="session")
def tools(client: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with a shell and a few programs of this machine."""
    root, tag = tmp_path_factory.mktemp("tools") / "root", secrets.token_hex(4)
    for folder in ("bin", "tmp", "usr/local/share/ca-certificates"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for program in [Path(str(shutil.which(name))) for name in PROGRAMS]:
        shutil.copy(program, root / "bin" / program.name)
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, root / library[1:])
    (root / "tmp").chmod(0o1777)
    archive = root.with_name("root.tar")
    with tarfile.open(archive, "w") as file:
        file.add(root, ".")
    client.api.import_image_from_file(str(archive), repository="f0labs-t/tools", tag=tag)
    yield f"f0labs-t/tools:{tag}"
    client.images.remove(f"f0labs-t/tools:{tag}", force=True)


@pytest.fixture
def empty_image(client: DockerClient, remove_later: Callable[[str], str]) -> Callable[[str], str]:
    """Makes an image with nothing in it but a file with random content, under that name."""

    def make(tag: str) -> str:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as file:
            file.addfile(tarfile.TarInfo(secrets.token_hex(4)))
        repository, version = remove_later(tag).rsplit(":", 1)
        client.api.import_image_from_data(content.getvalue(), repository=repository, tag=version)
        return tag

    return make


@pytest.fixture
def tools_with(
    client: DockerClient, tools: str, tmp_path: Path, remove_later: Callable[[str], str]
) -> Callable[[dict[str, str]], str]:
    """Makes an image of `tools` with more programs: shell scripts by their names."""

    def make(programs: dict[str, str]) -> str:
        tag = remove_later(f"f0labs-t/tools-with:{secrets.token_hex(4)}")
        context: dict[Path, Path | bytes] = {Path("Dockerfile"): f"FROM {tools}\nCOPY bin/ /bin/\n".encode()}
        for name, script in programs.items():
            program = tmp_path / "programs" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
            context[Path("bin") / name] = program
        build_image(client, tmp_path, context, tag, {})
        return tag

    return make


@pytest.fixture
def small_edition() -> Edition:
    """An edition whose images have tags that no other test and no real edition has."""
    return Edition(
        debian=f"test{secrets.token_hex(4)}",
        components={
            "pause": GoComponent(version="1", package=".", output="pause"),
            "crane": GoComponent(version="2", package="x"),
            "jre": JlinkComponent(kind="jlink", version="21", modules=["java.base"]),
        },
        images={
            "pause": Image(name="harbor.frank.com/public/pause", version="1", components=["pause"]),
            "traefik": Image(name="traefik", version="v3.7.13", components=["crane"]),
            "probe": Image(name="base/jre", version="21", components=["jre", "crane"]),
        },
        roles={"zookeeper": Role(components=["jre"]), "delivery": Role(packages=["maven", "git"])},
        toolchain="delivery",
    )


@pytest.fixture
def small_repo(tmp_path: Path, small_edition: Edition) -> Path:
    """A checkout with recipes that build in a moment."""
    repo = tmp_path / "repo"
    shutil.copytree(REPO / "vagrant/image", repo / "vagrant/image", ignore=shutil.ignore_patterns("containers"))
    (repo / "vagrant/image/Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nCOPY packages.txt provision /opt/f0/\nCOPY opt/ /opt/\n"
    )
    for name, parts in {"pause": "pause", "traefik": "crane", "probe": "crane jre"}.items():
        folder = repo / "vagrant/image/containers" / name
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(f"FROM scratch\nCOPY {parts} /image/\n")
    for name in small_edition.components:
        (repo / "vagrant/components" / name).mkdir(parents=True)
        (repo / "vagrant/components" / name / "go.mod").touch()
    return repo


@pytest.fixture
def bases(
    small_repo: Path,
    cache: Cache,
    small_edition: Edition,
    client: DockerClient,
    empty_image: Callable[[str], str],
) -> BaseImages:
    """Base images that exist already, and are empty."""
    bases = BaseImages(small_repo, cache, small_edition, client)
    empty_image(bases.tag())
    empty_image(bases.tag(["git", "maven"]))
    return bases
