"""Grades a lab: runs its checks with pytest and makes a Report of what they found. Knows nothing of terminals."""

import contextlib
import dataclasses
import io
import os
import shlex
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from labs.engine.course.catalog import Lab
from labs.engine.errors import LabError
from labs.engine.grading.plugin import GradingPlugin, Outcome
from labs.engine.language import say


@dataclass(frozen=True)
class ObjectiveResult:
    """How one objective stands, why, and what helps."""

    id: str
    title: str
    result: Literal["passed", "failed", "blocked", "error"]
    points: int
    max_points: int
    evidence: str
    hint: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """How the objectives of a lab stand."""

    lab: str
    objectives: tuple[ObjectiveResult, ...]
    seconds: float

    @property
    def points(self) -> int:
        """The points reached."""
        return sum(one.points for one in self.objectives)

    @property
    def max_points(self) -> int:
        """The points of all graded objectives together."""
        return sum(one.max_points for one in self.objectives)

    @property
    def exit_code(self) -> int:
        """0: all passed. 2: the grader could not tell of one at least. 1: not all passed yet."""
        results = {one.result for one in self.objectives}
        return 2 if "error" in results else 0 if results == {"passed"} else 1

    @property
    def open(self) -> tuple[str, ...]:
        """The ids of the objectives that are not passed."""
        return tuple(one.id for one in self.objectives if one.result != "passed")

    def updated(self, newer: "Report") -> "Report":
        """This report with the objectives that a newer one graded again."""
        again = {one.id: one for one in newer.objectives}
        return dataclasses.replace(
            self, objectives=tuple(again.get(one.id, one) for one in self.objectives), seconds=newer.seconds
        )

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, in the documented schema."""
        return {
            "lab": self.lab,
            "points": self.points,
            "max_points": self.max_points,
            "seconds": round(self.seconds, 2),
            "objectives": [dataclasses.asdict(one) | {"seconds": round(one.seconds, 2)} for one in self.objectives],
        }


def grade(
    lab: Lab,
    repo: Path,
    ssh_config: Path,
    lang: str = "en",
    only: Collection[str] = (),
    junit: Path | None = None,
) -> Report:
    """Run the checks of a lab. With `only`, of these objectives, whatever they come after."""
    for id in only:
        lab.objective(id)
    plugin = GradingPlugin(lab.objectives, only)
    start = time.monotonic()
    _run_pytest(lab, repo, ssh_config, junit, plugin)
    results = tuple(_result(lab, id, outcome, lang) for id, outcome in plugin.outcomes.items())
    return Report(lab.id, results, time.monotonic() - start)


def _result(lab: Lab, id: str, outcome: Outcome, lang: str) -> ObjectiveResult:
    objective = lab.objective(id)
    result, evidence = outcome.result, outcome.evidence
    if result is None:
        result, evidence = "error", f"checks/{lab.id} has no check of this objective."
    if result == "blocked":
        evidence = say("blocked", lang, title=lab.objective(evidence).title.of(lang))
    passed = result == "passed"
    return ObjectiveResult(
        id=id,
        title=objective.title.of(lang),
        result=result,
        points=objective.points if passed else 0,
        max_points=objective.points,
        evidence=evidence,
        hint="" if passed else objective.hints[0].of(lang),
        seconds=outcome.seconds,
    )


def _run_pytest(lab: Lab, repo: Path, ssh_config: Path, junit: Path | None, plugin: GradingPlugin) -> None:
    arguments = [
        str(repo / "checks" / lab.id),
        f"--rootdir={repo}",
        f"--confcutdir={repo / 'checks'}",
        # The project's own pytest settings are for its own tests.
        f"--config-file={os.devnull}",
        "--override-ini=pythonpath=" + shlex.quote(str(repo)),
        f"--override-ini=junit_suite_name={lab.id}",
        "--disable-plugin-autoload",
        "-ppytest11.testinfra",
        *(f"-pno:{name}" for name in ("cacheprovider", "doctest", "faulthandler", "logging", "warnings")),
        # Messages of failed asserts become evidence as they are, without pytest's account of the values.
        "--assert=plain",
        "--import-mode=importlib",
        "--capture=no",
        f"--ssh-config={ssh_config}",
        *([f"--junit-xml={junit}"] if junit else []),
    ]
    output = io.StringIO()
    try:
        if junit:  # before the checks run, not after
            junit.parent.mkdir(parents=True, exist_ok=True)
            junit.open("a").close()
        with _apart_from_other_runs(), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = pytest.main(arguments, plugins=[plugin])
    except OSError as error:
        raise LabError(f"The result file {junit} cannot be written: {error.strerror}.") from error
    if plugin.interrupted:
        raise KeyboardInterrupt
    problems = plugin.problems
    if not problems and code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        problems = output.getvalue().strip().splitlines()[-1:]
    if problems:
        raise LabError("\n".join([f"The checks of the lab '{lab.id}' cannot be run:", *problems]))


@contextlib.contextmanager
def _apart_from_other_runs() -> Iterator[None]:
    """pytest may be running already, or have run before: neither run may meet the other's modules and settings."""
    environ, finders = dict(os.environ), list(sys.meta_path)
    modules = _check_modules()
    for name in modules:
        del sys.modules[name]
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    sys.meta_path[:] = [finder for finder in finders if not type(finder).__module__.startswith("_pytest.")]
    try:
        yield
    finally:
        sys.meta_path[:] = finders
        for name in _check_modules():
            del sys.modules[name]
        sys.modules.update(modules)
        os.environ.update({name: value for name, value in environ.items() if name.startswith("PYTEST")})


def _check_modules() -> dict[str, Any]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in ("checks", "conftest")}
