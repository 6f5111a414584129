"""The Docker engine's client, and building images with it. docker-py is loaded on first use: it takes 0.3 s."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labs.engine.errors import LabError
from labs.engine.messages import _

if TYPE_CHECKING:
    from docker import DockerClient

TIMEOUT = 120  # seconds for one request to the engine
# Not empty, so that docker-py doesn't read the user's own file again: that one may name credential helpers that ask for
# a password or are not installed. Everything we pull is public.
_NO_CREDENTIALS: dict[str, dict[str, dict[str, str]]] = {"auths": {"unused.invalid": {}}}


def connect() -> DockerClient:
    """Return a client of the Docker engine that DOCKER_HOST names, or the local one.

    Raises:
        LabError: no engine answers, or this user has no permission to use it.
    """
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=TIMEOUT)
        client.ping()
    except DockerException as error:
        if "Permission denied" in str(error):
            raise LabError(
                "docker-permission",
                _("Permission denied on the Docker socket."),
                _("Run `sudo usermod -aG docker $USER`, then log in again."),
            ) from error
        raise LabError(
            "docker-unavailable",
            _("Cannot connect to the Docker daemon."),
            _("Run ./setup.sh: it installs and starts Docker. For a remote daemon, set DOCKER_HOST."),
        ) from error
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(_NO_CREDENTIALS, file)
        file.flush()
        client.api.reload_config(file.name)
    return client


def image_exists(client: DockerClient, tag: str) -> bool:
    """Return whether the Docker engine has an image of that name and tag."""
    from docker.errors import ImageNotFound

    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def build_image(
    client: DockerClient,
    scratch: Path,
    context: Mapping[Path, Path | bytes],
    tag: str,
    arguments: Mapping[str, str],
) -> None:
    """Build an image. The stages of the build that are not part of it are removed.

    Args:
        client: the Docker engine
        scratch: folder for temporary files; folders of the context must be on the same file system
        context: files, folders and contents by their place in the build context; one of them is the Dockerfile
        tag: name and tag of the image
        arguments: the build's ARGs

    Raises:
        LabError: the build failed.
    """
    from docker.errors import APIError, BuildError

    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for target, source in context.items():
            _place(source, Path(folder) / target)
        _make_readable(Path(folder))
        try:
            log = client.images.build(path=folder, tag=tag, buildargs=dict(arguments), rm=True, forcerm=True)[1]
        except BuildError as error:
            output = "".join(str(line.get("stream") or line.get("error") or "") for line in error.build_log)
            raise _build_error(tag, "\n".join(output.strip().splitlines()[-5:])) from error
        except APIError as error:
            raise _build_error(tag, str(error.explanation or error)) from error
    _remove_stages(client, log)


def _place(source: Path | bytes, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        place.write_bytes(source)
    elif source.is_dir():
        shutil.copytree(source, place, symlinks=True, copy_function=os.link)
    else:
        shutil.copy2(source, place)


def _make_readable(folder: Path) -> None:
    """Give files the modes that git gives them: the user's umask must not decide their permissions in the image."""
    for path in (path for path in folder.rglob("*") if not path.is_symlink()):
        mode = path.stat().st_mode & 0o7777
        wanted = (mode & 0o7000) | (0o755 if mode & 0o100 else 0o644)
        if mode != wanted:
            path.chmod(wanted)


def _remove_stages(client: DockerClient, log: Iterable[Mapping[str, Any]]) -> None:
    """Remove the untagged images that a build log names, unless another image is based on them."""
    from docker.errors import APIError

    steps = re.findall(r"^ ---> ([0-9a-f]{12,})$", "".join(str(line.get("stream") or "") for line in log), re.MULTILINE)
    for id in reversed(steps):
        with contextlib.suppress(APIError):  # it is gone, or others are based on it
            if not client.images.get(id).tags:
                client.images.remove(id)


def _build_error(tag: str, reason: str) -> LabError:
    return LabError(
        "image-build",
        _("The image {tag} could not be built:\n{reason}", tag=tag, reason=reason),
        _("Is the disk full? `invoke doctor` tells you."),
    )
