"""Folders that the engine may delete: only those that carry its mark."""

import contextlib
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from labs.engine.errors import LabError
from labs.engine.messages import _


def claim(folder: Path, mark: str, text: str) -> None:
    """Create a folder with its mark, a file named `mark`. One that is there already must be empty or carry the mark.

    Raises:
        LabError: the folder holds something else, or is no folder.
    """
    require_ours(folder, mark, text)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / mark).write_text(text, encoding="utf-8")


def is_ours(folder: Path, mark: str, text: str) -> bool:
    """Return whether a folder carries the mark: the first line of `text` in the file named `mark`."""
    try:
        return text.splitlines()[0] in (folder / mark).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False


def require_ours(folder: Path, mark: str, text: str) -> None:
    """Raise LabError unless a folder carries the mark, is empty or does not exist."""
    if is_ours(folder, mark, text) or not folder.exists():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise LabError(
            "foreign-folder",
            _("{folder} was not created by f0 labs, so nothing in it is changed or deleted.", folder=folder),
            _(
                "Name a folder of its own, which is empty or doesn't exist yet, such as {example}.",
                example=folder / "f0-labs",
            ),
        )


def remove(folder: Path, mark: str, text: str, only: Collection[str] | None = None) -> None:
    """Delete a folder that carries the mark, or `only` some of its entries and the mark. Symlinks are not followed.

    Raises:
        LabError: the folder holds something and doesn't carry the mark.
    """
    require_ours(folder, mark, text)
    if only is None:
        _delete(folder)
        return
    for name in (*only, mark):
        entry = folder / name
        if entry.is_dir() and not entry.is_symlink():
            _delete(entry)
        else:
            entry.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _delete(folder: Path) -> None:
    """Delete a folder of ours, also where parts of it are read-only, as Go's module cache is."""

    def retry(delete: Callable[[str], object], path: str, _: object) -> None:
        Path(path).parent.chmod(0o700)
        with contextlib.suppress(OSError):
            delete(path)

    shutil.rmtree(folder, onerror=retry)
