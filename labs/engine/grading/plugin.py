"""The pytest plugin of the grader: which check belongs to which objective, and what came of it."""

import time
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import pytest
from _pytest.runner import runtestprotocol

from labs.engine.course.catalog import Objective
from labs.engine.course.yaml_file import nearest
from labs.engine.errors import LabError

Result = Literal["passed", "failed", "blocked", "error"]
_PAUSE = 0.5
_FAILURES = (AssertionError, pytest.fail.Exception)
_SEVERITY: Mapping[Result | None, int] = MappingProxyType({None: 0, "blocked": 1, "passed": 1, "failed": 2, "error": 3})


@dataclass
class Outcome:
    """What the checks of one objective found. The evidence of a blocked one is the id it waits for."""

    result: Result | None = None
    evidence: str = ""
    seconds: float = 0


class GradingPlugin:
    """Runs checks in the order of the objectives, tries failing ones again while their objective may wait."""

    def __init__(self, objectives: Sequence[Objective], only: Collection[str]) -> None:
        self.problems: list[str] = []
        self.interrupted = False
        self._objectives = {objective.id: objective for objective in objectives}
        self.outcomes = {id: Outcome() for id in self._objectives if not only or id in only}
        self._deadlines: dict[str, float] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """Announce the marker."""
        config.addinivalue_line("markers", "objective(id): the objective of lab.yml that this check belongs to")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be loaded may hold any check: nothing can be said without it."""
        if report.failed:
            lines = [line.removeprefix("E").strip() for line in str(report.longrepr).splitlines()]
            self.problems.append(f"{report.nodeid}: {next(line for line in reversed(lines) if line)}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the checks of the objectives to grade, in the order of lab.yml."""
        for item in items:
            if not _objective(item):
                self.problems.append(f"{item.nodeid} has no @pytest.mark.objective")
            elif _objective(item) not in self._objectives:
                what = f"'{_objective(item)}', which is no objective of the lab"
                self.problems.append(f"{item.nodeid} is marked {what}.{nearest(_objective(item), self._objectives)}")
        order = list(self._objectives)
        wanted = [] if self.problems else [item for item in items if _objective(item) in self.outcomes]
        items[:] = sorted(wanted, key=lambda item: order.index(_objective(item)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out a check whose objective comes after one that did not pass."""
        id = _objective(item)
        for earlier in self._objectives[id].after:
            if earlier in self.outcomes and self.outcomes[earlier].result != "passed":
                self._note(id, "blocked", earlier)
                pytest.skip(f"blocked: {earlier} is not passed")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Try a failed check again until it holds or its objective's waiting time is over."""
        id = _objective(item)
        if not self._objectives[id].wait:
            return None  # pytest's own way: once
        deadline = self._deadlines.setdefault(id, time.monotonic() + self._objectives[id].wait)
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        so_far = self.outcomes[id]
        while True:
            self.outcomes[id] = latest = Outcome()
            # No next item: fixtures of every scope end here, so that each try looks at the hosts anew.
            reports = runtestprotocol(item, log=False, nextitem=None)
            so_far.seconds += latest.seconds
            if latest.result != "failed" or time.monotonic() >= deadline:
                break
            time.sleep(_PAUSE)
            so_far.seconds += _PAUSE
        self.outcomes[id] = so_far
        self._note(id, latest.result, latest.evidence)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

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

    def _note(self, id: str, result: Result | None, evidence: str = "") -> None:
        """The worst check decides; of several, the first one speaks."""
        outcome = self.outcomes[id]
        if _SEVERITY[result] > _SEVERITY[outcome.result]:
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
    if isinstance(exception, LabError):
        return "error", f"{exception.message} {exception.hint}".strip()
    return "error", f"{type(exception).__name__}: {text}"
