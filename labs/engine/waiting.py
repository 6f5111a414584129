"""Waiting for a condition, with a deadline: the one place that sleeps."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

PAUSE = 0.2  # seconds between two looks at a condition


def wait_until(
    condition: Callable[[], object], seconds: float, failed: Sequence[Future[Any]] = (), pause: float = PAUSE
) -> bool:
    """Wait until `condition` holds; return False after `seconds`. Errors of `failed` futures are raised at once."""
    deadline = time.monotonic() + seconds
    while not condition():
        for future in failed:
            if future.done():
                future.result()
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
