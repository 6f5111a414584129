"""What tasks print: tables for people, JSON for programs."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labs.engine.messages import Message, Sentence, _, verbatim
from labs.engine.terminal.as_json import to_json
from labs.engine.terminal.marks import FAILED, MARKS, PASSED

if TYPE_CHECKING:
    from labs.engine.course.lab_files import Fault, Lab
    from labs.engine.course.steps import Step
    from labs.engine.hints import Hint
    from labs.engine.hosts.provider import Finding
    from labs.engine.hosts.status import HostStatus, Progress, Status
    from labs.engine.session import Session
    from labs.engine.state import State

_WORDS: Mapping[str, Sentence] = MappingProxyType(
    {
        "ready": _("ready"),
        "starting": _("starting"),
        "removing": _("being removed"),
        "down": _("down"),
        "damaged": _("unknown, because its state is damaged"),
        "running": _("running"),
        "stopped": _("stopped"),
        "paused": _("paused"),
        "absent": _("absent"),
    }
)


def say(sentence: Sentence, console: Console, lang: str) -> None:
    """Print a sentence as it is: nothing in it is markup, and the terminal breaks its lines."""
    console.print(escape(sentence.of(lang)), highlight=False, soft_wrap=True)


def labs(known: Iterable["Lab"], state: "State | None", console: Console, lang: str, *, as_json: bool) -> None:
    """List the labs, and which one is up."""
    running = state.lab if state and state.phase == "ready" else None
    if as_json:
        print(
            to_json(
                [
                    {
                        "id": lab.id,
                        "title": lab.title,
                        "minutes": lab.minutes,
                        "points": lab.max_points,
                        "after": lab.after,
                        "up": lab.id == running,
                    }
                    for lab in known
                ]
            )
        )
        return
    table = _table(lang, _("Lab"), Message(""), _("Minutes"), _("Points"), _("After"), Message(""))
    for lab in known:
        up = f"[green]{_('up').of(lang)}[/]" if lab.id == running else ""
        after = ", ".join(lab.after) or "–"
        table.add_row(lab.id, escape(lab.title.of(lang)), str(lab.minutes), str(lab.max_points), after, up)
    console.print(table)


def summary(session: "Session", id: str, console: Console, lang: str) -> None:
    """Say what is up, what to read, and what to do next."""
    lab, topology = session.course.catalog.lab(id), session.topology
    console.print(f"\n[bold]{escape(lab.title.of(lang))}[/]  {escape(lab.summary.of(lang))}", highlight=False)
    page = f"docs/labs/{id}.zh.md" if lang == "zh" else f"docs/labs/{id}.md"
    hosts = ", ".join(f"{host.name} {topology.address(host.name)}" for host in topology.hosts)
    ssh = f"ssh -F {session.workspace.ssh_config} f0-13"
    say(_("Hosts: {hosts}", hosts=hosts), console, lang)
    say(
        _(
            "Read: {page} (`invoke docs.serve` shows it in the browser), about {minutes} minutes",
            page=page,
            minutes=lab.minutes,
        ),
        console,
        lang,
    )
    say(_("Work on the hosts: invoke host.ssh f0-13, or {ssh}", ssh=ssh), console, lang)
    say(_("See how far you are: invoke lab.check {id}", id=id), console, lang)
    pages = session.pages(id)
    if pages:
        say(_("In your browser, once the lab is solved: {pages}", pages=" ".join(pages)), console, lang)


def hint(hint: "Hint", console: Console, lang: str) -> None:
    """Show a hint, and which of how many it is."""
    say(_("{title} ({step}/{of}): {text}", title=hint.title, step=hint.step, of=hint.of, text=hint.text), console, lang)


def steps(listed: Sequence["Step"], console: Console, lang: str) -> None:
    """List the steps of a page."""
    from labs.engine.solving import title

    section = ""
    for step in listed:
        if step.section != section:
            section = step.section
            console.print(f"\n[bold]{escape(section)}[/]", highlight=False)
        console.print(f"  {escape(title(step).of(lang))}", highlight=False, soft_wrap=True)


def faults(lab: "Lab", console: Console, lang: str) -> None:
    """List the faults of a lab."""
    table = _table(lang, _("Fault"), Message(""))
    for fault in lab.faults:
        table.add_row(fault.id, escape(fault.title.of(lang)))
    console.print(table)


def repaired(fault: "Fault", console: Console, lang: str) -> None:
    """Show how a fault was repaired: the drill's solution."""
    say(fault.title, console, lang)
    for command in fault.repair:
        console.print(f"\n[bold]{', '.join(command.hosts)}[/]", highlight=False)
        console.print(escape(command.run.rstrip()), highlight=False, soft_wrap=True)


