"""Where temporary files of builds lie."""

from pathlib import Path

from labs.engine.cache import Cache


def scratch_folder(cache: Cache) -> Path:
    """Return a folder of the cache for temporary files.

    It is on the same file system as the components, which are hard-linked into build contexts, and purging the cache
    deletes what a killed process left there.
    """
    folder = cache.root / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
