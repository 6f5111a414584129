"""Looking at several things at once."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Asked = TypeVar("Asked")
Found = TypeVar("Found")


def of_each(look: Callable[[Asked], Found], those: Iterable[Asked]) -> Mapping[Asked, Found]:
    """What there is to see of each, looked at side by side."""
    those = list(those)
    with ThreadPoolExecutor(6) as pool:
        return dict(zip(those, pool.map(look, those), strict=True))
