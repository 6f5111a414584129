"""Shows a graded Report: to people on a terminal, to programs as JSON. Knows nothing of pytest."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labs.engine.grading.run import ObjectiveResult, Report
from labs.engine.language import say

_MARKS: Mapping[str, str] = MappingProxyType(
    {"passed": "[green]✔[/]", "failed": "[red]✘[/]", "blocked": "[dim]•[/]", "error": "[yellow]![/]"}
)


def render(reports: Sequence[Report], console: Console, lang: str) -> None:
    """Each lab's objectives with their evidence, its points, and what to look at next; then all points together."""
    for report in reports:
        if len(reports) > 1:
            console.rule(report.lab, align="left")
        _render_one(report, console, lang)
    if len(reports) > 1:
        words = {
            "points": sum(report.points for report in reports),
            "max_points": sum(report.max_points for report in reports),
            "seconds": sum(report.seconds for report in reports),
        }
        console.rule(align="left")
        console.print(f"[bold]{say('points', lang, **words)}[/]", highlight=False)


def to_json(reported: Report | Sequence[Report]) -> str:
    """A report in the documented schema, or a list of such."""
    data = reported.to_dict() if isinstance(reported, Report) else [one.to_dict() for one in reported]
    return json.dumps(data, ensure_ascii=False, indent=2)


def _render_one(report: Report, console: Console, lang: str) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for one in report.objectives:
        table.add_row(_MARKS[one.result], _title_and_evidence(one), f"{one.points}/{one.max_points}")
    console.print(table)
    console.print()
    words = {"points": report.points, "max_points": report.max_points, "seconds": report.seconds}
    console.print(f"[bold]{say('points', lang, **words)}[/]", highlight=False)
    _render_next(report, console, lang)


def _title_and_evidence(one: ObjectiveResult) -> str:
    return escape(one.title) + (f"\n[dim]{escape(one.evidence)}[/]" if one.evidence else "")


def _render_next(report: Report, console: Console, lang: str) -> None:
    waiting = next((one for one in report.objectives if one.result != "passed"), None)
    if waiting is None:
        console.print(say("all passed", lang))
        return
    console.print(f"\n[bold]{say('look next', lang)}:[/] {escape(waiting.title)}", highlight=False)
    # A hint would send the learner after a mistake that nobody saw.
    advice = (
        [say("could not tell", lang)]
        if waiting.result == "error"
        else [waiting.hint, say("more hints", lang, lab=report.lab)]
    )
    for sentence in advice:
        console.print(f"  {escape(sentence)}", highlight=False, soft_wrap=True)
