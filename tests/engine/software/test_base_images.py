"""Base images: where Debian comes from, with which packages, and what is reported when it comes from nowhere."""

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient
from docker.errors import APIError

from labs.engine.cache import Cache
from labs.engine.course.edition import Edition
from labs.engine.docker_client import image_exists
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.software.base_images import BaseImages, debian_sources
from tests.engine.conftest import REPO, Program

DEBIAN = """\
cat <<END
http://mirror.example/debian/ bookworm
http://mirror.example/debian/ bookworm-updates
http://mirror.example/debian-security/ bookworm-security
END
"""
# Writes its arguments into %s, and an empty archive where it should be.
MMDEBSTRAP = """\
for argument; do echo "$argument"; case $argument in *.tar) target=$argument ;; esac; done >%s
head -c 10240 /dev/zero >"$target"
"""
Remover = Callable[[str], str]


class Registry:
    """This machine's Docker engine with another registry behind it: `pull` is what happens when it is asked."""

    def __init__(self, client: DockerClient, pull: Callable[[str], object]) -> None:
        self.api, self.images, self._images, self._pull = client.api, self, client.images, pull

    def __getattr__(self, name: str) -> Any:
        return getattr(self._images, name)

    def pull(self, repository: str, tag: str) -> None:
        self._pull(f"{repository}:{tag}")


def refuse(_: str) -> None:
    raise APIError("500", explanation="registry unreachable")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    shutil.copytree(REPO / "vagrant/image", tmp_path / "repo/vagrant/image")
    (tmp_path / "repo/vagrant/image/packages.Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nCOPY packages.txt /packages.txt\n"
    )
    return tmp_path / "repo"


@pytest.fixture
def bases(repo: Path, cache: Cache, small_edition: Edition, client: DockerClient, remove_later: Remover) -> BaseImages:
    """Base images on a machine that reaches no registry."""
    bases = BaseImages(repo, cache, small_edition, Registry(client, refuse))
    remove_later(bases.tag())
    remove_later(bases.tag(["maven"]))
    return bases


@pytest.fixture
def slim(small_edition: Edition) -> str:
    """The name of Debian's own image."""
    return f"debian:{small_edition.debian}-slim"


@pytest.fixture
def online(
    repo: Path,
    cache: Cache,
    small_edition: Edition,
    client: DockerClient,
    empty_image: Callable[[str], str],
    bases: BaseImages,
) -> BaseImages:
    """Base images on a machine that reaches a registry."""
    return BaseImages(repo, cache, small_edition, Registry(client, empty_image))


def refusal(bases: BaseImages, events: Events) -> LabError:
    with pytest.raises(LabError) as raised:
        bases.ensure(events)
    assert raised.value.code == "debian-packages"
    return raised.value


def packages_in(client: DockerClient, tag: str) -> bytes:
    container = client.containers.create(tag, "nothing")
    archive = io.BytesIO(b"".join(container.get_archive("/packages.txt")[0]))
    container.remove()
    with tarfile.open(fileobj=archive) as tar:
        return tar.extractfile("packages.txt").read()  # type: ignore[union-attr]


def test_other_packages_are_another_base(bases: BaseImages, repo: Path) -> None:
    before = [bases.tag(), bases.tag(["maven"])]
    with (repo / "vagrant/image/packages.txt").open("a") as text:
        text.write("emacs\n")
    assert len({*before, bases.tag(), bases.tag(["maven"])}) == 4


def test_the_order_of_packages_does_not_matter(bases: BaseImages) -> None:
    assert bases.tag(["git", "maven"]) == bases.tag(["maven", "git"])


def test_another_debian_is_another_base(bases: BaseImages, repo: Path, cache: Cache, client: DockerClient) -> None:
    forky = Edition(debian="forky", components={}, images={})
    assert BaseImages(repo, cache, forky, client).tag() != bases.tag()


def test_a_base_that_exists_is_not_made_again(
    bases: BaseImages, events: Events, empty_image: Callable[[str], str]
) -> None:
    empty_image(bases.tag(["maven"]))
    assert bases.ensure(events, ["maven"]) == bases.tag(["maven"])


