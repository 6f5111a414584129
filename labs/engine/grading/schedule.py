"""The order in which objectives are graded: each as soon as it can be, and all that wait, side by side."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from labs.engine.grading.outcomes import Outcome
from labs.engine.grading.probes import Probes

PAUSE = 0.5  # seconds before a failed objective is tried again


@dataclass(frozen=True)
class Objective:
    """What the grader needs to know of an objective; `wait` is in seconds."""

    id: str
    after: tuple[str, ...] = ()
    wait: float = 0


@dataclass
class _Try:
    """The present try of an objective: its round of probes, when the first try began, when the next one is due."""

    number: int = 0
    began: float = 0
    due: float = 0


class Schedule:
    """Grades objectives.

    Args:
        objectives: those to grade, parents before children
        needed: the probes that each of them needs
        probes: what runs these probes
        run: runs the checks of an objective and returns what came of them; gets the parent that blocks it, if any
        emit: gets each outcome as soon as it is final
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        needed: Mapping[str, Collection[str]],
        probes: Probes,
        run: Callable[[str, str], Outcome],
        emit: Callable[[str, Outcome], None],
    ) -> None:
        self._objectives = {objective.id: objective for objective in objectives}
        self._needed, self._probes, self._run, self._emit = needed, probes, run, emit
        self._tries = {id: _Try() for id in self._objectives}
        self._passed: dict[str, bool] = {}
        self._rounds: list[tuple[int, float]] = []

    def grade(self) -> None:
        """Grade everything."""
        while True:
            waiting = [id for id in self._objectives if id not in self._passed]
            if not waiting:
                return
            self._probes.changed.clear()
            if not any([self._advance(id) for id in waiting]):
                due = [self._tries[id].due for id in waiting if self._tries[id].due]
                self._probes.changed.wait(max(0.0, min(due) - time.monotonic()) if due else None)

    def _advance(self, id: str) -> bool:
        """Bring an objective one step further; return whether something was graded."""
        attempt, parents = self._tries[id], [other for other in self._objectives[id].after if other in self._objectives]
        unmet = next((other for other in parents if not self._passed.get(other, True)), "")
        if unmet:
            self._conclude(id, self._run(id, unmet))
            return True
        if time.monotonic() < attempt.due:
            return False
        if attempt.due:
            attempt.number, attempt.due = self._round_after(attempt.due - PAUSE), 0
        # What was seen before a parent passed is no longer true.
        attempt.number = max([attempt.number, *(self._tries[other].number for other in parents)])
        # The probes of an objective start before its parents are graded: once the lab is solved, all of them count.
        # Nothing waits for those of an objective that turns out to be blocked.
        self._probes.start(self._needed[id], attempt.number)
        if any(other not in self._passed for other in parents):
            return False
        attempt.began = attempt.began or time.monotonic()
        if not self._probes.ready(self._needed[id], attempt.number):
            return False
        self._probes.use(attempt.number)
        outcome, now = self._run(id, ""), time.monotonic()
        if outcome.result == "failed" and now < attempt.began + self._objectives[id].wait:
            attempt.due = now + PAUSE
        else:
            outcome.seconds = now - attempt.began
            self._conclude(id, outcome)
        return True

    def _conclude(self, id: str, outcome: Outcome) -> None:
        self._passed[id] = outcome.result == "passed"
        self._emit(id, outcome)

    def _round_after(self, moment: float) -> int:
        """Return a round of probes that began after `moment`: objectives that are tried again share it."""
        if not self._rounds or self._rounds[-1][1] < moment:
            self._rounds.append((self._probes.open_round(), time.monotonic()))
        return self._rounds[-1][0]
