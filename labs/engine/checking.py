"""Grading the hosts of a session: once, several labs side by side, or again and again."""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from labs.engine.context import Context
from labs.engine.course.lab_files import Lab
from labs.engine.grading.report import Report
from labs.engine.grading.run import grade
from labs.engine.messages import _
from labs.engine.waiting import wait_until

WATCH_PAUSE = 2.0  # seconds between two gradings, so that watching costs the cluster little


def check(context: Context, lab: Lab, only: Collection[str] = (), junit: Path | None = None) -> Report:
    """Grade a lab, and enter the report into the grade record.

    A reset may overtake a grading. What was graded then belongs to hosts that are gone, so every objective is an error.

    Raises:
        LabError: the hosts are being made or removed; the checks can't be run.
    """
    with context.workspace.shared():
        before = context.require_state(lab.id)
    report = grade(lab, context.course.repo, context.workspace.ssh_config, context.events, only, junit)
    after = context.workspace.readable_state()
    if after is None or (after.generation, after.phase) != (before.generation, "ready"):
        return _overtaken(report)
    context.record.graded(report, before.generation, context.course)
    return report


def check_all(context: Context, labs: Sequence[Lab]) -> list[Report]:
    """Grade several labs side by side; reports in the order of the labs."""
    with ThreadPoolExecutor(max(1, len(labs))) as pool:
        return list(pool.map(lambda lab: check(context, lab), labs))


def watch(context: Context, labs: Sequence[Lab], only: Collection[str] = ()) -> Iterator[list[Report]]:
    """Grade labs until everything passed, and yield all reports each time; what passed once isn't graded again."""
    reports = [check(context, lab, only) for lab in labs]
    yield reports
    while any(report.open for report in reports):
        wait_until(lambda: False, WATCH_PAUSE)
        reports = [
            report.updated(check(context, lab, report.open)) if report.open else report
            for lab, report in zip(labs, reports, strict=True)
        ]
        yield reports


def _overtaken(report: Report) -> Report:
    evidence = _("The hosts were reset, restarted or removed while they were being graded.")
    objectives = (
        dataclasses.replace(objective, result="error", points=0, evidence=evidence) for objective in report.objectives
    )
    return dataclasses.replace(report, objectives=tuple(objectives))
