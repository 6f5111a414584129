"""The same probe of several things at once."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Observation = TypeVar("Observation")


def parallel_map(probe: Callable[[Key], Observation], keys: Iterable[Key]) -> Mapping[Key, Observation]:
    """Return what `probe` returns for each key. The first error of a probe is raised."""
    keys = list(keys)
    with ThreadPoolExecutor(max(len(keys), 1)) as pool:
        return dict(zip(keys, pool.map(probe, keys), strict=True))