def status(status: "Status", console: Console, lang: str, *, as_json: bool) -> None:
    """Show the state of everything."""
    if as_json:
        print(to_json(status))
        return
    say(_("Lab: {lab} ({phase})", lab=status.lab or "–", phase=_WORDS[status.phase]), console, lang)
    console.print(_hosts(status.hosts, lang))
    nodes = (
        _("its API server does not answer")
        if status.nodes is None
        else _("nodes ready: {nodes}", nodes=", ".join(status.nodes))
    )
    used = sum(host.memory_mib or 0 for host in status.hosts)
    say(
        _(
            "Cluster: {nodes}. Memory: {used} MiB. Disk: {free} GiB free.",
            nodes=nodes,
            used=used,
            free=status.cache_free_gib,
        ),
        console,
        lang,
    )
    for page in status.pages:
        say(_("Page: {page}", page=page), console, lang)
    if status.progress:
        console.print(_progress(status.progress, lang))


def findings(results: Sequence["Finding"], console: Console, lang: str, *, as_json: bool) -> None:
    """Show what the doctor found."""
    if as_json:
        print(to_json([_finding(finding) for finding in results]))
        return
    for finding in results:
        mark = PASSED if not finding.error else FAILED if finding.required else MARKS["error"]
        line = f"{finding.name.of(lang)}: {finding.result.of(lang)}"
        console.print(f"{mark} {escape(line)}", highlight=False, soft_wrap=True)
        if finding.error and finding.error.hint.of(lang):
            console.print(f"    {escape(finding.error.hint.of(lang))}", highlight=False, soft_wrap=True)


def exit_code(results: Sequence["Finding"]) -> int:
    """Return 2 when hosts can't be started on this machine, else 0."""
    return 2 if any(finding.error and finding.required for finding in results) else 0


def _finding(finding: "Finding") -> dict[str, object]:
    error = finding.error
    return {
        "name": finding.name,
        "ok": error is None,
        "required": finding.required,
        "result": finding.result,
        "code": error.code if error else None,
        "hint": error.hint if error else None,
    }


def _hosts(hosts: Sequence["HostStatus"], lang: str) -> Table:
    table = _table(
        lang, _("Host"), _("Address"), verbatim("SSH"), _("State"), _("Services"), _("Failed units"), _("Memory")
    )
    for host in hosts:
        ssh = f"127.0.0.1:{host.ssh_port}" if host.ssh_port else "–"
        failed = ", ".join(host.failed_units) or "–"
        memory = f"{host.memory_mib} MiB" if host.memory_mib is not None else "–"
        state = _WORDS[host.state].of(lang)
        table.add_row(host.name, host.address, ssh, state, escape(host.services.of(lang)), failed, memory)
    return table


def _progress(progress: Mapping[str, "Progress"], lang: str) -> Table:
    table = _table(lang, _("Lab"), _("Points"), _("Hints"), _("Faults"), _("Resets"))
    for lab, entry in progress.items():
        points = f"{entry.points}/{entry.max_points}"
        table.add_row(lab, points, str(entry.hints), str(entry.faults), str(entry.resets))
    return table


def _table(lang: str, *headers: Sentence) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header.of(lang))
    return table
