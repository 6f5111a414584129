"""The cache: the folder for what is built once and used by every workspace."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from labs.engine import ownership
from labs.engine.settings import DEFAULT_CACHE

MARK = "CACHEDIR.TAG"
# The first line makes it a cache directory for backup programs (https://bford.info/cachedir/), the second one ours.
SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
TITLE = "# The cache of f0 labs: lab.down --purge deletes what f0 labs built in this folder."
FOLDERS = ("build", "components", "docs", "images", "locks", "log")


@dataclass(frozen=True)
class Cache:
    """The cache at `root`. Only FOLDERS in it are ours."""

    root: Path

    def claim(self) -> None:
        """Make the folder and mark it; LabError when it holds what isn't ours."""
        if not ownership.is_ours(self.root, MARK, TITLE):
            if self.root != DEFAULT_CACHE:  # that one is ours by its name
                ownership.require_ours(self.root, MARK, TITLE)
            self.root.mkdir(parents=True, exist_ok=True)
            (self.root / MARK).write_text(f"{SIGNATURE}\n{TITLE}\n", encoding="utf-8")
        (self.root / "locks").mkdir(exist_ok=True)

    def require_ours(self) -> None:
        """Raise LabError when the folder holds something and doesn't carry our mark."""
        ownership.require_ours(self.root, MARK, TITLE)

    def purge(self) -> None:
        """Delete what f0 labs built, and the folder when nothing else is in it; LabError when it isn't ours."""
        ownership.remove(self.root, MARK, TITLE, only=FOLDERS)

    def lock(self, name: str) -> Path:
        """Return the lock file of that name."""
        return self.root / "locks" / f"{name}.lock"

    def free_disk(self) -> int:
        """Return how many bytes are free where the cache is, or will be."""
        return shutil.disk_usage(next(path for path in [self.root, *self.root.parents] if path.exists())).free