def test_debians_own_image_is_used_where_it_can_be_pulled(
    online: BaseImages, events: Events, client: DockerClient, slim: str
) -> None:
    assert online.ensure(events) == online.tag()
    assert image_exists(client, online.tag())
    assert not image_exists(client, slim)


def test_the_users_debian_is_used_and_keeps_its_tag(
    bases: BaseImages, events: Events, client: DockerClient, empty_image: Callable[[str], str], slim: str
) -> None:
    users = client.images.get(empty_image(slim)).id
    bases.ensure(events)
    bases.ensure(events, ["maven"])
    assert client.images.get(slim).id == users == client.images.get(bases.tag()).id


def test_more_packages_are_installed_into_debians_own_image(
    online: BaseImages, events: Events, client: DockerClient
) -> None:
    assert packages_in(client, online.ensure(events, ["maven"])).endswith(b"\nmaven\n")


def test_otherwise_debian_is_installed_from_this_systems_sources(
    bases: BaseImages, events: Events, program: Program, tmp_path: Path, client: DockerClient, small_edition: Edition
) -> None:
    program("apt-get", DEBIAN)
    program("mmdebstrap", MMDEBSTRAP % f"{tmp_path}/arguments")
    bases.ensure(events)
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert f"deb http://mirror.example/debian/ {small_edition.debian} main" in arguments
    assert [line for line in arguments if line.startswith("--include=systemd,systemd-sysv,")]
    assert image_exists(client, bases.tag())


def test_more_packages_are_installed_from_this_systems_sources(
    bases: BaseImages, events: Events, program: Program, tmp_path: Path
) -> None:
    program("apt-get", DEBIAN)
    program("mmdebstrap", MMDEBSTRAP % f"{tmp_path}/arguments")
    bases.ensure(events, ["maven"])
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert [line for line in arguments if line.startswith("--include=") and line.endswith(",vim-tiny,maven")]


def test_neither_a_registry_nor_sources_is_an_error(
    bases: BaseImages, events: Events, program: Program, slim: str
) -> None:
    program("apt-get", "")
    error = refusal(bases, events)
    assert str(error) == (f"The image {slim} can't be pulled (registry unreachable), and apt has no Debian sources.")
    assert str(error.hint) == (
        "Configure a registry mirror for Docker, or load a bundle from another machine: invoke bundle.load FILE"
    )


def test_neither_a_registry_nor_mmdebstrap_is_an_error(
    bases: BaseImages, events: Events, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program("apt-get", DEBIAN.replace("cat", "/bin/cat")).parent))
    assert str(refusal(bases, events)).endswith(", and mmdebstrap is not installed.")


def test_packages_that_are_not_available_are_an_error_with_the_log(
    bases: BaseImages, events: Events, program: Program, cache: Cache
) -> None:
    program("apt-get", DEBIAN)
    program("mmdebstrap", "seq 1 5; echo 'E: 404 Not Found' >&2; exit 25")
    error = refusal(bases, events)
    assert str(error) == "Debian's packages could not be installed:\n4\n5\nE: 404 Not Found"
    assert str(error.hint) == f"Check this system's apt sources. The complete log is {cache.root}/log/base.log."


def test_sources_are_this_systems_mirrors_with_the_courses_debian(program: Program) -> None:
    program("apt-get", DEBIAN)
    assert debian_sources("trixie") == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb http://mirror.example/debian-security/ trixie-security main",
    ]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("echo http://mirror.example/debian bookworm", 2),
        ("echo http://mirror.example/debian-security bookworm-security", 0),
        ("echo; echo http://mirror.example/flat", 0),
        ("true", 0),
        ("exit 100", 0),
    ],
)
def test_a_system_with_fewer_sources_has_fewer_lines(program: Program, listed: str, expected: int) -> None:
    program("apt-get", listed)
    assert len(debian_sources("trixie")) == expected


@pytest.mark.usefixtures("no_programs")
def test_a_system_without_apt_has_no_sources() -> None:
    assert debian_sources("trixie") == []
