"""The pytest plugin of the grader: which check belongs to which objective, and what came of it."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from labs.engine.grading.outcomes import Outcome, judge
from labs.engine.grading.probes import Probes
from labs.engine.grading.schedule import Objective, Schedule
from labs.engine.messages import _
from labs.engine.nearest import nearest


class GradingPlugin:
    """Runs the checks of a lab, objective by objective; `emit` gets each outcome as soon as it is final."""

    def __init__(
        self, lab: str, objectives: Sequence[Objective], only: Sequence[str], emit: Callable[[str, Outcome], None]
    ) -> None:
        self.problems: list[str] = []
        self._lab = lab
        self._known = {objective.id for objective in objectives}
        self._objectives = [objective for objective in objectives if not only or objective.id in only]
        self._items: dict[str, list[pytest.Item]] = {objective.id: [] for objective in self._objectives}
        self._emit = emit
        self._outcome, self._blocked_by = Outcome(), ""
        self._reports: dict[str, list[tuple[pytest.Item, list[pytest.TestReport]]]] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """Announce the marker."""
        config.addinivalue_line("markers", "objective(id): the objective of lab.yml that this check belongs to")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that can't be loaded may hold any check: without it, nothing can be graded."""
        if report.failed:
            lines = [line.removeprefix("E").strip() for line in str(report.longrepr).splitlines()]
            self.problems.append(f"{report.nodeid}: {next(line for line in reversed(lines) if line)}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort the checks by objective, and report those that belong to none."""
        for item in items:
            id = _objective(item)
            if not id:
                self.problems.append(f"{item.nodeid} has no @pytest.mark.objective")
            elif id not in self._known:
                self.problems.append(f"{item.nodeid} is marked '{id}', an unknown objective.{nearest(id, self._known)}")
            elif id in self._items:
                self._items[id].append(item)
        items[:] = [item for checks in self._items.values() for item in checks]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Grade all objectives."""
        if not self.problems:
            probes = Probes({"pytestconfig": session.config})
            needed = {
                id: {probe for item in checks for probe in probes.adopt(_definitions(item), _fixtures(item))}
                for id, checks in self._items.items()
            }
            Schedule(self._objectives, needed, probes, self._run, self._conclude).grade()
        return True

    def _run(self, id: str, blocked_by: str) -> Outcome:
        """Run the checks of an objective, or have them skipped when another objective blocks it."""
        self._blocked_by = blocked_by
        if not self._items[id] and not blocked_by:
            return Outcome("error", _("checks/{lab} has no check of this objective.", lab=self._lab))
        self._outcome = Outcome("blocked", blocked_by=blocked_by) if blocked_by else Outcome()
        # No next item: fixtures of every scope end here, so that each try gets the values of its own round.
        self._reports[id] = [(item, runtestprotocol(item, log=False, nextitem=None)) for item in self._items[id]]
        return self._outcome

    def _conclude(self, id: str, outcome: Outcome) -> None:
        """Pass on a final outcome; only now does JUnit hear of the checks."""
        for item, reports in self._reports.get(id, []):
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        self._emit(id, outcome)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out a check whose objective comes after one that did not pass."""
        if self._blocked_by:
            pytest.skip(f"blocked: {self._blocked_by} has not passed")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what one phase of a check says of its objective."""
        report = yield
        if call.excinfo is None and call.when == "call":
            self._outcome.note("passed")
        if call.excinfo is None or self._blocked_by:
            return report
        result, evidence = judge(call.excinfo.value, call.when)
        self._outcome.note(result, evidence)
        # JUnit shows what the learner sees; there, too, only a failed objective is a failure.
        report.outcome, report.longrepr = "failed", str(evidence)
        report.when = "call" if result == "failed" else "setup"
        return report

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A check that ends the whole run is a problem of the checks."""
        if excinfo.errisinstance(pytest.exit.Exception):
            self.problems.append(str(excinfo.value))


def _objective(item: pytest.Item) -> str:
    marker = item.get_closest_marker("objective")
    return str(marker.args[0]) if marker and marker.args else ""


def _definitions(item: pytest.Item) -> Mapping[str, pytest.FixtureDef[Any]]:
    """Return an item's fixtures, without those that override another one; pytest has no public name for it."""
    found: Mapping[str, Sequence[pytest.FixtureDef[Any]]] = vars(item)["_fixtureinfo"].name2fixturedefs
    return {name: definitions[0] for name, definitions in found.items() if len(definitions) == 1}


def _fixtures(item: pytest.Item) -> Sequence[str]:
    return tuple(getattr(item, "fixturenames", ()))
