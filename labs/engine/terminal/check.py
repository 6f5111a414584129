"""`lab.check`: which labs are graded and how often, and what is shown of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from labs.engine.errors import LabError
from labs.engine.messages import _
from labs.engine.terminal.progress import Display
from labs.engine.terminal.report import render, to_json

if TYPE_CHECKING:
    from labs.engine.grading.report import Report
    from labs.engine.session import Session


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Attributes:
        lab: the lab to grade, "" for the one that is up
        only: the objectives to grade, all when empty
        all: whether the labs before it are graded as well
        watch: whether grading goes on until everything passed
        junit: the JUnit file to write
    """

    lab: str = ""
    only: Sequence[str] = ()
    all: bool = False
    watch: bool = False
    junit: Path | None = None

    def __post_init__(self) -> None:
        if self.all and (self.lab or self.only or self.junit):
            raise LabError("usage", _("--all grades every lab that is up, so it takes no ID, --only or --junit."))
        if self.watch and self.junit:
            raise LabError("usage", _("--watch grades again and again, so it takes no --junit."))


def gradings(session: "Session", request: Request) -> Iterator[list["Report"]]:
    """Grade as requested; yield the reports of each grading when it is done.

    Raises:
        LabError: no lab is up; there is no such lab or objective; the checks can't be run.
    """
    labs = [request.lab] if request.lab else [lab.id for lab in session.labs_up()]
    if not request.all:
        labs = labs[-1:]
    if request.watch:
        yield from session.watch(labs, request.only)
    elif request.all:
        yield session.check_all(labs)
    else:
        yield [session.check(labs[0], request.only, request.junit)]


def show(request: Request, results: Iterator[list["Report"]], display: Display, console: Console, lang: str) -> int:
    """Show the reports of each grading that differs from the one before; return the exit status of the last one."""
    shown, code = None, 0
    for reports in results:
        display.hide_results()
        code = max(report.exit_code for report in reports)
        content = [_content(report) for report in reports]
        if content != shown:
            render(reports, console, lang)
            shown = content
    return code


def show_json(request: Request, results: Iterator[list["Report"]]) -> int:
    """Print the reports of each grading as JSON; return the exit status of the last one."""
    code = 0
    for reports in results:
        code = max(report.exit_code for report in reports)
        print(to_json(reports if request.all else reports[0]), flush=True)
    return code


def _content(report: "Report") -> object:
    return [(objective.id, objective.result, str(objective.evidence)) for objective in report.objectives]
