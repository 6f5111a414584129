"""Asking for sites through Traefik, which takes up what is new in the API every two seconds only."""

import time
from collections.abc import Callable
from typing import TypeVar

from labs.engine.hosts.readiness import PAUSE

Given = TypeVar("Given")
SECONDS = 6

# What a Traefik with old routes gives: it does not know the rule, or it asks a pod that is gone.
NOT_LED = ("000", "404", "502", "503", "504")


def once_routes_are_new(ask: Callable[[], Given], is_good: Callable[[Given], bool]) -> Given:
    """The first good answer, or what is still answered when Traefik must have heard of all changes."""
    given = ask()
    end = time.monotonic() + SECONDS
    while not is_good(given) and time.monotonic() < end:
        time.sleep(PAUSE)
        given = ask()
    return given


def is_led(status: str) -> bool:
    """Whether a status comes from the site that was asked for, not from somebody on the way to it."""
    return status not in NOT_LED
