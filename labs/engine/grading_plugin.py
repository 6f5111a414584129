"""The pytest plugin of the grader: which check belongs to which objective, and what came of it."""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import pytest

from labs.engine.catalog import Objective
from labs.engine.errors import LabError

Result = Literal["passed", "failed", "blocked", "error"]
_PAUSE = 0.5
_FAILURES = (AssertionError, pytest.fail.Exception)
_SEVERITY: Mapping[Result, int] = MappingProxyType({"blocked": 0, "passed": 0, "failed": 1, "error": 2})


@dataclass
class Outcome:
    """What the checks of one objective found. The evidence of a blocked one is the id it waits for."""

    result: Result | None = None
    evidence: str = ""
    seconds: float = 0


class GradingPlugin:
    """Runs checks in the order of the objectives, tries failing ones again while their objective may wait."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self.problems: list[str] = []
        self.interrupted = False
        self.outcomes = {objective.id: Outcome() for objective in objectives}
        self._objectives = {objective.id: objective for objective in objectives}
        self._deadlines: dict[str, float] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """Announce the marker."""
        config.addinivalue_line("markers", "objective(id): the objective of lab.yml that this check belongs to")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be loaded may hold any check: nothing can be said without it."""
        if report.failed:
            lines = [line.removeprefix("E").strip() for line in str(report.longrepr).splitlines()]
            self.problems.append(f"{report.nodeid}: {next(line for line in reversed(lines) if line)}")

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the checks of the objectives to grade, in the order of lab.yml."""
        self.problems += [f"{item.nodeid} has no @pytest.mark.objective" for item in items if not _objective(item)]
        wanted = [item for item in items if _objective(item) in self._objectives]
        config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
        order = list(self._objectives)
        items[:] = [] if self.problems else sorted(wanted, key=lambda item: order.index(_objective(item)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out a check whose objective comes after one that did not pass."""
        id = _objective(item)
        for earlier in self._objectives[id].after:
            if earlier in self.outcomes and self.outcomes[earlier].result != "passed":
                self._note(id, "blocked", earlier)
                pytest.skip(f"blocked: {earlier} is not passed")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Try a failed check again until it holds or its objective's waiting time is over."""
        id = _objective(item)
        deadline = self._deadlines.setdefault(id, time.monotonic() + self._objectives[id].wait)
        try:
            return (yield)
        except _FAILURES as error:
            failure = error
        while time.monotonic() < deadline:
            time.sleep(_PAUSE)
            try:
                return item.runtest()
            except _FAILURES as error:
                failure = error
        raise failure

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what one phase of a check tells of its objective."""
        report = yield
        id = _objective(item)
        self.outcomes[id].seconds += call.duration
        if call.excinfo is None and call.when == "call":
            self._note(id, "passed")
        if call.excinfo is None or self.outcomes[id].result == "blocked":
            return report
        result, evidence = _judge(call.excinfo.value, call.when)
        self._note(id, result, evidence)
        # JUnit shows what the learner sees; there, too, only a failed objective is a failure.
        report.outcome, report.longrepr = "failed", evidence
        report.when = "call" if result == "failed" else "setup"
        return report

    def _note(self, id: str, result: Result, evidence: str = "") -> None:
        """The worst check decides; of several, the first one speaks."""
        outcome = self.outcomes[id]
        if outcome.result is None or _SEVERITY[result] > _SEVERITY[outcome.result]:
            outcome.result, outcome.evidence = result, evidence

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell Ctrl-C from a check that ends the run."""
        self.interrupted = excinfo.type is KeyboardInterrupt
        if excinfo.errisinstance(pytest.exit.Exception):
            self.problems.append(str(excinfo.value))


def _objective(item: pytest.Item) -> str:
    marker = item.get_closest_marker("objective")
    return str(marker.args[0]) if marker and marker.args else ""


def _judge(exception: BaseException, phase: str) -> tuple[Result, str]:
    """Only what a check asserts is about the learner; all else is the grader's trouble."""
    text = str(exception).strip()
    if phase != "teardown" and isinstance(exception, _FAILURES):
        return "failed", text or "The check does not hold."
    if isinstance(exception, pytest.skip.Exception):
        return "error", f"The check was skipped: {text}"
    return "error", text if isinstance(exception, LabError) else f"{type(exception).__name__}: {text}"
