"""Shows graded reports: to people on a terminal, to programs as JSON."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labs.engine.messages import Sentence, _
from labs.engine.terminal import as_json
from labs.engine.terminal.marks import MARKS

if TYPE_CHECKING:
    from labs.engine.grading.report import ObjectiveResult, Report


def render(reports: Sequence["Report"], console: Console, lang: str) -> None:
    """Show each lab's objectives with their evidence, its points and what to look at next, then all points together."""
    for report in reports:
        if len(reports) > 1:
            console.rule(report.lab, align="left")
        _render_report(report, console, lang)
    if len(reports) > 1:
        console.rule(align="left")
        _say(_points(reports), console, lang, style="bold")


def to_json(reported: "Report | Sequence[Report]") -> str:
    """Return a report in the documented schema, or a list of such, in both languages."""
    if isinstance(reported, Sequence):
        return as_json.to_json([report.to_dict() for report in reported])
    return as_json.to_json(reported.to_dict())


def _render_report(report: "Report", console: Console, lang: str) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for objective in report.objectives:
        points = f"{objective.points}/{objective.max_points}"
        table.add_row(MARKS[objective.result], _title_and_evidence(objective, lang), points)
    console.print(table)
    console.print()
    _say(_points([report]), console, lang, style="bold")
    _render_next(report, console, lang)


def _points(reports: Sequence["Report"]) -> Sentence:
    return _(
        "{points} of {max_points} points, {seconds} s",
        points=sum(report.points for report in reports),
        max_points=sum(report.max_points for report in reports),
        seconds=f"{sum(report.seconds for report in reports):.1f}",
    )


def _title_and_evidence(objective: "ObjectiveResult", lang: str) -> str:
    evidence = objective.evidence.of(lang)
    return escape(objective.title.of(lang)) + (f"\n[dim]{escape(evidence)}[/]" if evidence else "")


def _render_next(report: "Report", console: Console, lang: str) -> None:
    waiting = next((objective for objective in report.objectives if objective.result != "passed"), None)
    if waiting is None:
        _say(_("All objectives passed."), console, lang)
        return
    console.print()
    _say(_("What to look at next: {title}", title=waiting.title), console, lang, style="bold")
    for sentence in _advice(report.lab, waiting):
        console.print(f"  {escape(sentence.of(lang))}", highlight=False, soft_wrap=True)


def _advice(lab: str, waiting: "ObjectiveResult") -> list[Sentence]:
    if waiting.result == "error":  # a hint would send the learner after a mistake that may not exist
        return [
            _("Could not be graded; no points lost."),
            _("`invoke lab.status` shows the state of the hosts."),
        ]
    hints: list[Sentence] = [waiting.hint] if waiting.hint else []
    return [*hints, _("For the next hint: invoke lab.hint {lab}", lab=lab)]


def _say(sentence: Sentence, console: Console, lang: str, style: str = "") -> None:
    console.print(escape(sentence.of(lang)), highlight=False, style=style, soft_wrap=True)
