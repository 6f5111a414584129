"""Asking for sites through Traefik, which takes changes over from the API only every two seconds."""

from collections.abc import Callable
from typing import TypeVar

from labs.engine.waiting import wait_until

Answer = TypeVar("Answer")
SECONDS = 6

# The statuses of a Traefik with outdated routes: it doesn't know the rule, or it asks a pod that is gone.
UNROUTED = ("000", "404", "502", "503", "504")


def retry_until_routed(ask: Callable[[], Answer], is_good: Callable[[Answer], bool]) -> Answer:
    """Return the first good answer, or the last one when Traefik must have learned of every change."""
    answers: list[Answer] = []

    def succeeds() -> bool:
        answers[:] = [ask()]
        return is_good(answers[0])

    wait_until(succeeds, SECONDS)
    return answers[0]


def is_routed(status: str) -> bool:
    """Whether a status comes from the site that was asked for, not from a proxy on the way to it."""
    return status not in UNROUTED
