"""The Docker client: what is reported when there is none, and images built from a context. A real engine."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker import DockerClient
from docker.errors import DockerException

from labs.engine.docker_client import build_image, connect, image_exists
from labs.engine.errors import LabError
from tests.engine.conftest import REPO, Program


@pytest.fixture
def tag(client: DockerClient) -> Iterator[str]:
    tag = f"f0labs-t/client:{secrets.token_hex(4)}"
    yield tag
    if image_exists(client, tag):
        client.images.remove(tag, force=True)


def test_no_engine_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(LabError) as raised:
        connect()
    assert raised.value.code == "docker-unavailable"
    assert str(raised.value) == "Cannot connect to the Docker daemon."
    assert str(raised.value.hint).startswith("Run ./setup.sh")


def test_a_socket_without_permission_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise DockerException("Error while fetching server API version: PermissionError(13, 'Permission denied')")

    monkeypatch.setattr(docker, "from_env", refuse)
    with pytest.raises(LabError) as raised:
        connect()
    assert raised.value.code == "docker-permission"
    assert str(raised.value) == "Permission denied on the Docker socket."
    assert str(raised.value.hint) == "Run `sudo usermod -aG docker $USER`, then log in again."


def test_docker_py_is_loaded_on_first_use_only() -> None:
    modules = "labs.engine.docker_client, labs.engine.software.software, labs.engine.software.bundle"
    script = f"import sys, {modules}; print('docker' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


@pytest.mark.usefixtures("client")
def test_credential_helpers_of_the_user_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, program: Program, tmp_path: Path, tag: str
) -> None:
    program("docker-credential-broken", f"touch {tmp_path}/asked; exit 1")
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "broken", "auths": {"registry.example": {}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    build_image(connect(), tmp_path, {Path("Dockerfile"): b"FROM scratch\nCOPY Dockerfile /\n"}, tag, {})
    assert not (tmp_path / "asked").exists()


def test_an_image_is_built_from_files_folders_and_contents(client: DockerClient, tmp_path: Path, tag: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/inside").write_text("text")
    (tmp_path / "folder/link").symlink_to("inside")
    context: dict[Path, Path | bytes] = {
        Path("Dockerfile"): b"ARG WHAT\nFROM scratch\nARG WHAT\nCOPY opt /opt\nLABEL what=${WHAT}\n",
        Path("opt/folder"): tmp_path / "folder",
        Path("opt/file"): tmp_path / "folder/inside",
    }
    build_image(client, tmp_path, context, tag, {"WHAT": "this"})
    assert client.images.get(tag).labels["what"] == "this"
    container = client.containers.create(tag, "nothing")
    listed = b"".join(container.export())
    container.remove()
    assert b"opt/folder/inside" in listed
    assert b"opt/file" in listed


def test_modes_do_not_depend_on_the_users_umask(client: DockerClient, tmp_path: Path, tag: str) -> None:
    (tmp_path / "program").touch(mode=0o700)
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "private/text").touch(mode=0o600)
    context: dict[Path, Path | bytes] = {
        Path("Dockerfile"): b"FROM scratch\nCOPY program private /\n",
        Path("program"): tmp_path / "program",
        Path("private"): tmp_path / "private",
    }
    build_image(client, tmp_path, context, tag, {})
    container = client.containers.create(tag, "nothing")
    modes = [container.get_archive(f"/{name}")[1]["mode"] & 0o777 for name in ("program", "text")]
    container.remove()
    assert modes == [0o755, 0o644]


def test_stages_of_a_build_that_are_not_in_the_image_are_removed(
    client: DockerClient, tmp_path: Path, tag: str
) -> None:
    stage = f"FROM scratch AS first\nCOPY Dockerfile /{secrets.token_hex(4)}\n"
    context: dict[Path, Path | bytes] = {
        Path("Dockerfile"): f"{stage}LABEL f0labs-t.stage={tag}\nFROM scratch\nCOPY --from=first / /\n".encode()
    }
    build_image(client, tmp_path, context, tag, {})
    assert image_exists(client, tag)
    assert client.images.list(all=True, filters={"label": f"f0labs-t.stage={tag}"}) == []


def test_a_failed_build_is_an_error_with_the_end_of_its_log(client: DockerClient, tmp_path: Path, tag: str) -> None:
    with pytest.raises(LabError) as raised:
        build_image(client, tmp_path, {Path("Dockerfile"): b"FROM scratch\nCOPY nothing /\n"}, tag, {})
    assert raised.value.code == "image-build"
    assert str(raised.value).startswith(f"The image {tag} could not be built:\n")
    assert "nothing" in str(raised.value)


def test_a_recipe_that_docker_refuses_is_an_error(client: DockerClient, tmp_path: Path, tag: str) -> None:
    with pytest.raises(LabError, match=f"^The image {tag} could not be built:\n"):
        build_image(client, tmp_path, {Path("Dockerfile"): b"NONSENSE\n"}, tag, {})
