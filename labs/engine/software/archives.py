"""Image archives as `docker save` writes them: both layouts, Docker's own and OCI's, which newer engines write."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_NAME = "io.containerd.image.name"  # https://github.com/containerd/containerd/blob/main/docs/content-flow.md
_REFERENCE = "org.opencontainers.image.ref.name"


def rename_image(source: Path, target: Path, reference: str) -> None:
    """Copy the archive of one image so that it is loaded under another name.

    Args:
        source: the archive
        target: the new archive; it must not exist
        reference: name and tag, such as traefik:v3.7.13
    """
    with tarfile.open(source) as old, tarfile.open(target, "x") as new:
        for member in old:
            content = old.extractfile(member) if member.isfile() else None
            edit = _EDITS.get(member.name)
            if content and edit:
                text = json.dumps(edit(json.load(content), reference)).encode()
                member.size, content = len(text), io.BytesIO(text)
            new.addfile(member, content)


def image_names(archive: Path) -> list[str]:
    """Return the names under which an archive's images are loaded; [] when it is not the archive of an image."""
    try:
        with tarfile.open(archive) as file:
            manifest = file.extractfile("manifest.json")
            return [name for image in json.load(manifest or io.StringIO("[]")) for name in image["RepoTags"] or []]
    except (tarfile.TarError, KeyError, TypeError, ValueError):
        return []


def _edit_manifest(images: list[dict[str, Any]], reference: str) -> list[dict[str, Any]]:
    return [{**image, "RepoTags": [reference]} for image in images]


def _edit_repositories(repositories: dict[str, dict[str, str]], reference: str) -> dict[str, dict[str, str]]:
    name, tag = reference.rsplit(":", 1)
    (layer,) = (layer for tags in repositories.values() for layer in tags.values())
    return {name: {tag: layer}}


def _edit_index(index: dict[str, Any], reference: str) -> dict[str, Any]:
    names = {_NAME: _canonical(reference), _REFERENCE: reference.rsplit(":", 1)[1]}
    manifests = [
        {**image, "annotations": {**image["annotations"], **names}} if _NAME in image.get("annotations", {}) else image
        for image in index["manifests"]
    ]
    return {**index, "manifests": manifests}


def _canonical(reference: str) -> str:
    """Return a reference with what Docker lets people leave out: containerd takes names as they are."""
    first, slash, _ = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return reference
    return f"docker.io/{reference}" if slash else f"docker.io/library/{reference}"


_EDITS: dict[str, Callable[[Any, str], Any]] = {
    "manifest.json": _edit_manifest,
    "repositories": _edit_repositories,
    "index.json": _edit_index,
}
